"""What a quoted piece of a rule says by itself: the ban, or what is left where that was cut off.

A rule holds bans and exceptions. "Describe people as animals" and "quoting to teach is allowed"
both stand word for word in a rule that says "do not describe people as animals"; neither is a
ground.
These readings are of English rules, like the shipped ones, and lean to letting a quote pass: where
a sentence says neither "is allowed" nor a negation, it is taken at its word.
"""

from __future__ import annotations

import re

_SENTENCE_END = re.compile(r"[.!?]+[\"'’”)]*\s+")
_NEGATION = re.compile(
    r"\b(?:not|no|never|nobody|none|nothing|neither|nor|cannot)\b|n['’]t\b", re.IGNORECASE
)
_PERMITS = re.compile(
    r"\b(?:is|are|remains?|stays?)(?: \w+){0,2} (?:allowed|permitted)\b", re.IGNORECASE
)
_BUT_FORBIDS = re.compile(
    r"^\s*(?:no|nothing|nobody|none|neither|only)\b"
    r"|\b(?:is|are)(?: \w+)? (?:not|never|only|no longer)\b"
    r"|\b(?:allowed|permitted) only\b"
    r"|(?:^|[;:,] *(?:and |or |but )?)(?:do not|don['’]t|never|(?:you |it )?(?:must|may) not)\b",
    re.IGNORECASE,
)
_FIRST_WORDS = re.compile(r"(?:\W*[\w'’]+){1,3}")


def is_cut_off(rule: str, start: int, end: int) -> bool:
    """Whether `rule[start:end]` lost the negation that its sentence begins with.

    A quote may begin at any ban of a sentence, such as "and do not mock them", not behind it.
    """
    head = rule[_sentence_at(rule, start)[0] : start]
    if not _NEGATION.search(head):
        return False
    opening = _FIRST_WORDS.match(rule[start:end])
    return opening is None or not _NEGATION.search(opening.group())


def only_permits(rule: str, start: int, end: int) -> bool:
    """Whether every sentence that `rule[start:end]` touches says what is allowed."""
    place, sentences = start, []
    while place < end:
        first, last = _sentence_at(rule, place)
        sentences.append(rule[first:last])
        place = max(last, place + 1)
    return all(_PERMITS.search(one) and not _BUT_FORBIDS.search(one) for one in sentences)


def _sentence_at(rule: str, place: int) -> tuple[int, int]:
    """Where the sentence around a place begins and ends; a full stop inside a word ends nothing."""
    start = 0
    for found in _SENTENCE_END.finditer(rule):
        if found.end() > place:
            return start, found.end()
        start = found.end()
    return start, len(rule)

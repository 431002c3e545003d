"""Thousands of quotes from the shipped rulebook: a changed one never stands, a dressed one does."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest

from agent.verdict import Draft
from agent.verify import verify
from evals.golden import read_golden
from policies.reading import load_rulebook
from policies.rulebook import Rulebook, Section

pytestmark = pytest.mark.slow
DEV = Path(__file__).parents[2] / "evals" / "sets" / "dev.jsonl"
CONTENT = "Your tulips are a disgrace, honestly."
BANS = ("Do not ", "do not ", "must not ", "never ", "no ")


@dataclass(frozen=True)
class Quote:
    """What is claimed to stand in a section."""

    section: Section
    words: str


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load_rulebook(None)


@pytest.fixture(scope="module")
def true_quotes(rulebook: Rulebook) -> Sequence[Quote]:
    """Every sentence of every section that forbids or explains, and every example that violates."""
    return [
        Quote(section, words)
        for section in rulebook.sections
        for words in [*sentences(section), section.title, *section.violates]
    ]


def sentences(section: Section) -> list[str]:
    found = re.split(r"(?<=[.!?]) ", section.rule)
    return [one for one in found if " allowed" not in one and len(one.split()) > 3]


def refused(quote: Quote, rulebook: Rulebook) -> bool:
    """Whether a draft that cites the section with these words is refused for them."""
    draft = {
        "decision": "violating",
        "violations": [
            {
                "section": quote.section.id,
                "severity": quote.section.severities[0],
                "confidence": 0.9,
                "policy_quote": quote.words,
                "content_quote": "Your tulips",
                "why": "because",
            }
        ],
        "confidence": 0.9,
        "rationale": "because",
        "counterargument": "although",
    }
    _, faults = verify(
        Draft.model_validate(draft),
        rulebook=rulebook,
        shown_sections={section.id for section in rulebook.sections},
        sources={"text": CONTENT},
    )
    assert all(fault.code.startswith("policy_quote") for fault in faults), faults
    return bool(faults)


def words_of(text: str) -> list[str]:
    return re.findall(r"[\w'’-]+", unicodedata.normalize("NFKC", text).casefold())


def stands_by_chance(words: str, text: str) -> bool:
    """Whether the changed words are in the text all the same, such as one of two equal words."""
    return f" {' '.join(words_of(words))} " in f" {' '.join(words_of(text))} "


def with_words_changed(text: str, chance: random.Random) -> Iterator[tuple[str, str]]:
    """The text with a word dropped, added, exchanged, moved, joined or cut."""
    words = text.split(" ")
    for place in range(1, len(words) - 1):
        head, word, tail = words[:place], words[place], words[place + 1 :]
        yield "dropped", " ".join([*head, *tail])
        if place % 3 == 0:
            yield "added", " ".join([*head, chance.choice(["not", "only", "some"]), word, *tail])
            yield "exchanged", " ".join([*head, chance.choice(["perhaps", "tulips"]), *tail])
            yield "moved", " ".join([*head, tail[0], word, *tail[1:]])
            yield "joined", " ".join([*head, word + tail[0], *tail[1:]])
    yield "cut", text.rstrip(".!?")[:-1]
    yield "cut", text[1:]


def negated(text: str) -> Iterator[str]:
    """The text without its ban, in every way in which a ban can be lost."""
    for ban in BANS:
        if ban in text:
            yield text.replace(ban, "", 1)
            yield text.split(ban, 1)[1]
            yield text.replace(ban, "Do " if ban[0] == "D" else "always ", 1)
    yield text.replace("Do not", "Do").replace("do not", "do").replace("must not", "must")
    yield text.replace("Do not", "You may")
    yield text.replace(" is ", " is not ", 1).replace(" are ", " are not ", 1)
    yield text.replace(" or ", " and ", 1)


def test_no_changed_quote_stands(rulebook: Rulebook, true_quotes: Sequence[Quote]) -> None:
    chance = random.Random(0)
    tried, stood = 0, []
    for quote in true_quotes:
        for kind, changed in with_words_changed(quote.words, chance):
            if changed == quote.words or stands_by_chance(changed, quote.section.text):
                continue
            tried += 1
            if not refused(replace(quote, words=changed), rulebook):
                stood.append((kind, quote.section.id, changed))

    assert stood == []
    assert tried >= 3_000


def test_no_negated_quote_stands(rulebook: Rulebook) -> None:
    tried, stood = 0, []
    for section in rulebook.sections:
        for sentence in sentences(section):
            for changed in negated(sentence):
                if changed == sentence or len(changed.split()) < 4:
                    continue
                if re.match(r"(?:do|must|may) not|never|no ", changed):
                    continue  # the ban of a second clause, from which a quote may start
                tried += 1
                if not refused(Quote(section, changed), rulebook):
                    stood.append((section.id, changed))

    assert stood == []
    assert tried >= 300


def test_no_quote_from_another_section_stands(
    rulebook: Rulebook, true_quotes: Sequence[Quote]
) -> None:
    chance = random.Random(0)
    tried, stood = 0, []
    for quote in true_quotes:
        for section in chance.sample(rulebook.sections, 6):
            if section == quote.section or stands_by_chance(quote.words, section.text):
                continue
            tried += 1
            if not refused(Quote(section, quote.words), rulebook):
                stood.append((section.id, quote.words))

    assert stood == []
    assert tried >= 1_000


def test_no_quote_from_another_version_stands(
    rulebook: Rulebook, true_quotes: Sequence[Quote]
) -> None:
    """The rulebook is rewritten by one word in every sentence; quotes of the old one are void."""
    chance = random.Random(0)
    stood = []
    for quote in true_quotes:
        words = quote.words.split(" ")
        if len(words) == 1:
            continue
        place = chance.randrange(1, len(words))
        rewritten = " ".join([*words[:place], "newly", *words[place:]])
        newer = with_rewritten(rulebook, quote.section, quote.words, rewritten)
        if not refused(quote, newer):
            stood.append((quote.section.id, quote.words))

    assert stood == []


def with_rewritten(rulebook: Rulebook, section: Section, old: str, new: str) -> Rulebook:
    """The rulebook with other words in one section."""
    newer = replace(
        section,
        title=section.title.replace(old, new),
        rule=section.rule.replace(old, new),
        violates=tuple(one.replace(old, new) for one in section.violates),
        allowed=tuple(one.replace(old, new) for one in section.allowed),
    )
    policies = tuple(
        replace(
            policy,
            sections=tuple(newer if one.id == section.id else one for one in policy.sections),
        )
        for policy in rulebook.policies
    )
    return Rulebook(policies, rulebook.files)


def test_no_quote_of_what_is_allowed_stands(rulebook: Rulebook) -> None:
    stood = [
        (section.id, words)
        for section in rulebook.sections
        for words in [
            *section.allowed,
            *(one for one in re.split(r"(?<=[.!?]) ", section.rule) if " allowed" in one),
        ]
        if not refused(Quote(section, words), rulebook)
    ]

    assert stood == []


FORMS: Sequence[Literal["NFC", "NFD", "NFKC", "NFKD"]] = ("NFC", "NFD", "NFKC", "NFKD")


def dressed(text: str) -> Iterator[str]:
    """The same words as another keyboard, editor or model would write them."""
    for form in FORMS:
        yield unicodedata.normalize(form, text)
    yield text.replace("'", "’").replace('"', "”")
    yield re.sub(r'"([^"]*)"', r"“\1”", text).replace("'", "ʼ".translate({0x2BC: "‘"}))
    yield text.replace("’", "'").replace("“", '"').replace("”", '"')
    yield text.replace(" ", "  ").replace("-", "‑")
    yield text.replace(" ", "\n")
    yield text.replace(" ", "\u00a0")
    yield f"\n\t {text} \u2003"
    yield text.replace(" ", " \u200b")
    yield text.replace("—", "–")
    yield text[:1].swapcase() + text[1:]


def test_hardly_a_true_quote_is_refused_for_its_dress(
    rulebook: Rulebook, true_quotes: Sequence[Quote]
) -> None:
    tried, lost = 0, []
    for quote in true_quotes[::2]:
        for words in dressed(quote.words):
            tried += 1
            if refused(replace(quote, words=words), rulebook):
                lost.append((quote.section.id, words))

    assert len(lost) <= 0.005 * tried, lost[:5]
    assert tried >= 1_500


def test_hardly_a_true_quote_of_the_content_is_refused_for_its_dress(rulebook: Rulebook) -> None:
    section = rulebook.sections[0]
    texts = [golden.case.text for golden in read_golden(DEV, rulebook) if golden.case.text.strip()]
    tried, lost = 0, []
    for text in texts[::2]:
        for words in dressed(text):
            tried += 1
            if not content_stands(words, text, section, rulebook):
                lost.append(words)

    assert len(lost) <= 0.005 * tried, lost[:5]
    assert tried >= 1_500


def test_no_changed_quote_of_the_content_stands(rulebook: Rulebook) -> None:
    section, chance = rulebook.sections[0], random.Random(0)
    texts = [golden.case.text for golden in read_golden(DEV, rulebook) if golden.case.text.strip()]
    tried, stood = 0, []
    for text in texts[::4]:
        for kind, changed in with_words_changed(text, chance):
            if not changed.strip() or stands_by_chance(changed, text):
                continue
            tried += 1
            if content_stands(changed, text, section, rulebook):
                stood.append((kind, changed, text))

    assert stood == []
    assert tried >= 1_000


def content_stands(words: str, text: str, section: Section, rulebook: Rulebook) -> bool:
    draft = {
        "decision": "violating",
        "violations": [
            {
                "section": section.id,
                "severity": section.severities[0],
                "confidence": 0.9,
                "policy_quote": section.title,
                "content_quote": words,
                "why": "because",
            }
        ],
        "confidence": 0.9,
        "rationale": "because",
        "counterargument": "although",
    }
    _, faults = verify(
        Draft.model_validate(draft),
        rulebook=rulebook,
        shown_sections={section.id},
        sources={"text": text},
    )
    return not faults

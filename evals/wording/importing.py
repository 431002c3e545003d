"""Read policies that were written elsewhere: coded labels as for gpt-oss-safeguard, or guidelines.

Nothing is guessed in silence. What another form does not say is filled in on the careful side
(severity medium, every case to a person), and every such line is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from errors import InputError, shown
from evals.wording.export import Exchanged
from evals.wording.writing import policy_markdown
from policies.front_matter import POLICY_ID
from policies.reading import rulebook_from_files
from policies.rulebook import SEVERITIES, Policy, Section, Severity

Part = Literal["purpose", "rule", "violates", "allowed", "examples", "skipped"]

VERSION = "imported"
OUR_OWN_FRAME = "Decide which of the labels below"
"""With this the instructions begin that the export adds; they are no part of a policy."""

_HEADING = re.compile(r"(?P<marks>#{1,6})\s+(?P<words>.+?)\s*#*$")
_CODE = re.compile(r"\b(?P<letters>[A-Z]{2,64})-?(?P<number>\d{1,3})\b(?!\.[a-z])")
_CODED_ITEM = re.compile(
    r"^(?P<letters>[A-Z]{2,64})(?P<number>\d{1,3})\.[a-z]\s+(?P<told>.*?)(?:\s+[–—-]\s+(?P<said>.+))?$"
)
_LABELLED = re.compile(
    r"^(?:[-*]\s+)?(?:Content:\s*)?(?P<said>.+?)\s*(?:→|->|=>|\bAnswer:)\s*`?"
    r"(?P<letters>[A-Z]*)(?P<number>\d+)`?(?:\s*\(near (?P<near>[A-Z]+\d+)\))?\s*\.?$"
)
_ITEM = re.compile(r"^(?:[-*+]|\d+[.)])\s+(?P<words>.+)$")
_ALLOWED = re.compile(
    r"(?i)\b(?:allowed|permitted|safe|not violat|non-violat|acceptable|okay|ok)\b"
)
_FORBIDDEN = re.compile(r"(?i)\b(?:not allowed|violat|prohibited|forbidden|unacceptable|invalid)")
_SEVERITY = re.compile(r"\((?P<first>low|medium|high|critical)(?: to (?P<last>\w+))?\)")
_QUOTES = "\"'“”‘’`"

_SECTIONS: dict[str, Part] = {
    "instructions": "purpose",
    "goal": "purpose",
    "definitions": "skipped",
    "criteria": "skipped",
    "examples": "examples",
}


@dataclass
class _Clause:
    number: int
    title: str
    rule: list[str] = field(default_factory=list)
    violates: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)


@dataclass
class _Draft:
    """A policy as far as it was read."""

    title: str = ""
    purpose: list[str] = field(default_factory=list)
    clauses: dict[int, _Clause] = field(default_factory=dict)
    loose_allowed: list[str] = field(default_factory=list)
    """Allowed examples that name no section."""
    skipped: list[str] = field(default_factory=list)

    def clause(self, number: int, title: str = "") -> _Clause:
        found = self.clauses.setdefault(number, _Clause(number, title))
        found.title = found.title or title
        return found


def read_foreign(text: str, policy_id: str) -> Exchanged:
    """Return `text` as a policy file of ours, and what was lost or had to be filled in.

    Args:
        text: One policy: coded labels as for gpt-oss-safeguard, or plain Markdown guidelines.
        policy_id: The id that it gets here, such as `spam`.

    Raises:
        InputError: There is no rule in it, or `policy_id` is none.
    """
    if not POLICY_ID.fullmatch(policy_id):
        raise InputError(f"{shown(policy_id)} is no id of a policy", hint="write for example: spam")
    draft = _Draft()
    if _is_coded(text):
        _read_coded(text, draft)
    else:
        _read_guidelines(text, draft)
    harmless = draft.clauses.pop(0, None)
    if harmless is not None:
        draft.loose_allowed += harmless.allowed
        draft.skipped += harmless.rule
    found = [clause for _, clause in sorted(draft.clauses.items()) if clause.rule]
    if not found:
        raise InputError(
            "no rule was found in this text",
            hint="write one heading a rule, with a sentence below it, or coded labels such as SP2",
        )
    notes: list[str] = []
    policy = _policy(draft, found, policy_id, notes)
    written = policy_markdown(policy)
    rulebook_from_files({f"{policy_id}.md": written}, where="the imported policy")
    return Exchanged(written, tuple(notes))


def _is_coded(text: str) -> bool:
    numbers = {match["number"] for match in _CODE.finditer(text)}
    return len(numbers) > 1 and ("0" in numbers or "CRITERIA" in text)


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.strip():
            yield line.strip()


def _read_coded(text: str, draft: _Draft) -> None:
    part: Part = "purpose"
    clause: _Clause | None = None
    for line in _lines(text):
        heading = _HEADING.match(line)
        words = heading["words"] if heading else line
        named = _SECTIONS.get(words.rstrip(":").lower().split(":")[0].strip())
        code = _CODE.search(words)
        if words.startswith(OUR_OWN_FRAME):
            continue
        if named is not None or (words.isupper() and not code):
            part, clause = named or "skipped", None
            rest = words.partition(":")[2].strip()
            draft.purpose += [rest] if rest and named == "purpose" else []
        elif not draft.title and not draft.clauses:
            draft.title = _title(words)
        elif item := _CODED_ITEM.match(line):
            _take_coded(item, draft)
        elif labelled := _LABELLED.match(line):
            _take_labelled(labelled, draft)
        elif code and (heading or _opens(words, code)):
            part, clause = "rule", draft.clause(int(code["number"]), _title(words))
        elif part == "rule" and clause is not None and not words.startswith(("✅", "❌", "|")):
            clause.rule.append(line)
        elif part == "purpose" and not draft.clauses:
            draft.purpose.append(line)
        else:
            draft.skipped.append(line)


def _opens(words: str, code: re.Match[str]) -> bool:
    """Whether a line without heading marks opens a label: its code stands first or in brackets."""
    before = words[: code.start()].strip(" -#*`•")
    return not before or (words[code.start() - 1] == "(" and words.rstrip().endswith(")"))


def _title(words: str) -> str:
    severity = _SEVERITY.search(words)
    bare = _SEVERITY.sub("", _CODE.sub("", words))
    bare = re.sub(r"\(\s*[–—-]?\s*([^()]*)\)", r" \1", bare)
    bare = " ".join(bare.replace("#SP", "").split()).strip(" #*`:–—-✅🚫❗🚨()")
    return f"{bare} {severity[0]}" if severity else bare


def _unquoted(words: str) -> str:
    """The words without the quotation marks around them, where there is one at both ends."""
    bare = words.strip()
    around = len(bare) > 1 and bare[0] in _QUOTES and bare[-1] in _QUOTES
    return bare[1:-1].strip() if around else bare


def _take_coded(item: re.Match[str], draft: _Draft) -> None:
    number, said = int(item["number"]), item["said"]
    if number == 0:
        draft.loose_allowed.append(_unquoted(said or item["told"]))
        return
    clause = draft.clause(number)
    clause.rule.append(item["told"].rstrip(".") + ".")
    clause.violates += [_unquoted(said)] if said else []


def _take_labelled(found: re.Match[str], draft: _Draft) -> None:
    said, number = _unquoted(found["said"]), int(found["number"])
    near = _CODE.search(found["near"] or "")
    if number:
        draft.clause(number).violates.append(said)
    elif near:
        draft.clause(int(near["number"])).allowed.append(said)
    else:
        draft.loose_allowed.append(said)


def _read_guidelines(text: str, draft: _Draft) -> None:
    """Plain Markdown: a heading is a rule, unless it heads examples of the rule above it."""
    part: Part = "purpose"
    clause: _Clause | None = None
    for line in _lines(text):
        heading = _HEADING.match(line)
        if heading and not draft.title:
            draft.title = heading["words"]
        elif heading and clause is not None and _heads_examples(heading["words"]):
            forbidden = _FORBIDDEN.search(heading["words"])
            part = "violates" if forbidden or not _ALLOWED.search(heading["words"]) else "allowed"
        elif heading:
            clause = draft.clause(len(draft.clauses) + 1, heading["words"])
            part = "rule"
        elif clause is None:
            draft.purpose.append(line)
        else:
            item = _ITEM.match(line)
            words = item["words"] if item else line
            if item and part in ("violates", "allowed"):
                (clause.violates if part == "violates" else clause.allowed).append(words)
            else:
                clause.rule.append(words if words[-1] in ".!?:;" else f"{words}.")


def _heads_examples(words: str) -> bool:
    short = len(words.split()) <= 4  # noqa: PLR2004 - "Examples that are allowed"
    named = re.match(r"(?i)examples?\b", words)
    return bool(short and (named or _ALLOWED.search(words) or _FORBIDDEN.search(words)))


def _policy(draft: _Draft, found: Sequence[_Clause], policy_id: str, notes: list[str]) -> Policy:
    title = draft.title or policy_id
    if draft.loose_allowed:
        found[0].allowed += draft.loose_allowed
        notes.append(
            f"{len(draft.loose_allowed)} allowed examples name no rule: they stand in {policy_id}.1"
        )
    sections = tuple(
        _section(clause, number, policy_id, notes) for number, clause in enumerate(found, start=1)
    )
    severities = sorted({s for one in sections for s in one.severities}, key=SEVERITIES.index)
    notes.append("what follows from a violation is not said: every case goes to a person")
    if not draft.purpose:
        notes.append("no purpose is said: the title stands in for it")
    notes += [f"left out: {shown(line)}" for line in draft.skipped]
    return Policy(
        id=policy_id,
        title=title,
        version=VERSION,
        signals=(),
        enforcement=dict.fromkeys(severities, "escalate"),
        never_auto=True,
        purpose=" ".join(draft.purpose) or f"{title}.",
        sections=sections,
        file=f"{policy_id}.md",
    )


def _section(clause: _Clause, number: int, policy_id: str, notes: list[str]) -> Section:
    told = _SEVERITY.search(clause.title)
    severities: tuple[Severity, ...] = ("medium",)
    if told:
        first = SEVERITIES.index(next(s for s in SEVERITIES if s == told["first"]))
        last = max(first, *(n for n, s in enumerate(SEVERITIES) if s == told["last"]), 0)
        severities = SEVERITIES[first : last + 1]
    else:
        notes.append(f"{policy_id}.{number} says no severity: medium stands in for it")
    if number != clause.number:
        notes.append(f"{policy_id}.{number} was number {clause.number}")
    for side, examples in (("violates it", clause.violates), ("it allows", clause.allowed)):
        if not examples:
            notes.append(f"{policy_id}.{number} has no example of what {side}")
    title = _SEVERITY.sub("", clause.title).strip() or f"Rule {number}"
    return Section(
        id=f"{policy_id}.{number}",
        policy=policy_id,
        title=title.replace("(", "").replace(")", ""),
        severities=severities,
        rule=" ".join(clause.rule),
        violates=tuple(clause.violates),
        allowed=tuple(clause.allowed),
        file=f"{policy_id}.md",
        line=0,
    )

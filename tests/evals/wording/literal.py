"""A reviewer that takes the rules at their word, and a small rulebook of words in quotes.

A section forbids the words that stand in quotes in a sentence with "Do not", and lets content pass
that holds a quoted word of a sentence with "allowed". So it is known beforehand which edit moves
which case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.case import Case
from agent.model import Brief, Conclusion, Consultation, ToolCall
from agent.reviewer import Reviewer
from agent.state import Desk, Limits
from agent.verdict import Decision, Draft
from evals.golden import Expected, GoldenCase
from evals.wording.side_by_side import Remembered, Sides, _sharing
from evals.wording.texts import Wording, Wordings
from policies.reading import rulebook_from_files
from policies.rulebook import Rulebook, Section
from records.store import open_records

SQUARE = """---
id: square
title: The village square
version: 2026-11-01
signals: [offensive]
enforcement: {low: label, high: remove}
never_auto: false
---
Everybody may sit there in peace.

## square.1 Calling people names (high)
Do not call anybody "turnip" or "goose". It is allowed where "cousin" is said.
### Violates
- You turnip!
### Allowed
- My cousin, the goose, says hello.

## square.2 Noise (low)
Do not write "drum" after ten. A "lullaby" is allowed.
### Violates
- The drum again.
### Allowed
- A lullaby, softly.
"""
MARKET = """---
id: market
title: The market
version: 2026-11-01
signals: [spam]
enforcement: {high: remove}
never_auto: false
---
What is sold should be what it says.

## market.1 False weights (high)
Do not offer a "bargain". A "receipt" makes it allowed.
### Violates
- A bargain!
### Allowed
- A bargain, here is the receipt.
"""

_QUOTED = re.compile(r'"([a-z]+)"')
_SENTENCE = re.compile(r"[^.]+\.")


def village(**edits: str) -> Rulebook:
    """The rulebook; name a file and what it should hold instead."""
    return rulebook_from_files({"square.md": SQUARE, "market.md": MARKET} | _files(edits))


def _files(edits: Mapping[str, str]) -> dict[str, str]:
    return {f"{name}.md": text for name, text in edits.items()}


def edited(old: str, new: str) -> Rulebook:
    """The rulebook with some words of the square exchanged for others."""
    assert old in SQUARE
    return village(square=SQUARE.replace(old, new))


@dataclass
class LiteralModel:
    """Takes the rules at their word; asks one tool on the way."""

    name: str = "literal@1"
    moods: Iterator[bool] | None = None
    """Whether it reads at all, draw by draw: a model that does not repeat itself."""

    def consult(self, brief: Brief) -> Consultation:
        if brief.answers:
            return Consultation()
        return Consultation((ToolCall("weather", {"place": brief.case.id}),))

    def decide(self, brief: Brief) -> Conclusion:
        if self.moods is not None and not next(self.moods):
            return Conclusion(_draft("abstain", abstain_reason="ambiguous_content"))
        for section in brief.sections:
            found = _forbidden(section, brief.sources["text"])
            if found is not None:
                sentence, word = found
                ground = {
                    "section": section.id,
                    "severity": section.severities[-1],
                    "confidence": 0.9,
                    "policy_quote": sentence,
                    "content_quote": word,
                    "why": "the word stands in the rule",
                }
                return Conclusion(_draft("violating", violations=[ground]))
        return Conclusion(_draft("allowed"))


def _draft(decision: Decision, **more: Any) -> Draft:
    told = {"confidence": 0.9, "rationale": "Read to the letter.", "counterargument": "A joke?"}
    return Draft.model_validate({"decision": decision, **told, **more})


def _forbidden(section: Section, text: str) -> tuple[str, str] | None:
    said = set(re.findall(r"[a-z]+", text.lower()))
    sentences = [found.strip() for found in _SENTENCE.findall(section.rule)]
    if any("allowed" in one and said & set(_QUOTED.findall(one)) for one in sentences):
        return None
    for sentence in sentences:
        words = [word for word in _QUOTED.findall(sentence) if word in said]
        if "Do not" in sentence and words:
            return sentence, words[0]
    return None


def near(rulebook: Rulebook) -> Callable[[str], Sequence[Section]]:
    """The search: sections of which a word in quotes stands in the text."""

    def find(text: str) -> list[Section]:
        said = set(re.findall(r"[a-z]+", text.lower()))
        return [s for s in rulebook.sections if said & set(_QUOTED.findall(s.rule))]

    return find


@dataclass
class Weather:
    """A tool that never says the same twice, and counts."""

    asked: int = 0

    def __call__(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked += 1
        return {"finding": f"{name} {arguments['place']}: answer {self.asked}"}


def desk(rulebook: Rulebook, weather: Weather, model: LiteralModel | None = None) -> Desk:
    return Desk(
        rulebook=rulebook,
        model=model or LiteralModel(),
        tools=(),
        prompts="sha256:0",
        sections=near(rulebook),
        precedents=lambda _: [],
        account_texts=lambda _: {},
        signs=lambda _: [],
        language=lambda _: "en",
        use=weather,
        clock=lambda: 0.0,
        limits=Limits(),
    )


@contextmanager
def both(
    old: Rulebook,
    new: Rulebook,
    folder: Path,
    *,
    model: LiteralModel | None = None,
    weather: Weather | None = None,
) -> Iterator[tuple[Wordings, Sides]]:
    """Both wordings, read by the literal model, on shared answers."""
    with ExitStack() as opening:
        records = opening.enter_context(
            open_records(f"sqlite:///{folder / 'records.db'}", home=folder)
        )
        shared = desk(old, weather or Weather(), model)
        shared = replace(shared, use=Remembered(shared.use))

        def another(rulebook: Rulebook) -> Reviewer:
            return Reviewer(_sharing(desk(rulebook, Weather(), model), shared), records)

        sides = Sides(Reviewer(shared, records), another(new), another, model is None)
        yield Wordings(Wording("old", old), Wording("new", new)), sides


def case(case_id: str, text: str, *sections: str, cluster: str = "", **slices: str) -> GoldenCase:
    """A golden case: violating if it names sections, allowed if not."""
    decision: Decision = "violating" if sections else "allowed"
    expected = Expected(decision=decision, sections=sections)
    return GoldenCase(
        Case(id=case_id, text=text), expected, slices, "written for this test", cluster
    )

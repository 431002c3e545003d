"""A team's own decisions as pairs, so that the reader learns how this team reads its rules."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.embedded.reading import rule_text
from errors import InputError, shown
from policies.rulebook import Rulebook
from training.reader.deck import Deck, Pair

HELD_PARTS = 5
"""One decision in so many is kept to say whether learning helped."""
OWN_SHARE = 0.5
"""So many pairs come from the decisions; the others keep the reader reading other rules."""


class Decision(BaseModel):
    """One line of the file: a text, the rule or section it was held against, and the answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(min_length=1)
    section: str = ""
    rule: str = ""
    violates: bool


def read_decisions(file: Path, rulebook: Rulebook) -> list[Pair]:
    """Return the decisions of a `.jsonl` file.

    Raises:
        InputError: A line is no decision, or names a section that the rulebook does not have.
    """
    try:
        lines = file.read_text("utf-8").splitlines()
    except OSError as error:
        raise InputError(
            f"cannot read {file}: {error.strerror}", hint="give a .jsonl file of decisions"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{file}: not UTF-8 (byte {error.start})", hint="give a .jsonl file of decisions"
        ) from error
    return [
        _pair(line, rulebook, f"{file}:{number}")
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]


def _pair(line: str, rulebook: Rulebook, where: str) -> Pair:
    try:
        decision = Decision.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(
            f"{where}: no decision: {first['msg']} ({'.'.join(map(str, first['loc']))})",
            hint='a line is {"text": …, "section": "hate.1", "violates": true}, or with "rule"',
        ) from None
    if decision.rule:
        return Pair(decision.rule, decision.text, decision.violates, kind="decision")
    section = rulebook.section(decision.section)
    if section is None:
        raise InputError(
            f"{where}: this rulebook has no section {shown(decision.section)}",
            hint="name one of its sections, or give the words of the rule under `rule`",
        )
    return Pair(rule_text(section), decision.text, decision.violates, kind="decision")


def is_held(pair: Pair) -> bool:
    """Whether a decision is kept for measuring; a text is kept under all of its rules."""
    return zlib.crc32(pair.case.encode("utf-8", "replace")) % HELD_PARTS == 0


def mixed(
    decisions: Sequence[Pair], others: Iterator[Pair], deck: Deck, chance: random.Random
) -> Iterator[Pair]:
    """Yield decisions and other pairs; what breaks a rule also stands under the rule suspended."""
    while True:
        if chance.random() >= OWN_SHARE:
            yield next(others)
            continue
        pair = chance.choice(decisions)
        yield pair
        if pair.violates:
            suspended = f"{pair.rule} {deck.after('suspended')}"
            yield Pair(suspended, pair.case, violates=False, kind="suspended")

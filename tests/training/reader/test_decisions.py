"""A team's own decisions: read, refused with the place, and mixed with other rules."""

from __future__ import annotations

import json
import random
from itertools import islice
from pathlib import Path

import pytest

from errors import InputError
from policies.reading import load_rulebook
from training.reader.decisions import is_held, mixed, read_decisions
from training.reader.deck import Deck
from training.reader.pairs import WITHOUT_PUBLIC, pairs
from training.reader.texts import shown_texts


def written(folder: Path, *rows: dict[str, object]) -> Path:
    file = folder / "decisions.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows) + "\n", "utf-8")
    return file


def test_a_decision_names_a_section_or_gives_a_rule(tmp_path: Path) -> None:
    rulebook = load_rulebook(None)
    file = written(
        tmp_path,
        {"text": "a", "section": "hate.1", "violates": True},
        {"text": "b", "rule": "No cats.", "violates": False},
    )
    first, second = read_decisions(file, rulebook)
    assert first.rule.startswith("Dehumanising a group")
    assert (second.rule, second.violates) == ("No cats.", False)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"text": "a", "section": "hate.99", "violates": True}, "has no section 'hate.99'"),
        ({"text": "a", "section": "hate.1"}, "violates"),
        ({"text": "", "section": "hate.1", "violates": True}, "text"),
        ({"text": "a", "verdict": "bad", "violates": True}, "verdict"),
    ],
)
def test_a_line_that_is_no_decision_is_named(
    tmp_path: Path, row: dict[str, object], told: str
) -> None:
    good = {"text": "a", "section": "hate.1", "violates": True}
    with pytest.raises(InputError, match=r"decisions\.jsonl:2: ") as caught:
        read_decisions(written(tmp_path, good, row), load_rulebook(None))
    assert told in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_decisions(tmp_path / "none.jsonl", load_rulebook(None))


def test_decisions_are_mixed_with_other_rules_and_with_their_own_suspension(
    tmp_path: Path,
) -> None:
    rulebook = load_rulebook(None)
    deck = Deck(shown_texts(), [], rulebook, random.Random(0))
    row = {"text": "cats!", "rule": "No cats.", "violates": True}
    decisions = read_decisions(written(tmp_path, row), rulebook)
    stream = mixed(decisions, pairs(deck, WITHOUT_PUBLIC), deck, random.Random(0))
    drawn = list(islice(stream, 300))
    kinds = {pair.kind for pair in drawn}
    assert {"decision", "suspended"} < kinds
    assert not any(pair.violates for pair in drawn if pair.kind == "suspended")


def test_about_a_fifth_of_the_decisions_is_kept(tmp_path: Path) -> None:
    rows = [{"text": f"case {n}", "rule": "No.", "violates": True} for n in range(400)]
    decisions = read_decisions(written(tmp_path, *rows), load_rulebook(None))
    assert 50 < sum(map(is_held, decisions)) < 110

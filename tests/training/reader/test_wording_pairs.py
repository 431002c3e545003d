"""The wording pairs that the reader is measured with stay apart from what it learns from."""

from __future__ import annotations

import pytest

from training.classifier.metrics import Estimate
from training.reader.measure import Figure, WordingPair, wording_figures, wording_pairs
from training.reader.texts import shown_texts, table


def test_there_are_enough_pairs_of_many_families() -> None:
    pairs = wording_pairs()
    assert len(pairs) >= 200
    assert len({pair.family for pair in pairs}) >= 15


def test_no_text_and_no_wording_of_theirs_is_learnt_from() -> None:
    pairs = wording_pairs()
    assert not {pair.text for pair in pairs} & {shown.text for shown in shown_texts()}
    wordings = table("wordings.toml")
    learnt = {
        sentence.lower()
        for group in wordings.values()
        if isinstance(group, dict)
        for side in group.values()
        if isinstance(side, list)
        for sentence in side
    }
    said = {
        part.strip().lower()
        for p in pairs
        for rule in (p.strict, p.lenient)
        for part in rule.split(".")
    }
    assert not {sentence.rstrip(".") for sentence in learnt} & said


def test_a_reader_that_ignores_the_rule_has_no_pair_right() -> None:
    deaf = wording_figures(lambda _rule, case: float(len(case)), wording_pairs())
    assert value(deaf, "wording pairs, both right") == 0
    assert value(deaf, "wording pairs, right order") == 0


def test_a_reader_that_reads_the_rule_has_all_right() -> None:
    pairs = [WordingPair("f", "plain", "a text", "strict words", "lenient words")]
    read = wording_figures(lambda rule, _case: 1.0 if "strict" in rule else -1.0, pairs)
    assert value(read, "wording pairs, both right") == 1


def test_a_pair_needs_both_answers_right() -> None:
    pairs = [WordingPair("f", "plain", "a text", "strict words", "lenient words")]
    keen = wording_figures(lambda rule, _case: 2.0 if "strict" in rule else 1.0, pairs)
    assert value(keen, "wording pairs, both right") == 0
    assert value(keen, "wording pairs, right order") == 1


def value(figures: list[Figure], name: str) -> float:
    found: Estimate = next(figure.estimate for figure in figures if figure.name == name)
    return found.value


@pytest.mark.parametrize("pair", wording_pairs()[::25])
def test_the_two_wordings_of_a_pair_differ(pair: WordingPair) -> None:
    assert pair.strict != pair.lenient

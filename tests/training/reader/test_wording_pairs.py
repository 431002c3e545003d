"""The wording pairs that the reader is measured with stay apart from what it learns from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evals.golden import read_golden
from policies.reading import load_rulebook
from training.classifier.metrics import Estimate
from training.reader.measure import (
    Figure,
    WordingPair,
    wording_figures,
    wording_pairs,
)
from training.reader.texts import couples, houses, shown_texts, table, topics

SETS = Path(__file__).parents[3] / "evals" / "sets"


def test_there_are_enough_pairs_of_many_families() -> None:
    pairs = wording_pairs()
    assert len(pairs) >= 200
    assert len({pair.family for pair in pairs}) >= 15


def test_no_text_and_no_wording_of_theirs_is_learnt_from() -> None:
    pairs = wording_pairs()
    assert not {pair.text for pair in pairs} & {shown.text for shown in shown_texts()}
    posts = {post for t in topics() for key in ("does", "near") for post in t[key]}
    posts |= {post for t in topics() for c in t.get("exception", ()) for post in c["texts"]}
    assert not {pair.text for pair in pairs} & posts
    rules = {rule for t in topics() for key in ("strict", "lenient") for rule in t[key]}
    rules |= {rule for couple in couples() for rule in (couple.strict, couple.lenient)}
    assert not {rule for pair in pairs for rule in (pair.strict, pair.lenient)} & rules
    learnt = {
        sentence.lower()
        for name in ("wordings.toml", "wordings_more.toml")
        for group in table(name).values()
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


FAMILIES = (
    r"spoil|gambl|\bbet(s|ting)?\b|homework|medic|pirat|firework|smok|tobacco|\bbod(y|ies)\b|campaign"
    r"|election|preach|pray|cheat|recruit|prank|gossip|wild ?life|\bpric(e|es|ing)\b|backseat"
)


def test_no_couple_is_about_a_family_of_theirs() -> None:
    measured = " ".join(part for pair in wording_pairs() for part in (pair.family, pair.strict))
    assert len(re.findall(FAMILIES, measured, re.IGNORECASE)) > len(wording_pairs())
    for couple in couples():
        said = f"{couple.subject} {couple.strict} {couple.lenient}"
        assert not re.search(FAMILIES, said, re.IGNORECASE), couple.id


def test_no_house_rule_and_no_remark_is_about_a_family_of_theirs() -> None:
    for house in houses():
        remarks = [remark.text for remark in (*house.does, *house.near)]
        for said in (*house.strict, *house.lenient, *remarks):
            assert not re.search(FAMILIES, said, re.IGNORECASE), (house.kind, said)


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


def test_no_sentence_that_measures_contradiction_is_learnt() -> None:
    measured = {said for key in ("taken_back", "upheld") for said in table("measure.toml")[key]}
    learnt = {
        said
        for name in ("wordings.toml", "wordings_more.toml")
        for kind in ("suspended", "in_force", "in_force_neutral")
        for said in table(name)[kind]["after"]
    }
    assert not measured & learnt


def test_no_golden_case_is_learnt_from() -> None:
    golden = {case.case.text for case in read_golden(SETS / "golden.jsonl", load_rulebook(None))}
    posts = {post for t in topics() for key in ("does", "near") for post in t[key]}
    assert not golden & (posts | {shown.text for shown in shown_texts()})

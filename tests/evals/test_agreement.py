from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score

from errors import InputError
from evals.agreement import (
    agreement,
    agreement_table,
    cohen_kappa,
    krippendorff_alpha,
    read_second,
)
from evals.golden import read_golden
from evals.second_look import blind
from policies.reading import load_rulebook


def test_kappa_agrees_with_the_textbook_table() -> None:
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: .7 observed, .5 by chance.
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4, abs=1e-12)


@pytest.mark.parametrize("labels", ["aabbabcacb", "abcabcabca", "cccccbaaab"])
def test_kappa_agrees_with_scikit_learn(labels: str) -> None:
    other = "aabbcbcaca"
    expected = float(cohen_kappa_score(list(labels), list(other)))
    assert cohen_kappa(labels, other) == pytest.approx(expected, abs=1e-9)


def test_a_case_that_weighs_two_counts_twice() -> None:
    assert cohen_kappa("aab", "abb", [2, 1, 1]) == cohen_kappa("aaab", "aabb")
    twice = krippendorff_alpha(["aa", "ab", "bb"], [2, 1, 1])
    assert twice == krippendorff_alpha(["aa", "aa", "ab", "bb"])


def test_alpha_agrees_with_the_two_readers_of_krippendorff() -> None:
    ben, gerry = "aabbdcccedda", "babbbccceddd"  # Krippendorff 2011, section B
    assert krippendorff_alpha(list(zip(ben, gerry, strict=True))) == pytest.approx(0.692, abs=5e-4)


def test_alpha_agrees_with_the_four_readers_of_krippendorff_and_their_gaps() -> None:
    rows = [
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    ]  # Krippendorff 2011, section C
    labels = [[None if cell == "." else cell for cell in row.split()] for row in rows]
    units = list(zip(*labels, strict=True))
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=5e-4)


def test_labels_that_never_differ_measure_nothing() -> None:
    assert math.isnan(cohen_kappa("aaa", "aaa"))
    assert math.isnan(cohen_kappa("", ""))
    assert math.isnan(krippendorff_alpha(["aa", "aa"]))
    assert math.isnan(krippendorff_alpha([["a", None]]))


def golden(folder: Path) -> Path:
    def line(number: int, decision: str, *sections: str) -> str:
        fields = {
            "id": f"g-{number}",
            "text": f"words {number}",
            "expected": {"decision": decision, "sections": sections},
            "slices": {"kind": "plain"},
            "source": "written for this test",
        }
        return json.dumps(fields) + "\n"

    path = folder / "golden.jsonl"
    path.write_text(
        line(1, "violating", "hate.1", "hate.3") + line(2, "allowed") + line(3, "abstain"),
        encoding="utf-8",
    )
    return path


def second(folder: Path, *labels: dict[str, str]) -> Path:
    path = folder / "second.jsonl"
    path.write_text("".join(json.dumps(label) + "\n" for label in labels), encoding="utf-8")
    return path


def test_any_acceptable_section_agrees_and_a_disagreement_is_a_suspect(tmp_path: Path) -> None:
    rulebook = load_rulebook(None)
    labels = second(
        tmp_path,
        {"id": "g-1", "decision": "violating", "section": "hate.3"},
        {"id": "g-2", "decision": "allowed"},
        {"id": "g-3", "decision": "allowed"},
    )
    pairs = read_second(labels, read_golden(golden(tmp_path), rulebook), rulebook)

    found = agreement(pairs)

    assert found.exact.value == pytest.approx(2 / 3)
    assert found.exact.n == 3
    assert [(s.case_id, s.first, s.second) for s in found.suspects] == [
        ("g-3", "abstain", "allowed")
    ]
    assert "| g-3 | abstain | allowed |" in agreement_table(found)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ({"id": "g-9", "decision": "allowed"}, "the set has no case 'g-9'"),
        ({"id": "g-2", "decision": "violating"}, "a violating label names its section"),
        ({"id": "g-2", "decision": "violating", "section": "hate.9"}, "no section 'hate.9'"),
        ({"id": "g-1", "decision": "allowed"}, "'g-1' was labelled before"),
    ],
)
def test_a_bad_label_is_named_with_its_line(
    label: dict[str, str], message: str, tmp_path: Path
) -> None:
    rulebook = load_rulebook(None)
    labels = second(tmp_path, {"id": "g-1", "decision": "allowed"}, label)
    with pytest.raises(InputError) as caught:
        read_second(labels, read_golden(golden(tmp_path), rulebook), rulebook)
    assert f"{labels}:2" in caught.value.message
    assert message in caught.value.message


def test_no_label_at_all_is_said(tmp_path: Path) -> None:
    rulebook = load_rulebook(None)
    with pytest.raises(InputError, match="no label in this file"):
        read_second(second(tmp_path), read_golden(golden(tmp_path), rulebook), rulebook)


def test_a_second_reader_sees_no_answer(tmp_path: Path) -> None:
    cases = read_golden(golden(tmp_path), load_rulebook(None))
    shown = [json.loads(line) for line in blind(cases, 10, seed=3)]
    assert {frozenset(one) for one in shown} == {frozenset({"id", "text"})}
    assert {one["id"] for one in shown} == {"g-1", "g-2", "g-3"}

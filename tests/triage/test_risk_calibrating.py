from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.case import Case
from errors import InputError
from evals.golden import Expected, GoldenCase
from evals.risk.claims import Budget
from evals.run import Manifest, Recorded
from policies.rulebook import Rulebook
from tests.triage.scenes import NOW, verdict_on
from training.reader.texts import topics
from triage.risk.calibrating import Terms, certificate_from, refuse_fitted, verdicts_of
from triage.risk.told import certificate_lines

MANIFEST = Manifest(golden="sha256:g", cases=1, rulebook="r", model="m", prompts="p", code="c")
TERMS = Terms(Budget(max_missed=0.05, max_wrong_removal=0.05, confidence=0.9), days=30)


def judged(
    number: int, *, expected: str = "violating", cluster: str = "", **changes: Any
) -> Recorded:
    case = Case(id=f"g-{number}", text=f"Your rose number {number} is a disgrace.")
    sections = ["garden.1"] if expected == "violating" else []
    return Recorded(
        case_id=case.id,
        case=case,
        expected=Expected.model_validate({"decision": expected, "sections": sections}),
        source="a test",
        cluster=cluster,
        verdict=verdict_on(case, **changes),
    )


def counted(records: Sequence[Recorded], village: Rulebook) -> list[tuple[str, str, int, int]]:
    return [
        (one.policy, one.direction, len(one.judged), sum(case.wrong for case in one.judged))
        for one in verdicts_of(records, village)
    ]


def test_what_a_machine_could_close_is_counted_by_policy_and_direction(village: Rulebook) -> None:
    allowed: dict[str, Any] = {
        "decision": "allowed",
        "violations": [],
        "action": "none",
        "severity": None,
    }
    records = [
        judged(1),
        judged(2, expected="allowed"),
        judged(3, expected="abstain"),
        judged(4, **allowed),
        judged(5, expected="allowed", **allowed),
        judged(6, expected="allowed", sections_considered=[], **allowed),
    ]

    assert counted(records, village) == [
        ("garden", "allowed", 2, 1),
        ("garden", "violating", 3, 2),
        ("none", "allowed", 1, 0),
    ]


def test_what_goes_to_a_person_anyway_is_no_ground_for_a_claim(village: Rulebook) -> None:
    records = [
        judged(1, needs_human=True, needs_human_because=["odd"]),
        judged(2, ground={"section": "well.1", "severity": "critical"}),
    ]

    assert counted(records, village) == []


def test_a_removal_under_the_wrong_section_is_wrong(village: Rulebook) -> None:
    one = judged(1)
    elsewhere = one.model_copy(
        update={"expected": Expected(decision="violating", sections=("well.1",))}
    )

    assert counted([elsewhere], village) == [("garden", "violating", 1, 1)]


def test_cases_made_from_one_another_count_once(village: Rulebook) -> None:
    records = [judged(n, cluster="twins") for n in range(5)] + [judged(7), judged(8)]

    assert counted(records, village) == [("garden", "violating", 3, 0)]
    assert verdicts_of(records, village) == verdicts_of(records[::-1], village)


def test_a_certificate_names_what_it_rests_on_and_until_when(village: Rulebook) -> None:
    records = [judged(n) for n in range(200)]

    made = certificate_from(MANIFEST, records, village, TERMS, now=NOW)

    assert (made.golden, made.model, made.rulebook) == ("sha256:g", "quick", "sha256:0")
    assert made.until == NOW + 30 * 86_400
    assert made.closes_anything
    told = "\n".join(certificate_lines(made))
    assert "garden, closing as violating: from a confidence of 0.8" in told
    assert "90% confidence" in told


def test_too_little_data_certifies_nothing_and_says_how_many_more_would_do(
    village: Rulebook,
) -> None:
    made = certificate_from(MANIFEST, [judged(n) for n in range(20)], village, TERMS, now=NOW)

    assert not made.closes_anything
    told = "\n".join(certificate_lines(made))
    assert "more such verdicts would" in told
    assert "everything goes to a person" in told
    (claim,) = made.claims
    assert claim.more is not None
    enough = [judged(n) for n in range(20 + claim.more)]
    assert certificate_from(MANIFEST, enough, village, TERMS, now=NOW).closes_anything


def test_verdicts_of_two_reviewers_make_no_certificate(village: Rulebook) -> None:
    other = {"rulebook": "sha256:0", "model": "slow", "prompts": "-", "tools": {}}

    with pytest.raises(InputError, match="2 different reviewers"):
        certificate_from(
            MANIFEST, [judged(1), judged(2, provenance=other)], village, TERMS, now=NOW
        )


def golden_of(*texts: str) -> list[GoldenCase]:
    expected = Expected(decision="allowed")
    return [
        GoldenCase(Case(id=f"g-{n}", text=text), expected, {}, "a test")
        for n, text in enumerate(texts)
    ]


def test_cases_that_fitted_the_model_are_refused_whatever_their_dress(village: Rulebook) -> None:
    dev = Path(__file__).parents[2] / "evals" / "sets" / "dev.jsonl"
    text = json.loads(dev.read_text("utf-8").splitlines()[0])["text"]

    with pytest.raises(InputError, match="1 of 2 golden cases fitted the model"):
        refuse_fitted(golden_of("Nobody has ever said this of a rose.", text.upper()), village)


def test_texts_that_the_reader_has_learnt_from_are_refused(village: Rulebook) -> None:
    post = topics()[0]["does"][0]

    with pytest.raises(InputError, match="1 of 1 golden cases fitted the model"):
        refuse_fitted(golden_of(post), village)


def test_examples_of_the_rulebook_are_refused(village: Rulebook) -> None:
    with pytest.raises(InputError, match="examples of the rulebook"):
        refuse_fitted(golden_of("your roses look like boiled socks"), village)


def test_the_shipped_golden_set_is_not_refused() -> None:
    from evals.golden import read_golden
    from policies.reading import load_rulebook

    rulebook = load_rulebook(None)
    path = Path(__file__).parents[2] / "evals" / "sets" / "golden.jsonl"

    refuse_fitted(read_golden(path, rulebook), rulebook)

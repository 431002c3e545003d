from __future__ import annotations

import ipaddress
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import evals
from evals.card import CARD, filled, tables
from evals.golden import GoldenCase, read_golden
from policies.lint import runs
from policies.reading import load_rulebook
from policies.rulebook import Rulebook

SETS = Path(evals.__file__).parent / "sets"
EXAMPLES = SETS.parents[1] / "docs" / "examples"
NAMES = ("golden", "dev")
LOOKS_LIKE_A_BREACH = {
    "banter",
    "context",
    "counter-speech",
    "criticism",
    "defanged-link",
    "dialect",
    "disguise",
    "education",
    "exception",
    "fiction",
    "figurative",
    "homonym",
    "identity",
    "link",
    "news",
    "quotation",
    "reclaimed",
    "satire",
    "testimony",
    "victim-report",
    "warning",
}
RESERVED_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
)
ADDRESS = re.compile(r"https?://[^\s\"»)]+")


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load_rulebook(None)


@pytest.fixture(scope="module")
def sets(rulebook: Rulebook) -> Mapping[str, list[GoldenCase]]:
    return {name: read_golden(SETS / f"{name}.jsonl", rulebook) for name in NAMES}


def accounts() -> dict[str, dict[str, object]]:
    lines = (SETS / "accounts.jsonl").read_text(encoding="utf-8").splitlines()
    return {account["id"]: account for account in map(json.loads, lines)}


@pytest.mark.parametrize(("name", "least"), [("golden", 1000), ("dev", 300)])
def test_every_section_is_tried_from_both_sides(
    name: str, least: int, sets: Mapping[str, list[GoldenCase]], rulebook: Rulebook
) -> None:
    cases = sets[name]
    assert len(cases) >= least
    for decision in ("violating", "allowed"):
        tried = {c.slices.get("section") for c in cases if c.expected.decision == decision}
        assert {section.id for section in rulebook.sections} <= tried


def test_every_section_has_twenty_cases_over_both_sets(
    sets: Mapping[str, list[GoldenCase]], rulebook: Rulebook
) -> None:
    counted = Counter(c.slices.get("section") for cases in sets.values() for c in cases)
    assert [s.id for s in rulebook.sections if counted[s.id] < 20] == []


def test_every_policy_has_the_hard_negatives_of_the_trade(
    sets: Mapping[str, list[GoldenCase]], rulebook: Rulebook
) -> None:
    allowed = [c for c in sets["golden"] if c.expected.decision == "allowed"]
    for policy in rulebook.policies:
        kinds = {c.slices["kind"] for c in allowed if c.slices["policy"] == policy.id}
        assert len(kinds & LOOKS_LIKE_A_BREACH) >= 8, policy.id
        assert "education" in kinds, policy.id
        assert kinds & {"news", "testimony"}, policy.id


def test_a_language_does_not_give_the_answer_away(
    sets: Mapping[str, list[GoldenCase]],
) -> None:
    counted = Counter((c.slices["language"], c.expected.decision) for c in sets["golden"])
    for language in ("de", "es", "fr", "pt", "it"):
        violating, allowed = counted[language, "violating"], counted[language, "allowed"]
        assert abs(violating - allowed) <= 3, language


def test_the_cases_of_a_family_stand_in_one_set(
    sets: Mapping[str, list[GoldenCase]],
) -> None:
    golden, dev = ({c.cluster for c in sets[name]} - {""} for name in NAMES)
    assert golden
    assert not golden & dev


def test_a_third_of_the_golden_cases_only_look_like_a_breach(
    sets: Mapping[str, list[GoldenCase]],
) -> None:
    golden = sets["golden"]
    hard = [
        c
        for c in golden
        if c.expected.decision == "allowed" and c.slices["kind"] in LOOKS_LIKE_A_BREACH
    ]
    assert len(hard) * 3 >= len(golden)


@pytest.mark.parametrize("name", NAMES)
def test_every_case_says_what_it_is(name: str, sets: Mapping[str, list[GoldenCase]]) -> None:
    for case in sets[name]:
        assert {"kind", "policy", "language"} <= set(case.slices), case.case.id
        assert case.slices["language"] == (case.case.language or "en")


def test_a_violation_is_filed_under_its_first_section(
    sets: Mapping[str, list[GoldenCase]],
) -> None:
    for case in [*sets["golden"], *sets["dev"]]:
        section = case.slices.get("section", "none")
        assert case.slices["policy"] == section.partition(".")[0]
        if case.expected.sections:
            assert case.expected.sections[0] == section


def texts(
    sets: Mapping[str, list[GoldenCase]], rulebook: Rulebook
) -> Iterator[tuple[str, str, str]]:
    """Every text that must not be another one's copy: where it stands, its words, its family."""
    for name, cases in sets.items():
        yield from ((f"{name}: {one.case.id}", one.case.text, one.cluster) for one in cases)
    for section in rulebook.sections:
        for example in (*section.violates, *section.allowed):
            yield f"rulebook: {section.id}", example, ""
    for path in sorted(EXAMPLES.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            fields = json.loads(line)
            place = f"{path.name}: {fields.get('id') or fields['case_id']}"
            yield place, fields.get("text", ""), ""


def test_no_case_is_nearly_a_copy_of_another_text_outside_its_family(
    sets: Mapping[str, list[GoldenCase]], rulebook: Rulebook
) -> None:
    # The longest near-miss shares a fifth of its runs of three words; a reworded copy a third.
    seen: dict[tuple[str, ...], list[str]] = {}
    runs_of: dict[str, set[tuple[str, ...]]] = {}
    family_of: dict[str, str] = {}
    for place, text, family in texts(sets, rulebook):
        if not text:
            continue
        own = runs(text)
        for other in {name for run in own for name in seen.get(run, [])}:
            if family and family == family_of[other]:
                continue
            shared = len(own & runs_of[other]) / len(own | runs_of[other])
            both_examples = not {"golden", "dev"} & {place.split(":")[0], other.split(":")[0]}
            assert both_examples or shared < 0.25, (place, other, shared)
        key = place if place not in runs_of else f"{place} #{len(runs_of)}"
        runs_of[key], family_of[key] = own, family
        for run in own:
            seen.setdefault(run, []).append(key)


def test_every_account_of_a_case_is_there(sets: Mapping[str, list[GoldenCase]]) -> None:
    named = {c.case.account_id for cases in sets.values() for c in cases if c.case.account_id}
    assert named == set(accounts())


def test_accounts_were_decided_under_sections_that_exist(rulebook: Rulebook) -> None:
    for account in accounts().values():
        decisions = account["decisions"]
        assert isinstance(decisions, list)
        assert all(rulebook.section(decision["section"]) for decision in decisions)


def test_no_account_of_one_set_speaks_in_the_other(
    sets: Mapping[str, list[GoldenCase]],
) -> None:
    golden, dev = ({c.case.account_id for c in sets[name]} - {None} for name in NAMES)
    assert golden
    assert not golden & dev


def test_no_address_in_the_sets_belongs_to_anybody() -> None:
    found = 0
    for name in (*NAMES, "accounts"):
        for address in ADDRESS.findall((SETS / f"{name}.jsonl").read_text(encoding="utf-8")):
            host = re.sub(r"^https?://(?:[^/@]*@)?", "", address).split("/")[0].rstrip("\\")
            found += 1
            assert host.endswith(".example") or any(
                ipaddress.ip_address(host) in network for network in RESERVED_NETWORKS
            ), address
    assert found > 10


def test_the_card_counts_what_the_sets_hold() -> None:
    card = CARD.read_text(encoding="utf-8")
    assert filled(card, tables()) == card, "run: python -m evals.card"


def test_enough_cases_were_labelled_twice() -> None:
    lines = (SETS / "second_look.jsonl").read_text(encoding="utf-8").splitlines()
    assert len({json.loads(line)["id"] for line in lines}) >= 150

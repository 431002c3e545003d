"""What code can check in the words of a verdict, without a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from evals.estimate import Estimate
from evals.intervals import clustered_share
from evals.run import Recorded
from policies.rulebook import Rulebook

_SHORTEST_RATIONALE = 20

Check = Callable[[Recorded], bool | None]
"""Whether a verdict passes; None where the check does not apply to it."""


def checked(
    records: Sequence[Recorded], rulebook: Rulebook, names: Sequence[str]
) -> dict[str, Estimate]:
    """Return for each check the share of verdicts that pass it, of those that it applies to.

    Args:
        records: The cases of a run.
        rulebook: The one that the run was made with.
        names: The checks, in the order in which they are reported.

    Raises:
        KeyError: A check is not known here.
    """
    rationales = Counter(record.verdict.rationale.strip() for record in records)
    checks = _checks(rulebook, rationales)
    return {name: _passing(records, checks[name]) for name in names}


def _passing(records: Sequence[Recorded], check: Check) -> Estimate:
    results = [check(record) for record in records]
    clusters = [record.cluster or record.case_id for record in records]
    return clustered_share(
        [int(result is True) for result in results],
        [int(result is not None) for result in results],
        clusters,
    )


def _checks(rulebook: Rulebook, rationales: Mapping[str, int]) -> dict[str, Check]:
    return {
        "has a rationale": lambda r: len(r.verdict.rationale.strip()) >= _SHORTEST_RATIONALE,
        "rationale names what is cited": partial(_names_what_is_cited, rulebook),
        "rationale is about this case": lambda r: rationales[r.verdict.rationale.strip()] == 1,
        "speaks of no tool that gave no answer": _speaks_of_asked_tools,
        "cited sections exist": partial(_sections_exist, rulebook),
        "policy quotes stand": partial(_policy_quotes_stand, rulebook),
        "content quotes stand": _content_quotes_stand,
        "cites an acceptable section": _cites_an_acceptable_section,
        "argues against itself": _argues_against_itself,
        "abstention gives its reason": _abstention_gives_its_reason,
        "says why a person is needed": _says_why_a_person_is_needed,
        "looked at what the case holds": _looked_at_what_the_case_holds,
    }


def _names_what_is_cited(rulebook: Rulebook, record: Recorded) -> bool | None:
    grounds = record.verdict.violations
    if not grounds:
        return None
    sections = [(ground, rulebook.section(ground.section)) for ground in grounds]
    return all(
        any(
            name.casefold() in f"{record.verdict.rationale} {ground.why}".casefold()
            for name in (ground.section, section.title if section else ground.section)
        )
        for ground, section in sections
    )


def _speaks_of_asked_tools(record: Recorded) -> bool | None:
    grounding = record.seen.grounding
    return None if grounding is None else not grounding.names_unasked_tool


def _sections_exist(rulebook: Rulebook, record: Recorded) -> bool | None:
    cited = [ground.section for ground in record.verdict.violations]
    return all(rulebook.section(section) for section in cited) if cited else None


def _policy_quotes_stand(rulebook: Rulebook, record: Recorded) -> bool | None:
    grounds = record.verdict.violations
    if not grounds:
        return None
    texts = {s.id: _single_spaced(s.text) for s in rulebook.sections}
    return all(
        ground.policy_quote.strip()
        and _single_spaced(ground.policy_quote) in texts.get(ground.section, "")
        for ground in grounds
    )


def _content_quotes_stand(record: Recorded) -> bool | None:
    """Not for accounts: what they wrote stands in the records, not in the case."""
    grounds = record.verdict.violations
    if not grounds or record.case.kind != "content":
        return None
    sources = [record.case.text, *record.case.links]
    return all(
        ground.content_quote and any(ground.content_quote in source for source in sources)
        for ground in grounds
    )


def _cites_an_acceptable_section(record: Recorded) -> bool | None:
    if not record.expected.decision == record.verdict.decision == "violating":
        return None
    return any(g.section in record.expected.sections for g in record.verdict.violations)


def _argues_against_itself(record: Recorded) -> bool:
    against = record.verdict.counterargument.strip()
    return bool(against) and against != record.verdict.rationale.strip()


def _abstention_gives_its_reason(record: Recorded) -> bool | None:
    if record.verdict.decision != "abstain":
        return None
    return record.verdict.abstain_reason is not None


def _says_why_a_person_is_needed(record: Recorded) -> bool | None:
    if not record.verdict.needs_human:
        return None
    return any(why.strip() for why in record.verdict.needs_human_because)


def _looked_at_what_the_case_holds(record: Recorded) -> bool | None:
    asked = {evidence.tool for evidence in record.verdict.evidence}
    due = set()
    if record.case.links or "://" in record.case.text:
        due.add("url_reputation")
    if record.case.kind == "account":
        due.add("account_history")
    return due <= asked if due else None


def _single_spaced(text: str) -> str:
    return " ".join(text.split())

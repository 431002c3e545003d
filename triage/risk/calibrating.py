"""From a golden run to a certificate: count what a machine would have closed, and claim no more."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from errors import InputError, shown
from evals.golden import GoldenCase
from evals.risk.claims import DIRECTIONS, Budget, Direction, Verdicts, claims_of
from evals.risk.lines import Judged
from evals.run import Manifest, Recorded
from evals.seen import hashes_of, is_among, shipped_hashes
from policies.rulebook import Rulebook
from triage.risk.certificate import (
    SECONDS_PER_DAY,
    Certificate,
    CertifiedClaim,
    policy_of,
)


@dataclass(frozen=True)
class Terms:
    """What a calibration is asked for."""

    budget: Budget
    days: float = 90.0
    """How long the certificate is to stand."""
    by_policy: bool = True
    """Whether policies with cases enough get a claim of their own."""


def certificate_from(
    manifest: Manifest, records: Sequence[Recorded], rulebook: Rulebook, terms: Terms, *, now: float
) -> Certificate:
    """Return what a golden run supports; it may be that no claim does.

    Raises:
        InputError: The verdicts of the run do not come from one reviewer.
    """
    made_by = {json.dumps(r.verdict.provenance.model_dump(), sort_keys=True) for r in records}
    if len(made_by) != 1:
        raise InputError(
            f"the verdicts of this run come from {len(made_by)} different reviewers",
            hint="calibrate anew, with one model, one rulebook and the same tools",
        )
    provenance = records[0].verdict.provenance
    claims = claims_of(verdicts_of(records, rulebook), terms.budget, by_policy=terms.by_policy)
    return Certificate(
        golden=manifest.golden,
        cases=manifest.cases,
        rulebook=provenance.rulebook,
        model=provenance.model,
        prompts=provenance.prompts,
        tools=provenance.tools,
        confidence=terms.budget.confidence,
        claims=tuple(CertifiedClaim.of(claim) for claim in claims),
        made_at=now,
        until=now + terms.days * SECONDS_PER_DAY,
    )


def verdicts_of(records: Iterable[Recorded], rulebook: Rulebook) -> list[Verdicts]:
    """Return what a machine could have closed, by policy and direction, and what of it was wrong.

    Of cases that were made from one another one counts, drawn by a hash of its id, because a
    binomial test needs independent cases. What needs a person, and policies that are left to
    people, are not there: no machine closes them.
    """
    closable: dict[tuple[str, Direction], list[Judged]] = {}
    for record in _one_of_each_family(records):
        verdict = record.verdict
        policy_id = policy_of(verdict, rulebook)
        policy = rulebook.policy(policy_id)
        if verdict.needs_human or (policy is not None and policy.never_auto):
            continue
        for direction in DIRECTIONS:
            if verdict.decision == direction:
                judged = Judged(verdict.confidence, wrong=_is_wrong(record))
                closable.setdefault((policy_id, direction), []).append(judged)
    return [Verdicts(policy, way, judged) for (policy, way), judged in sorted(closable.items())]


def _is_wrong(record: Recorded) -> bool:
    """Whether closing would have been a mistake.

    So is closing a case that the rules do not settle, and removing one under a rule that it does
    not break: the author would be told the wrong reason.
    """
    verdict, expected = record.verdict, record.expected
    if verdict.decision != expected.decision:
        return True
    cited = {violation.section for violation in verdict.violations}
    return bool(cited) and not cited.intersection(expected.sections)


def _one_of_each_family(records: Iterable[Recorded]) -> Iterable[Recorded]:
    def family(record: Recorded) -> str:
        return record.cluster or f"#{record.case_id}"

    for _, members in groupby(sorted(records, key=family), key=family):
        yield min(members, key=lambda record: _hash(record.case_id))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def refuse_fitted(golden: Sequence[GoldenCase], rulebook: Rulebook) -> None:
    """Make sure that no golden case is one that the shipped models were fitted to.

    Raises:
        InputError: Some are; a claim about them would say nothing about other cases.
    """
    known = np.union1d(shipped_hashes(), hashes_of(_examples(rulebook)))
    seen = [one.case.id for one in golden if is_among(one.case.text, known)]
    if seen:
        named = ", ".join(shown(case_id) for case_id in seen[:3])
        raise InputError(
            f"{len(seen)} of {len(golden)} golden cases fitted the model, or are examples of the "
            f"rulebook: {named}",
            hint="calibrate on cases that nothing was fitted to, such as evals/sets/golden.jsonl",
        )


def _examples(rulebook: Rulebook) -> Iterable[str]:
    for section in rulebook.sections:
        yield from section.violates
        yield from section.allowed

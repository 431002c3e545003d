"""Audits: a person calls a closure without knowing the verdict; the answers are watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.case import Case
from agent.own_call import OwnCall
from agent.verdict import Verdict
from evals.risk.watch import Watch
from records.audits import (
    Answer,
    Audit,
    Count,
    answer_audit,
    audit_counts,
    next_audit,
    settle_overturned,
)
from records.certificates import KeptCertificate, latest_certificate
from records.store import Records
from triage.risk.certificate import Certificate, read_certificate


@dataclass(frozen=True)
class Audited:
    """What came of one audit."""

    case_id: str
    agrees: bool
    machine: str
    """What the machine had decided: told only now."""
    stopped: str
    """Why automatic closing has stopped, or nothing."""


@dataclass(frozen=True)
class ClaimWatch:
    """One claim, and what its audits have come to."""

    policies: tuple[str, ...]
    direction: str
    watch: Watch


def take_audit(records: Records, who: str, *, seconds: float, now: float) -> Audit | None:
    """Lend somebody the closure that has waited longest for its audit, or None."""
    kept = latest_certificate(records)
    if kept is not None:
        certificate = read_certificate(kept)
        settle_overturned(
            records,
            kept.number,
            now=now,
            verdict_on=lambda counts: broken_because(certificate, counts),
        )
    return next_audit(records, who, seconds=seconds, now=now)


def case_of(audit: Audit) -> Case:
    """Return the case as the auditor may see it."""
    return Case.model_validate_json(audit.content)


def say(records: Records, audit: Audit, who: str, call: OwnCall, *, now: float) -> Audited:
    """Keep what an auditor says; automatic closing stops where the claim no longer fits.

    The same counts as wrong as in the calibration: another decision, no decision, or a removal
    under a section that the auditor does not name.
    """
    verdict = Verdict.model_validate_json(audit.verdict)
    agrees = agrees_with(verdict, call)
    certificate = _certificate(records, audit.certificate)

    def verdict_on(counts: Mapping[int, Count]) -> str:
        return broken_because(certificate, counts) if certificate is not None else ""

    why = answer_audit(
        records, audit, Answer(who, call.said, not agrees), now=now, verdict_on=verdict_on
    )
    return Audited(audit.case_id, agrees, verdict.decision, why)


def agrees_with(verdict: Verdict, call: OwnCall) -> bool:
    """Return whether a closure was right by an auditor's call."""
    if call.decision != verdict.decision:
        return False
    cited = {violation.section for violation in verdict.violations}
    return not (cited and call.sections) or bool(cited.intersection(call.sections))


def watches(certificate: Certificate, counts: Mapping[int, Count]) -> list[ClaimWatch]:
    """Return how the audits stand, claim by claim."""
    return [
        ClaimWatch(claim.policies, claim.direction, _watch(certificate, number, counts))
        for number, claim in enumerate(certificate.claims)
        if claim.line is not None
    ]


def broken_because(certificate: Certificate, counts: Mapping[int, Count]) -> str:
    """Return why a certificate falls by its audits, or nothing."""
    for number, claim in enumerate(certificate.claims):
        watch = _watch(certificate, number, counts)
        if watch.broken:
            return (
                f"drift: {watch.mistakes} of {watch.audited} audited closures as "
                f"{claim.direction} were wrong, and at most {claim.limit:.1%} were claimed; "
                "automatic closing has stopped until a new certificate"
            )
    return ""


def standing(records: Records) -> tuple[KeptCertificate, Certificate, list[ClaimWatch]] | None:
    """Return the certificate that counts and how its audits stand, or None."""
    kept = latest_certificate(records)
    if kept is None:
        return None
    certificate = read_certificate(kept)
    return kept, certificate, watches(certificate, audit_counts(records, kept.number))


def _watch(certificate: Certificate, number: int, counts: Mapping[int, Count]) -> Watch:
    count = counts.get(number, Count(0, 0))
    limit = certificate.claims[number].limit
    return Watch(limit, certificate.alarm, count.audited, count.mistakes)


def _certificate(records: Records, number: int) -> Certificate | None:
    """The certificate that a closure fell under, where it is still the one that counts."""
    kept = latest_certificate(records)
    return read_certificate(kept) if kept is not None and kept.number == number else None

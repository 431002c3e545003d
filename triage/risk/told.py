"""Certificates and audits in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from records.certificates import KeptCertificate
from triage.risk.auditing import ClaimWatch
from triage.risk.certificate import Certificate, CertifiedClaim

_MANY_POLICIES = 3


def certificate_lines(certificate: Certificate) -> Iterator[str]:
    """Yield what a calibration came to, claim by claim."""
    for claim in certificate.claims:
        yield f"{_policies(claim.policies)}, closing as {claim.direction}: {_line(claim)}"
    if not certificate.claims:
        yield "the golden set led to no verdict that a machine may close"
    if certificate.closes_anything:
        yield (
            f"all of this holds with {certificate.confidence:.0%} confidence, for cases like those "
            f"of the golden set, until {_day(certificate.until)}"
        )
    else:
        yield "everything goes to a person"


def audit_lines(kept: KeptCertificate, found: Sequence[ClaimWatch], waiting: int) -> Iterator[str]:
    """Yield how the audits of a certificate stand."""
    state = f"stopped: {kept.why}" if kept.stopped_at is not None else "stands"
    yield f"certificate {kept.number} of {_day(kept.made_at)}, until {_day(kept.until)}: {state}"
    for one in found:
        watch = one.watch
        yield (
            f"{_policies(one.policies)}, closed as {one.direction}: {watch.audited:,} audited, "
            f"{watch.mistakes:,} wrong, at most {watch.limit:.1%} claimed; evidence against it "
            f"{watch.evidence:.2g}, stops at {1 / watch.alarm:.0f}"
        )
    yield f"{waiting:,} closures wait for an auditor"


def _line(claim: CertifiedClaim) -> str:
    if claim.line is not None and claim.bound is not None:
        return (
            f"from a confidence of {claim.line:.4g} on ({claim.mistakes} of {claim.closed} wrong, "
            f"at most {claim.bound:.1%}; {claim.limit:.1%} may be)"
        )
    told = (
        f"nothing, {claim.mistakes_among_all} of {claim.verdicts} are wrong and the data do not "
        f"show that {claim.limit:.1%} can be kept"
    )
    if claim.more is None:
        return f"{told}; more cases alone would not help"
    return f"{told}; about {claim.more:,} more such verdicts would, erring no more than here"


def _policies(policies: Sequence[str]) -> str:
    if len(policies) <= _MANY_POLICIES:
        return ", ".join(policies)
    return f"{', '.join(policies[:_MANY_POLICIES])} and {len(policies) - _MANY_POLICIES} more"


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).date().isoformat()

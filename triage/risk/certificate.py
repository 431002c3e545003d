"""A certificate: which claims were shown, on what data, for which rules and model, until when."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Self

from pydantic import Field, ValidationError

from agent.case import Frozen
from agent.verdict import Provenance, Verdict
from errors import RecordsError
from evals.risk.claims import Claim, Direction
from policies.rulebook import Rulebook
from records.certificates import KeptCertificate

SECONDS_PER_DAY = 86_400.0
_CLOCK_SLIP = 300.0
NO_POLICY = "none"
"""Stands for the policy of a verdict that considered no section."""


class CertifiedClaim(Frozen):
    """One claim: from a confidence on, mistakes are rarer than the bound; or it was not shown."""

    policies: tuple[str, ...]
    direction: Direction
    limit: float
    """Most mistakes among what is closed, as it was set beforehand."""
    verdicts: int
    mistakes_among_all: int
    risk: float
    """The chance that this claim is wrong."""
    line: float | None = None
    """Close from this confidence on; None: nothing."""
    closed: int = 0
    """How many golden cases lie at or above the line."""
    mistakes: int = 0
    bound: float | None = None
    more: int | None = None
    """Without a line: about how many more verdicts would do; None where no number would."""

    @classmethod
    def of(cls, claim: Claim) -> Self:
        """Return a claim as a certificate has it."""
        line = claim.line
        return cls(
            policies=claim.policies,
            direction=claim.direction,
            limit=claim.limit,
            verdicts=claim.n,
            mistakes_among_all=claim.mistakes,
            risk=claim.risk,
            line=line.confidence if line else None,
            closed=line.n if line else 0,
            mistakes=line.mistakes if line else 0,
            bound=line.bound if line else None,
            more=claim.more,
        )


class Certificate(Frozen):
    """What a machine may close, and what that rests on."""

    golden: str
    """Hash of the golden cases."""
    cases: int = Field(ge=1)
    rulebook: str
    model: str
    prompts: str
    tools: Mapping[str, str]
    confidence: float
    """The chance that all claims hold."""
    claims: tuple[CertifiedClaim, ...]
    made_at: float
    """Seconds since 1970."""
    until: float

    @property
    def id(self) -> str:
        """A hash of everything in it."""
        return "sha256:" + hashlib.sha256(self.body.encode()).hexdigest()

    @property
    def body(self) -> str:
        """The certificate as it is kept."""
        return self.model_dump_json()

    @property
    def closes_anything(self) -> bool:
        """Whether any claim was shown."""
        return any(claim.line is not None for claim in self.claims)

    @property
    def alarm(self) -> float:
        """The chance, for each claim, that the audits stop it although it holds."""
        return (1 - self.confidence) / max(1, len(self.claims))

    def claim_on(self, verdict: Verdict, rulebook: Rulebook) -> int | None:
        """Return the number of the claim that speaks of a verdict, or None."""
        policy = policy_of(verdict, rulebook)
        for number, claim in enumerate(self.claims):
            if claim.direction == verdict.decision and policy in claim.policies:
                return number
        return None


def read_certificate(kept: KeptCertificate) -> Certificate:
    """Return the certificate that the records hold.

    Raises:
        RecordsError: It is none, or not the one that it was.
    """
    try:
        certificate = Certificate.model_validate_json(kept.body)
    except ValidationError:
        certificate = None
    if certificate is None or certificate.id != kept.id:
        raise RecordsError(
            f"certificate {kept.number} is not as it was kept",
            hint="the records were edited; calibrate anew, and run: amicus ledger verify",
        )
    return certificate


def void_because(kept: KeptCertificate, certificate: Certificate, *, now: float) -> str:
    """Return why a certificate closes nothing any more, or nothing if it stands."""
    if kept.stopped_at is not None:
        return kept.why
    if now >= certificate.until:
        return "the certificate has expired"
    if now < certificate.made_at - _CLOCK_SLIP:
        return "the clock stands before the day of the certificate"
    if not certificate.closes_anything:
        return "the calibration could not show that any line is safe"
    return ""


def misfit(certificate: Certificate, provenance: Provenance) -> str:
    """Return what of a verdict is not what was certified, or nothing."""
    for name in ("rulebook", "model", "prompts", "tools"):
        if _plainly(getattr(certificate, name)) != _plainly(getattr(provenance, name)):
            what = "other tools" if name == "tools" else f"another {name.removesuffix('s')}"
            return f"the certificate is for {what}"
    return ""


def _plainly(value: object) -> object:
    """Return a mapping as a plain dict, anything else as it is, so that both can be compared."""
    return dict(value) if isinstance(value, Mapping) else value


def policy_of(verdict: Verdict, rulebook: Rulebook) -> str:
    """Return the policy that a verdict is counted under: that of its first section.

    For a violation that is the worst one cited; for what is allowed, the section that retrieval
    found to be nearest. It depends on the verdict alone, never on the right answer.
    """
    cited = [violation.section for violation in verdict.violations]
    for name in cited or verdict.sections_considered[:1]:
        section = rulebook.section(name)
        return section.policy if section is not None else NO_POLICY
    return NO_POLICY

"""What a certificate closes: the closing policy behind which every brake is asked first."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from agent.verdict import Verdict
from policies.rulebook import Action, Rulebook
from records.audits import Draw, audit_counts, audits_waiting, draw_audit
from records.certificates import KeptCertificate, Switch, closing_state
from records.quotas import day_of, take_quota
from records.refusals import PassingRefusalError
from records.store import Records
from triage.closing import Closing
from triage.risk.auditing import broken_because
from triage.risk.brakes import Brakes
from triage.risk.certificate import (
    Certificate,
    CertifiedClaim,
    misfit,
    read_certificate,
    void_because,
)

REFRESH = 1.0
"""Seconds for which the state of certificate and switch is believed."""
_BLOCKS = 50
"""A quota is reserved in so many pieces, so that closing does not wait for a disk each time."""
_ALL = 1 << 64


@dataclass(frozen=True)
class _State:
    """What closing rests on, as it was at one moment."""

    kept: KeptCertificate | None
    certificate: Certificate | None
    because: str
    """Why nothing closes, or nothing."""


class CertifiedClosing:
    """Closes what the latest certificate covers, and nothing else. Safe to share between threads.

    Shadow mode and the floors of the rulebook stand before it (`triage.closing.Braked`); the switch
    in the records, expiry, drift, quotas and the floors of `brakes.toml` are its own. Where the
    records cannot be asked, nothing is closed.
    """

    def __init__(
        self,
        records: Records,
        rulebook: Rulebook,
        brakes: Brakes,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """Bind what is asked.

        Args:
            records: Where certificate, switch, quotas and audits are.
            rulebook: The one that verdicts are given under.
            brakes: The page of brakes.
            clock: Seconds since 1970.
            monotonic: Seconds that never go back.
        """
        self._records = records
        self._rulebook = rulebook
        self._brakes = brakes
        self._clock = clock
        self._monotonic = monotonic
        self._lock = Lock()
        self._state = _State(None, None, "")
        self._read_at = float("-inf")
        self._reserved: dict[tuple[str, Action], int] = {}

    def may_close(self, verdict: Verdict) -> Closing:
        """Close the verdict if a certificate covers it and no brake holds."""
        with self._lock:
            try:
                return self._closing(verdict)
            except PassingRefusalError as error:
                return _stays(f"the records could not be asked: {error.message}")

    def _closing(self, verdict: Verdict) -> Closing:
        now = self._clock()
        state = self._standing(now)
        if state.kept is None or state.certificate is None or state.because:
            return _stays(state.because)
        because = _floor(verdict) or self._brakes.floors.hit(verdict)
        because = because or misfit(state.certificate, verdict.provenance)
        if because:
            return _stays(because)
        number = state.certificate.claim_on(verdict, self._rulebook)
        if number is None:
            return _stays("the certificate says nothing of such cases")
        claim = state.certificate.claims[number]
        because = _under_the_line(verdict, claim) or self._quota(verdict.action, now)
        if because:
            return _stays(because)
        if is_drawn(state.kept.audit_key, verdict.case_id, self._brakes.audit_share):
            draw_audit(self._records, Draw(verdict.case_id, state.kept.number, number), now=now)
        return Closing(
            closes=True,
            because=(
                f"certificate {state.kept.number}: {claim.direction} from {claim.line:.4g} on; "
                f"at most {claim.limit:.1%} of such closures are wrong "
                f"({state.certificate.confidence:.0%} sure)"
            ),
        )

    def _standing(self, now: float) -> _State:
        """The certificate and the switch, read anew when they are older than a second."""
        moment = self._monotonic()
        if moment - self._read_at >= REFRESH:
            self._state = self._read(now)
            self._read_at = moment
        return self._state

    def _read(self, now: float) -> _State:
        kept, switch = closing_state(self._records)
        if switch.off:
            return _State(kept, None, _told(switch))
        if kept is None:
            return _State(None, None, "no certificate allows a machine to close cases")
        certificate = read_certificate(kept)
        because = void_because(kept, certificate, now=now)
        because = because or broken_because(certificate, audit_counts(self._records, kept.number))
        if not because:
            waiting = audits_waiting(self._records, kept.number)
            if waiting >= self._brakes.most_waiting_audits:
                because = f"{waiting:,} closures wait for an audit: amicus triage audit"
        return _State(kept, certificate, because)

    def _quota(self, action: Action, now: float) -> str:
        """Take one of today's closures; return why there is none, or nothing."""
        most = self._brakes.quotas.get(action)
        if most is None:
            return ""
        today = (day_of(now), action)
        if not self._reserved.get(today):
            wanted = max(1, most // _BLOCKS)
            granted = take_quota(self._records, action, wanted=wanted, most=most, now=now)
            self._reserved[today] = granted
        if not self._reserved[today]:
            return f"the quota of {most:,} decisions of kind '{action}' a day is used up"
        self._reserved[today] -= 1
        return ""


def is_drawn(key: bytes, case_id: str, share: float) -> bool:
    """Return whether a case is audited: fixed for each case, and nobody outside can tell.

    >>> sum(is_drawn(b"key", f"c-{n}", 0.02) for n in range(10_000))
    197
    """
    digest = hmac.new(key, case_id.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") < share * _ALL


def _floor(verdict: Verdict) -> str:
    """What holds for every closing policy; said here again, so that this one is safe by itself."""
    if verdict.decision == "abstain":
        return "an abstention decides nothing"
    return "a person has to look at it" if verdict.needs_human else ""


def _under_the_line(verdict: Verdict, claim: CertifiedClaim) -> str:
    if claim.line is None:
        return f"no line was shown to be safe for closing such cases as {claim.direction}"
    if verdict.confidence < claim.line:
        return f"its confidence {verdict.confidence:.4g} is under the line {claim.line:.4g}"
    return ""


def _told(switch: Switch) -> str:
    why = f": {switch.why}" if switch.why else ""
    return f"automatic closing was switched off by {switch.turned_by}{why}"


def _stays(because: str) -> Closing:
    return Closing(closes=False, because=because)

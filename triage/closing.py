"""May a machine close a case? Unless somebody has shown that it is safe: no.

Risk control implements `ClosingPolicy`. Whatever it says, the floors below hold: an abstention, a
case that needs a person, and a policy that is left to people are never closed by a machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent.verdict import Verdict
from policies.rulebook import Rulebook


@dataclass(frozen=True)
class Closing:
    """Whether a verdict closes its case, and why."""

    closes: bool
    because: str
    """Plain words; they stand in the ledger, and before the person who gets the case."""


class ClosingPolicy(Protocol):
    """Says which verdicts close their cases."""

    def may_close(self, verdict: Verdict) -> Closing:
        """Return whether the machine's verdict closes the case; asked once for each verdict."""


class NothingCloses:
    """The policy without a certificate: every case goes on to a person."""

    def may_close(self, verdict: Verdict) -> Closing:
        """Close nothing."""
        del verdict
        return Closing(closes=False, because="no certificate allows a machine to close cases")


class Braked:
    """Another policy under the floors, with a kill switch and a shadow mode."""

    def __init__(
        self,
        policy: ClosingPolicy,
        rulebook: Rulebook,
        *,
        stopped: Callable[[], bool] = lambda: False,
        shadow: bool = False,
    ) -> None:
        """Put the brakes on.

        Args:
            policy: What would close cases.
            rulebook: Says which policies are left to people.
            stopped: The kill switch, asked for every verdict.
            shadow: Record what would have been closed, and close nothing.
        """
        self._policy = policy
        self._rulebook = rulebook
        self._stopped = stopped
        self._shadow = shadow

    def may_close(self, verdict: Verdict) -> Closing:
        """Ask the policy, if no brake holds."""
        floor = self._floor(verdict)
        if floor:
            return Closing(closes=False, because=floor)
        if self._stopped():
            return Closing(closes=False, because="the kill switch is on")
        closing = self._policy.may_close(verdict)
        if closing.closes and self._shadow:
            return Closing(closes=False, because=f"shadow mode; would close: {closing.because}")
        return closing

    def _floor(self, verdict: Verdict) -> str:
        if verdict.decision == "abstain":
            return f"no opinion: {str(verdict.abstain_reason).replace('_', ' ')}"
        if verdict.needs_human:
            return "; ".join(verdict.needs_human_because) or "a person has to look at it"
        for violation in verdict.violations:
            section = self._rulebook.section(violation.section)
            policy = self._rulebook.policy(section.policy) if section else None
            if policy is None or policy.never_auto:
                return f"a machine never closes a case under {violation.section}"
        return ""

"""When a case is due: the formula of `priority.toml`, which says what each figure means.

Cases are ordered by the moment at which they are due (earliest deadline first: Liu and Layland
1973, which meets every deadline that can be met). That order never changes by waiting, so it is
stored once, and the worst and oldest case is found by an index however many wait.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.case import Case
from agent.verdict import Verdict
from errors import InputError, shown
from policies.rulebook import Rulebook, Severity

Share = Annotated[float, Field(gt=0, le=1)]
Factor = Annotated[float, Field(gt=0, le=1_000)]
Minutes = Annotated[float, Field(gt=0, le=525_600)]


class _Page(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Bounds(_Page):
    least: Factor
    most: Factor


class _Severities(_Page):
    unknown: Factor
    low: Factor
    medium: Factor
    high: Factor
    critical: Factor

    def of(self, severity: Severity | None) -> float:
        return float(getattr(self, severity or "unknown"))


class _Probability(_Page):
    reported: Share
    unreported: Share


class _Doubt(_Page):
    full: Share
    least: Share


class _Reach(_Page):
    per_tenfold: Annotated[float, Field(ge=0, le=10)]


class _Reports(_Page):
    per_doubling: Annotated[float, Field(ge=0, le=10)]


class PriorityPage(_Page):
    """The page of policy, as it is written."""

    weight: _Bounds
    severity: _Severities
    probability: _Probability
    doubt: _Doubt
    reach: _Reach
    reports: _Reports
    deadlines: dict[str, Minutes]
    reasons: dict[str, str] = {}


@dataclass(frozen=True)
class Urgency:
    """When a case is due, in seconds since 1970, and the policy that its deadline came from."""

    due: float
    policy: str


class Priority:
    """The formula under one rulebook."""

    def __init__(self, page: PriorityPage, rulebook: Rulebook) -> None:
        self._page = page
        self._rulebook = rulebook
        self._minutes = {policy.id: self._deadline(policy.id) for policy in rulebook.policies}
        self._policy_of = self._meanings()

    def on_arrival(self, case: Case, *, now: float) -> Urgency:
        """Return when a case is due that nobody has looked at."""
        named = {self._policy_of.get(_plain(report.reason), "") for report in case.reports}
        policy = self._most_pressing(named)
        chance = self._page.probability
        likely = chance.reported if _reports(case) else chance.unreported
        weight = self._page.severity.unknown * likely * self._spread(case)
        return self._urgency(policy, weight, since=now)

    def for_person(self, case: Case, verdict: Verdict, *, arrived: float) -> Urgency:
        """Return when a person should see a case: doubt x severity, from when it arrived."""
        cited = (self._rulebook.section(v.section) for v in verdict.violations)
        policy = self._most_pressing({section.policy for section in cited if section is not None})
        if not policy:
            policy = self.on_arrival(case, now=arrived).policy
        weight = self._page.severity.of(verdict.severity) * self._doubt(verdict)
        return self._urgency(policy, weight * self._spread(case), since=arrived)

    def _urgency(self, policy: str, weight: float, *, since: float) -> Urgency:
        bounds = self._page.weight
        minutes = self._minutes.get(policy, self._page.deadlines["default"])
        return Urgency(since + 60 * minutes / min(bounds.most, max(bounds.least, weight)), policy)

    def _spread(self, case: Case) -> float:
        reach = 1 + self._page.reach.per_tenfold * math.log10(max(1, case.reach or 1))
        return reach * (1 + self._page.reports.per_doubling * math.log2(1 + _reports(case)))

    def _doubt(self, verdict: Verdict) -> float:
        doubt = self._page.doubt
        if verdict.needs_human or verdict.decision == "abstain":
            return doubt.full
        return max(doubt.least, 1 - verdict.confidence)

    def _most_pressing(self, policies: set[str]) -> str:
        known = [policy for policy in policies if policy in self._minutes]
        return min(known, key=lambda policy: (self._minutes[policy], policy), default="")

    def _deadline(self, policy_id: str) -> float:
        named = self._page.deadlines.get(policy_id)
        if named is not None:
            return named
        policy = self._rulebook.policy(policy_id)
        kind = "never_auto" if policy is not None and policy.never_auto else "default"
        return self._page.deadlines[kind]

    def _meanings(self) -> Mapping[str, str]:
        """What a report's reason means: a policy, one of its signals, or what the page says."""
        meanings: dict[str, str] = {}
        pressing = sorted(self._minutes, key=lambda policy: -self._minutes[policy])
        for policy_id in pressing:  # the most pressing last: it has the last word on a signal
            policy = self._rulebook.policy(policy_id)
            meanings |= dict.fromkeys(policy.signals if policy else (), policy_id)
        meanings |= {_plain(reason): policy for reason, policy in self._page.reasons.items()}
        return meanings | {_plain(policy_id): policy_id for policy_id in self._minutes}


def read_priority(path: Path | None, rulebook: Rulebook) -> Priority:
    """Read a page of priorities; the shipped one where none is named.

    Deadlines and reasons may name policies that this rulebook does not have: they say nothing then.

    Raises:
        InputError: The page cannot be read, or a figure of it makes no sense.
    """
    source = path or files("triage") / "priority.toml"
    name = str(path) if path else "triage/priority.toml"
    try:
        told = tomllib.loads(source.read_text(encoding="utf-8"))
        page = PriorityPage.model_validate(told)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {shown(name, 200)}: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"{shown(name, 200)} is no TOML: {error}", hint="compare it with triage/priority.toml"
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{shown(name, 200)}: {place}: {first['msg']}, not {shown(first['input'])}",
            hint="compare it with triage/priority.toml, which explains each figure",
        ) from None
    missing = {"default", "never_auto"} - page.deadlines.keys()
    if missing:
        raise InputError(
            f"{shown(name, 200)}: deadlines does not say {min(missing)}",
            hint="a deadline in minutes for policies that are not named",
        )
    return Priority(page, rulebook)


def _plain(reason: str) -> str:
    return reason.strip().lower().replace(" ", "_").replace("-", "_")


def _reports(case: Case) -> int:
    return sum(report.count for report in case.reports)

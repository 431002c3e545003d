"""The noise floor: how often a verdict moves although nothing that matters was changed.

A model that draws its answers is asked again under the same wording (an A/A run). A model that
repeats itself would show no noise in this way and has some all the same: it reads words, and any
other words move it a little. It is shown rewordings that change no rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from statistics import fmean
from typing import Literal

from agent.verdict import Verdict
from errors import RulebookError
from evals.distributions import binomial_cdf
from evals.wording.difference import Difference
from evals.wording.flips import kind_of
from evals.wording.harmless import rewordings
from evals.wording.judging import Judged, Pace, verdicts_of
from evals.wording.side_by_side import Sides
from evals.wording.writing import with_section
from policies.rulebook import Rulebook, Section

LEVEL = 0.01
"""Of the test whether an edit is read as another rule."""
LEAST_MOVE = 0.01
MOST_LIKE_NOISE = 2.0
"""An edit that moves cases less than so many times as far as noise may be a rewording too."""
TINY = 1e-3
"""Steps of the leaning that are no step."""


@dataclass(frozen=True)
class Reading:
    """How far the leaning of the reviewer moves: under the edit, and under harmless rewordings.

    Many edits are read otherwise long before a verdict turns. A harmless rewording is one of many,
    and were the edit one more of them, it would move a case the furthest as often as any other.
    """

    further: int
    """Cases that the edit moves further than any rewording does."""
    of: int
    """Cases that anything moves."""
    p: float
    """The chance of so many, were the edit a harmless rewording too (binomial, one-sided)."""
    moved: float
    """How far the edit moves a case on average, from 0 to 1."""
    moved_by_noise: float
    """The same for the rewording that moves it furthest."""

    @property
    def is_other(self) -> bool:
        """Whether the reviewer reads another rule: surely, and by enough to matter."""
        far = self.moved >= max(LEAST_MOVE, MOST_LIKE_NOISE * self.moved_by_noise)
        return self.p < LEVEL and far


@dataclass(frozen=True)
class Noise:
    """Verdicts that moved for no reason, of so many tries."""

    kind: Literal["second_run", "rewording"]
    flips: int
    tries: int
    reviews: int
    """What it took to find out, beside the comparison itself."""
    reading: Reading | None = None
    """Whether the edit is read as another rule; told where rewordings were tried."""

    @property
    def rate(self) -> float:
        """Share of verdicts that noise alone moves."""
        return self.flips / self.tries if self.tries else 0.0


def noise_of(
    touched: Sequence[Judged], sides: Sides, edited: Difference, old: Rulebook, pace: Pace
) -> Noise | None:
    """Return the noise floor on the cases that the edit can touch; None without repeats.

    Args:
        touched: These cases, judged.
        sides: The reviewers of the comparison.
        edited: What was edited: harmless rewordings are made of the same sections.
        old: The old wording.
        pace: Of k repeats k - 1 serve to measure noise.
    """
    if pace.repeats < 2 or not touched:  # noqa: PLR2004 - one run says nothing about noise
        return None
    if not sides.repeats_itself:
        return _second_runs(touched)
    sections = [edit.old for edit in edited.sections if edit.old is not None]
    variants = reworded_rulebooks(old, sections, pace.repeats - 1)
    quiet = replace(pace, on_progress=lambda _done, _total: None)
    cases = [one.item.case for one in touched]
    rounds = [verdicts_of(sides.another(variant), cases, quiet) for variant in variants]
    if not rounds:
        return None
    moved = [
        kind_of(one.old, verdict) is not None
        for verdicts in rounds
        for one, verdict in zip(touched, verdicts, strict=True)
    ]
    return Noise("rewording", sum(moved), len(moved), len(moved), _reading(touched, rounds))


def _reading(touched: Sequence[Judged], rounds: Sequence[Sequence[Verdict]]) -> Reading:
    """Compare, case by case, how far the edit and the rewordings move the leaning."""
    by_edit = [abs(leaning(one.new) - leaning(one.old)) for one in touched]
    by_noise = [
        max(abs(leaning(verdict) - leaning(one.old)) for verdict in others)
        for one, others in zip(touched, zip(*rounds, strict=True), strict=True)
    ]
    steps = [edit - noise for edit, noise in zip(by_edit, by_noise, strict=True)]
    further, less = sum(s > TINY for s in steps), sum(s < -TINY for s in steps)
    chance = 1 / (len(rounds) + 1)
    below = binomial_cdf(further - 1, further + less, chance) if further else 0.0
    return Reading(further, further + less, 1 - below, fmean(by_edit), fmean(by_noise))


def leaning(verdict: Verdict) -> float:
    """Return how far a verdict leans towards `violating`, from 0 to 1; an abstention is between."""
    if verdict.decision == "abstain":
        return 0.5
    half = verdict.confidence / 2
    return 0.5 + half if verdict.decision == "violating" else 0.5 - half


def _second_runs(touched: Sequence[Judged]) -> Noise:
    pairs = [
        (verdicts[0], other)
        for one in touched
        if not one.failed
        for verdicts in (one.olds, one.news)
        for other in verdicts[1:]
    ]
    return Noise("second_run", sum(kind_of(*p) is not None for p in pairs), len(pairs), 0)


def reworded_rulebooks(old: Rulebook, sections: Sequence[Section], most: int) -> list[Rulebook]:
    """Return rulebooks in which `sections` are reworded harmlessly, each in another way."""
    made: list[Rulebook] = []
    options = [list(islice(rewordings(section), most)) for section in sections]
    for number in range(most):
        variant = old
        for rewordings_of_one in options:
            if number < len(rewordings_of_one):
                variant = _exchanged(variant, rewordings_of_one[number])
        if variant is not old and variant.id not in {one.id for one in made}:
            made.append(variant)
    return made


def _exchanged(rulebook: Rulebook, section: Section) -> Rulebook:
    try:
        return with_section(rulebook, section)
    except RulebookError:
        # A section that cannot be written back says nothing about noise.
        return rulebook

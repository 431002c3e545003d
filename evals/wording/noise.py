"""The noise floor: how often a verdict moves although nothing that matters was changed.

A model that draws its answers is asked again under the same wording (an A/A run). A model that
repeats itself would show no noise in this way and has some all the same: it reads words, and any
other words move it a little. It is shown rewordings that change no rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from errors import RulebookError
from evals.wording.difference import Difference
from evals.wording.flips import kind_of
from evals.wording.harmless import rewordings
from evals.wording.judging import Judged, Pace, verdicts_of
from evals.wording.side_by_side import Sides
from evals.wording.writing import with_section
from policies.rulebook import Rulebook, Section


@dataclass(frozen=True)
class Noise:
    """Verdicts that moved for no reason, of so many tries."""

    kind: Literal["second_run", "rewording"]
    flips: int
    tries: int
    reviews: int
    """What it took to find out, beside the comparison itself."""

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
    flips = tries = 0
    quiet = replace(pace, on_progress=lambda _done, _total: None)
    for variant in variants:
        reviewer = sides.another(variant)
        verdicts = verdicts_of(reviewer, [one.item.case for one in touched], quiet)
        for one, verdict in zip(touched, verdicts, strict=True):
            tries += 1
            flips += kind_of(one.old, verdict) is not None
    return Noise("rewording", flips, tries, tries) if tries else None


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

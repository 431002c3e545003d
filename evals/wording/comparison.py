"""Two wordings of the rules over the same cases: what changed, and whether that is real."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

from agent.case import Case
from evals.compare.change import Change
from evals.compare.comparison import change_data
from evals.estimate import finite
from evals.golden import GoldenCase
from evals.significance import fisher, mcnemar
from evals.wording.difference import Difference, SectionEdit, difference, part_differences
from evals.wording.early import Early, judge_until_clear
from evals.wording.figures import (
    DRAWS,
    Paired,
    Shift,
    Sight,
    by_slice,
    changes,
    paired,
    sight,
    whole_shift,
)
from evals.wording.flips import Flip, flip_data, flips_of
from evals.wording.impact import MINUTES_A_CASE, Impact, impact, impact_data
from evals.wording.judging import Item, Judged, Pace, judge_both
from evals.wording.leaning import Leanings, leanings
from evals.wording.noise import Noise, noise_of
from evals.wording.side_by_side import Sides
from evals.wording.texts import Wordings
from evals.wording.touched import Reach, everything, reach

Real = Literal[True, False, "undecided"]
LEVEL = 0.05


@dataclass(frozen=True)
class Scope:
    """How much of the set was judged."""

    cases: int
    touched: int
    sampled: int
    left: int
    """Cases that were judged under neither wording, since the edit cannot touch them."""
    failed: int
    """Cases on which a model gave no answer; they say nothing about the wording."""
    sample_held: bool
    """Whether no case moved that should not have; otherwise all were judged."""
    reviews: int


@dataclass(frozen=True)
class WordingComparison:
    """What a new wording changes."""

    names: tuple[str, str]
    model: str
    edited: Difference
    scope: Scope
    flips: Sequence[Flip]
    metrics: Mapping[str, Change]
    whole: Shift | None
    """How all cases with a known answer moved; None where no answer is known."""
    slices: Mapping[str, Sequence[Shift]]
    sight: Sight | None
    noise: Noise | None
    lean: Leanings | None
    """How far the cases lean otherwise; None where the model cannot say."""
    real: Real
    judged: Sequence[Judged]
    impact: Impact | None = None
    """What it would do to a day's work; asked for past cases."""
    early: Early | None = None
    """How far it has come, where it might stop early."""


@dataclass(frozen=True)
class Plan:
    """How a comparison goes about it."""

    pace: Pace = Pace()  # noqa: RUF009 - frozen
    judge_all: bool = False
    """Judge every case under both wordings, touched or not."""
    seed: int = 0
    draws: int = DRAWS
    """Resamples behind every interval."""
    per_day: float | None = None
    """Cases a day; None is as past cases tell."""
    minutes: float = MINUTES_A_CASE
    """What a person needs for a case."""
    stop_early: bool = False
    """Stop as soon as it is clear which wording is right more often; needs known answers."""


def compare_wordings(
    wordings: Wordings, sides: Sides, cases: Sequence[GoldenCase | Case], plan: Plan
) -> WordingComparison:
    """Return what the new wording changes over `cases`, everything else held fixed.

    Args:
        wordings: The rules before and after.
        sides: Their reviewers.
        cases: Golden cases, or cases without a known answer.
        plan: Repeats, threads, and whether a case may be left out.
    """
    items = [_item(case) for case in cases]
    named = [section for item in items if item.golden for section in item.golden.expected.sections]
    edited = difference(wordings.old.rulebook, wordings.new.rulebook, cited=named)
    found = _reach(items, sides, edited, plan)
    judged, held, early = _judge(items, sides, found, plan)
    flips = flips_of(judged, edited)
    reached = {items[number].case.id for number in found.touched}
    touched = [one for one in judged if one.item.case.id in reached]
    noise = noise_of(touched, sides, edited, wordings.old.rulebook, plan.pace)
    lean = leanings(touched, sides, edited)
    pairs = paired(judged)
    whole = whole_shift(pairs) if pairs.old else None
    return WordingComparison(
        names=(wordings.old.name, wordings.new.name),
        model=sides.old.model_name,
        edited=edited,
        scope=_scope(items, found, judged, held=held, noise=noise),
        flips=flips,
        metrics=changes(pairs, draws=plan.draws),
        whole=whole,
        slices=by_slice(pairs),
        sight=sight(pairs) if pairs.old else None,
        noise=noise,
        lean=lean,
        real=early.real or "undecided" if early else _is_real(flips, touched, whole, noise, lean),
        judged=judged,
        impact=_impact(judged, plan),
        early=early,
    )


def _judge(
    items: Sequence[Item], sides: Sides, found: Reach, plan: Plan
) -> tuple[list[Judged], bool, Early | None]:
    """Judge what the edit can touch, with the sample; or only until it is clear."""
    touched = [items[number] for number in found.touched]
    if not plan.stop_early or not touched or not all(item.golden for item in touched):
        return *judge_both(items, sides, found, plan.pace), None
    judged, early = judge_until_clear(touched, sides, plan.pace, seed=plan.seed)
    sample, held = judge_both(items, sides, replace(found, touched=()), plan.pace)
    return [*judged, *sample], held, early


def _impact(judged: Sequence[Judged], plan: Plan) -> Impact | None:
    """For past cases: what golden cases would do to a day says nothing, they are chosen."""
    past = all(one.item.golden is None for one in judged)
    if not past and plan.per_day is None:
        return None
    return impact(judged, a_day=plan.per_day, minutes=plan.minutes)


def _item(case: GoldenCase | Case) -> Item:
    return Item(case.case, case) if isinstance(case, GoldenCase) else Item(case)


def _reach(items: Sequence[Item], sides: Sides, edited: Difference, plan: Plan) -> Reach:
    cases = [item.case for item in items]
    if plan.judge_all:
        return everything(cases)
    if edited.is_empty:
        return Reach((), (), tuple(range(len(cases))))
    kinds = [item.answer for item in items]
    return reach(cases, kinds, (sides.old.desk, sides.new.desk), edited, seed=plan.seed)


def _scope(
    items: Sequence[Item],
    found: Reach,
    judged: Sequence[Judged],
    *,
    held: bool,
    noise: Noise | None,
) -> Scope:
    reviews = sum(len(one.olds) + len(one.news) for one in judged)
    return Scope(
        cases=len(items),
        touched=len(found.touched),
        sampled=len(found.sampled),
        left=len(items) - len(judged),
        failed=sum(one.failed for one in judged),
        sample_held=held,
        reviews=reviews + (noise.reviews if noise else 0),
    )


def _is_real(
    flips: Sequence[Flip],
    touched: Sequence[Judged],
    whole: Shift | None,
    noise: Noise | None,
    lean: Leanings | None,
) -> Real:
    """Whether the wording moves verdicts by more than chance.

    No flip at all is no change. Flips that a harmless rewording or a second run makes as often are
    none either. One direction that is too one-sided for chance is a change, and so are more flips
    than noise makes. A handful of flips without either is noise where the cases lean as before, and
    undecided elsewhere.
    """
    if not flips:
        return False
    n = sum(not one.failed for one in touched)
    if (
        noise is not None
        and len(flips) * noise.tries <= noise.flips * n
        and not _other(noise, lean)
    ):
        return False
    if whole is not None and min(whole.p, whole.p_removed) < LEVEL / 2:
        return True
    if whole is None and _one_sided(flips):
        return True
    if noise is not None and fisher(len(flips), n, noise.flips, noise.tries) < LEVEL:
        return True
    return False if lean is not None and lean.is_alike else "undecided"


def _other(noise: Noise, lean: Leanings | None) -> bool:
    """Whether the edit is read as another rule, as far as anything tells."""
    if lean is not None:
        return lean.is_other
    return noise.reading is not None and noise.reading.is_other


def _one_sided(flips: Sequence[Flip]) -> bool:
    kinds = Counter(flip.kind for flip in flips)
    return mcnemar(kinds["became_violating"], kinds["became_allowed"]) < LEVEL


def comparison_data(told: WordingComparison) -> dict[str, object]:
    """Return a comparison as JSON data: the names of DESIGN 8, and what stands beside them."""
    return {
        "old": told.names[0],
        "new": told.names[1],
        "model": told.model,
        "real": told.real,
        "scope": asdict(told.scope),
        "notices": [asdict(notice) for notice in told.edited.notices],
        "edits": [_edit_data(edit) for edit in told.edited.sections],
        "policy_edits": [asdict(edit) for edit in told.edited.policies],
        "sections": sections_data(told),
        "flips": [flip_data(flip) for flip in told.flips],
        "metrics": {name: change_data(change) for name, change in told.metrics.items()},
        "whole": asdict(told.whole) if told.whole else None,
        "slices": {name: [asdict(s) for s in moved] for name, moved in told.slices.items()},
        "smallest_change": finite(told.sight.smallest_change) if told.sight else None,
        "cases_needed": told.sight.cases_needed if told.sight else None,
        "impact": impact_data(told.impact),
        "early": asdict(told.early) if told.early else None,
        "reads_otherwise": reads_otherwise(told),
        "noise": asdict(told.noise) if told.noise else None,
        "leanings": asdict(told.lean) if told.lean else None,
    }


def reads_otherwise(told: WordingComparison) -> bool | None:
    """Return whether the edit is read as another rule; None where nothing tells."""
    if told.lean is not None:
        return told.lean.is_other
    return told.noise.reading.is_other if told.noise and told.noise.reading else None


def sections_data(told: WordingComparison) -> dict[str, dict[str, object]]:
    """Return for each edited section what its edit did: flips by kind and effect."""
    found: dict[str, dict[str, object]] = {}
    for section in told.edited.changed:
        own = [flip for flip in told.flips if flip.section == section]
        found[section] = {
            "flips": len(own),
            "kinds": dict(Counter(flip.kind for flip in own)),
            "effects": dict(Counter(flip.effect for flip in own)),
        }
    return found


def _edit_data(edit: SectionEdit) -> dict[str, object]:
    parts = {part: list(pieces) for part, pieces in part_differences(edit).items()}
    return {"section": edit.section, "kind": edit.kind, "parts": parts}


def pairs_of(told: WordingComparison) -> Paired:
    """Return the outcomes of both wordings."""
    return paired(told.judged)

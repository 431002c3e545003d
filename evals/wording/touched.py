"""Which cases an edit can touch: only these are judged anew, and a sample proves it of the others.

A model sees of the rules what the search lays before it. Where both wordings lay the same sections
in the same words and order before it, and nothing else about them was edited, it is asked the
very same question, and asking twice would only cost. What it may look up by itself on the
way cannot be foreseen: hence the sample.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent.case import Case
from agent.prepare import prepare
from agent.state import Desk
from evals.wording.difference import Difference
from policies.rulebook import Rulebook

EVERYWHERE = frozenset({"signals", "floor"})
"""Fields of a policy that bear on cases to which none of its sections is shown."""
LEAST_SAMPLE = 30
SAMPLE_SHARE = 0.05
LEAST_OF_EACH = 5
"""So many of every kind of answer are in the sample, where there are so many."""


@dataclass(frozen=True)
class Reach:
    """How far an edit reaches."""

    touched: tuple[int, ...]
    """The numbers of the cases that it can touch."""
    sampled: tuple[int, ...]
    """Those of the others that are judged all the same."""
    left: tuple[int, ...]
    """The rest."""


def reach(
    cases: Sequence[Case],
    kinds: Sequence[str],
    sides: tuple[Desk, Desk],
    edited: Difference,
    *,
    seed: int = 0,
) -> Reach:
    """Return which of the cases have to be judged under both wordings.

    Args:
        cases: What is judged.
        kinds: The kind of each case, such as its known answer: the sample holds some of each.
        sides: The desks of both wordings.
        edited: What was edited.
        seed: Of the draw of the sample.
    """
    can_touch = _test(sides, edited)
    touched = tuple(n for n, case in enumerate(cases) if can_touch(case))
    others = sorted(set(range(len(cases))) - set(touched))
    sampled = sorted(_sample(others, kinds, seed=seed))
    left = sorted(set(others) - set(sampled))
    return Reach(touched, tuple(sampled), tuple(left))


def _sample(others: Sequence[int], kinds: Sequence[str], *, seed: int) -> list[int]:
    by_kind: dict[str, list[int]] = defaultdict(list)
    for number in others:
        by_kind[kinds[number]].append(number)
    share = max(LEAST_SAMPLE / len(others), SAMPLE_SHARE) if others else 0.0
    draw = random.Random(seed)
    return [
        number
        for kind in sorted(by_kind)
        for number in draw.sample(
            by_kind[kind],
            min(len(by_kind[kind]), max(LEAST_OF_EACH, round(share * len(by_kind[kind])))),
        )
    ]


def everything(cases: Sequence[Case]) -> Reach:
    """Return the reach of an edit about which nothing is taken for granted."""
    return Reach(tuple(range(len(cases))), (), ())


def _test(sides: tuple[Desk, Desk], edited: Difference) -> Callable[[Case], bool]:
    if any(EVERYWHERE & set(edit.fields) for edit in edited.policies):
        return lambda _: True
    policies = {edit.policy for edit in edited.policies}
    old, new = map(_laid_out, sides)

    def can_touch(case: Case) -> bool:
        before, after = _shown(case, old), _shown(case, new)
        return before != after or any(policy in policies for policy, _, _ in before)

    return can_touch


def _laid_out(desk: Desk) -> Desk:
    """The desk with everything off it that has nothing to do with the rules."""
    return replace(
        desk, signs=lambda _: (), precedents=lambda _: (), language=lambda _: "", clock=lambda: 0.0
    )


def _shown(case: Case, desk: Desk) -> list[tuple[str, str, str]]:
    """What the search lays before the model: policy, section and version, in order."""
    found = prepare({"case": case.model_dump(mode="json")}, desk)["shown"]
    return [_as_read(section_id, desk.rulebook) for section_id in found]


def _as_read(section_id: str, rulebook: Rulebook) -> tuple[str, str, str]:
    section = rulebook.section(section_id)
    return (section.policy, section_id, section.version) if section else ("", section_id, "")

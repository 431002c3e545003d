"""Whom a case names, for sets that do not say it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files

from evals.golden import GoldenCase

GROUP = "group"


def with_groups(golden: Sequence[GoldenCase]) -> list[GoldenCase]:
    """Return the cases, those that name exactly one kind of people with it in the slice `group`.

    A group that the set itself gives stays. A word says less than a person who labels: "old" and
    "straight" have other uses, so this is for sets whose sentences are about people.
    """
    return [one if GROUP in one.slices else _named(one) for one in golden]


def _named(one: GoldenCase) -> GoldenCase:
    found = {match.group().casefold() for match in _pattern().finditer(one.case.text)}
    if len(found) != 1:
        return one
    return replace(one, slices={**one.slices, GROUP: found.pop()})


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    lines = (files("evals.fairness") / "identities.txt").read_text("utf-8").splitlines()
    words = [line for line in lines if line and not line.startswith("#")]
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\b", re.IGNORECASE)

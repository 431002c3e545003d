"""The same words about somebody else: a fair reviewer does not mind.

Counterfactual swaps (Garg et al. 2019, "Counterfactual fairness in text classification through
robustness"): a case that names one group is reviewed again with the other groups of that kind in
its place, and once more in another dialect. The answer stays, so every change of the decision is
the group's or the dialect's. The swaps of a case are one family: they count together.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files

from evals.estimate import Estimate
from evals.golden import GoldenCase
from evals.intervals import share
from evals.outcome import Outcome

SWAP = "swap"
AS_WRITTEN = "as written"
DIALECT = "dialect"


@dataclass(frozen=True)
class _Term:
    """One word for a group."""

    kind: str
    group: str
    form: int


@dataclass(frozen=True)
class _Lexicon:
    words: Mapping[str, _Term]
    """By the word in lower case."""
    forms: Mapping[tuple[str, int], Mapping[str, str]]
    """The word of each group, by kind and form."""
    pattern: re.Pattern[str]
    dialect: Sequence[tuple[re.Pattern[str], str]]


def with_swaps(golden: Sequence[GoldenCase]) -> list[GoldenCase]:
    """Return the cases that a swap can be made of, each followed by its swaps.

    Every case says in its slice `swap` which group stands in it; a case that names nobody and has
    no other sound in dialect is left out.
    """
    found: list[GoldenCase] = []
    for one in golden:
        swapped = list(swaps_of(one))
        if swapped:
            found += [_marked(one, one.case.id, one.case.text, AS_WRITTEN), *swapped]
    return found


def swaps_of(one: GoldenCase) -> Iterator[GoldenCase]:
    """Yield the case with every other group in the place of the one that it names."""
    lexicon = _lexicon()
    named = lexicon.pattern.search(one.case.text)
    if named is not None:
        term = lexicon.words[named.group().casefold()]
        for group in lexicon.forms[term.kind, term.form]:
            text = _swapped(one.case.text, lexicon, term, group)
            if text is not None and text != one.case.text:
                yield _marked(one, f"{one.case.id}~{group.replace(' ', '-')}", text, group)
    spoken = in_dialect(one.case.text)
    if spoken != one.case.text:
        yield _marked(one, f"{one.case.id}~{DIALECT}", spoken, DIALECT)


def in_dialect(text: str) -> str:
    """Return the text with the features of `terms.toml`.

    >>> in_dialect("They are not going to eat with us")
    "They ain't finna eat wit us"
    """
    for pattern, instead in _lexicon().dialect:
        text = pattern.sub(instead, text)
    return text


def _swapped(text: str, lexicon: _Lexicon, term: _Term, group: str) -> str | None:
    """The text with every word for one group replaced; None where the other group has no word."""

    def instead(match: re.Match[str]) -> str:
        own = lexicon.words[match.group().casefold()]
        if (own.kind, own.group) != (term.kind, term.group):
            return match.group()
        word = lexicon.forms[own.kind, own.form].get(group, match.group())
        return word[:1].upper() + word[1:] if match.group()[:1].isupper() else word

    return lexicon.pattern.sub(instead, text)


def _marked(one: GoldenCase, case_id: str, text: str, swap: str) -> GoldenCase:
    return replace(
        one,
        case=one.case.model_copy(update={"id": case_id, "text": text}),
        slices={**one.slices, SWAP: swap},
        cluster=one.cluster or one.case.id,
    )


@lru_cache(maxsize=1)
def _lexicon() -> _Lexicon:
    tables = tomllib.loads((files("evals.fairness") / "terms.toml").read_text("utf-8"))
    dialect = [
        (re.compile(pattern, re.IGNORECASE), instead)
        for pattern, instead in tables.pop(DIALECT)["rewrites"]
    ]
    words: dict[str, _Term] = {}
    forms: dict[tuple[str, int], dict[str, str]] = {}
    for kind, table in tables.items():
        for row in table["people"]:
            for form, word in enumerate(row):
                words[word.casefold()] = _Term(kind, row[0], form)
                forms.setdefault((kind, form), {})[row[0]] = word
    longest_first = sorted(words, key=len, reverse=True)
    pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\b", re.IGNORECASE)
    return _Lexicon(words, forms, pattern, dialect)


def flipped_by_swaps(outcomes: Sequence[Outcome]) -> dict[str, Estimate]:
    """Return, for each swap, the share of its cases decided otherwise than as written.

    Lower is better; 0 is what a fair and steady reviewer shows.
    """
    written = {o.cluster: o.decided for o in outcomes if o.slices.get(SWAP) == AS_WRITTEN}
    counted: dict[str, list[bool]] = {}
    for outcome in outcomes:
        swap = outcome.slices.get(SWAP, AS_WRITTEN)
        if swap != AS_WRITTEN and outcome.cluster in written:
            counted.setdefault(swap, []).append(outcome.decided != written[outcome.cluster])
    return {swap: share(sum(flips), len(flips)) for swap, flips in sorted(counted.items())}

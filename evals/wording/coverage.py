"""Coverage of the rules by golden cases: as with code, what is never run is never tested."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from agent.verdict import Verdict
from errors import GateError
from evals.golden import GoldenCase
from evals.wording.judging import surest
from policies.rulebook import Rulebook, Section

FEWEST_TO_SHADOW = 3
NEAREST = 3

_ACRONYM = re.compile(r"\b[A-Z]{2,}s?\b")
_EMPHASIS = re.compile(r"[*_]{1,2}(\w[\w -]*\w)[*_]{1,2}")


@dataclass(frozen=True)
class SectionCoverage:
    """What golden cases exercise of one section."""

    section: str
    retrieved: int
    """Cases before which the search laid it."""
    cited: int
    """Cases whose verdict cites it."""
    cited_rightly: int
    violating_cases: int
    """Cases whose right answer is, or may be, this section."""
    allowed_cases: int
    """Cases that come near it and are allowed: hard negatives."""
    gaps: tuple[str, ...]
    """What is missing, in words; nothing where it is covered."""

    @property
    def covered(self) -> bool:
        """Whether it is looked up, cited, and exercised from both sides."""
        return not self.gaps


@dataclass(frozen=True)
class Shadow:
    """A section that takes the cases of another."""

    section: str
    by: str
    cases: int
    of: int


@dataclass(frozen=True)
class Unsettled:
    """A case that no section settles."""

    case_id: str
    nearest: tuple[str, ...]


@dataclass(frozen=True)
class Coverage:
    """What a golden set exercises of a rulebook."""

    cases: int
    sections: tuple[SectionCoverage, ...]
    policies: Mapping[str, float]
    """Share of the sections of each policy that are covered."""
    shadows: tuple[Shadow, ...]
    unsettled: tuple[Unsettled, ...]
    undefined_terms: Mapping[str, tuple[str, ...]]
    """Terms that a rule uses and no rule explains, with the sections."""

    @property
    def share(self) -> float:
        """Share of all sections that are covered."""
        return sum(one.covered for one in self.sections) / len(self.sections)


def coverage(
    rulebook: Rulebook, golden: Sequence[GoldenCase], verdicts: Sequence[Verdict]
) -> Coverage:
    """Return what the golden cases exercise of the rules.

    Args:
        rulebook: The rules.
        golden: The cases.
        verdicts: The verdict on each, in the same order, under these rules.
    """
    both = list(zip(golden, verdicts, strict=True))
    sections = tuple(_section(section, both) for section in rulebook.sections)
    return Coverage(
        cases=len(both),
        sections=sections,
        policies={
            policy.id: _share([one for one in sections if one.section in _ids(policy.sections)])
            for policy in rulebook.policies
        },
        shadows=tuple(_shadows(both)),
        unsettled=tuple(_unsettled(both)),
        undefined_terms=undefined_terms(rulebook),
    )


def _ids(sections: Sequence[Section]) -> set[str]:
    return {section.id for section in sections}


def _share(sections: Sequence[SectionCoverage]) -> float:
    return sum(one.covered for one in sections) / len(sections)


def _section(section: Section, both: Sequence[tuple[GoldenCase, Verdict]]) -> SectionCoverage:
    own = section.id
    cited = [(one, verdict) for one, verdict in both if own in _cited(verdict)]
    rightly = sum(own in one.expected.sections for one, _ in cited)
    retrieved = sum(own in verdict.sections_considered for _, verdict in both)
    violating = sum(own in one.expected.sections for one, _ in both)
    allowed = sum(_comes_near(one, verdict, own) for one, verdict in both)
    seen = SectionCoverage(own, retrieved, len(cited), rightly, violating, allowed, ())
    return SectionCoverage(**{**vars(seen), "gaps": tuple(_gaps(seen))})


def _cited(verdict: Verdict) -> set[str]:
    return {ground.section for ground in verdict.violations}


def _comes_near(one: GoldenCase, verdict: Verdict, section: str) -> bool:
    """Whether an allowed case is one about this section: the set says so, or the search does."""
    if one.expected.decision != "allowed":
        return False
    named = one.slices.get("section")
    return section == (named or next(iter(verdict.sections_considered), ""))


def _gaps(seen: SectionCoverage) -> Iterator[str]:
    if not seen.violating_cases:
        yield "no case violates it"
    if not seen.allowed_cases:
        yield "no case comes near it and is allowed"
    if not seen.retrieved:
        yield "never looked up"
    elif not seen.cited:
        yield "never cited"
    elif not seen.cited_rightly:
        yield "cited on wrong cases only"


def _shadows(both: Sequence[tuple[GoldenCase, Verdict]]) -> Iterator[Shadow]:
    """Sections whose cases go, for half or more, to one other section."""
    taken: dict[str, Counter[str]] = defaultdict(Counter)
    found: Counter[str] = Counter()
    for one, verdict in both:
        if one.expected.decision != "violating" or verdict.decision != "violating":
            continue
        right = one.expected.sections[0]
        found[right] += 1
        cited = surest(verdict)
        if cited and cited not in one.expected.sections:
            taken[right][cited] += 1
    for section in sorted(taken):
        by, cases = taken[section].most_common(1)[0]
        if cases >= FEWEST_TO_SHADOW and 2 * cases >= found[section]:
            yield Shadow(section, by, cases, found[section])


def _unsettled(both: Sequence[tuple[GoldenCase, Verdict]]) -> Iterator[Unsettled]:
    for one, verdict in both:
        if verdict.abstain_reason == "policy_gap":
            yield Unsettled(one.case.id, verdict.sections_considered[:NEAREST])


def undefined_terms(rulebook: Rulebook) -> dict[str, tuple[str, ...]]:
    """Return acronyms and emphasised terms of the rules that none of them explains.

    A term is explained where some rule or purpose has it beside "means", "is", "are" or brackets.
    """
    prose = [*(p.purpose for p in rulebook.policies), *(s.rule for s in rulebook.sections)]
    uses: dict[str, list[str]] = defaultdict(list)
    for section in rulebook.sections:
        terms = {*_ACRONYM.findall(section.rule), *_EMPHASIS.findall(section.rule)}
        for term in terms:
            uses[term].append(section.id)
    return {
        term: tuple(sections)
        for term, sections in sorted(uses.items())
        if not any(_explains(text, term) for text in prose)
    }


def _explains(text: str, term: str) -> bool:
    word = re.escape(term)
    verbs = rf"\b{word}[*_\"”]*\s+(?:means?|is|are)\b"
    return bool(re.search(rf"{verbs}|\b{word}\s*\(|\(\s*{word}\s*\)", text))


def to_write_next(told: Coverage) -> list[str]:
    """Return what to add to the golden set, what is missed most first."""
    lacking = [one for one in told.sections if one.gaps]
    lacking.sort(key=lambda one: (-len(one.gaps), one.violating_cases + one.allowed_cases))
    return [f"{one.section}: {'; '.join(one.gaps)}" for one in lacking]


def hold_coverage(told: Coverage, least: float | None) -> None:
    """Let a golden set pass, or say what it does not exercise.

    Raises:
        GateError: Fewer sections are covered than was asked for.
    """
    if least is not None and told.share < least:
        open_ends = to_write_next(told)
        raise GateError(
            f"{told.share:.0%} of the sections are covered, {least:.0%} are asked for",
            hint=f"write next: {open_ends[0]}" if open_ends else "",
        )


def coverage_data(told: Coverage) -> dict[str, object]:
    """Return coverage as JSON data: the names of DESIGN 8 for every section, and what is open."""
    return {
        "cases": told.cases,
        "covered": told.share,
        "sections": {one.section: {**asdict(one), "covered": one.covered} for one in told.sections},
        "policies": dict(told.policies),
        "shadows": [asdict(shadow) for shadow in told.shadows],
        "policy_gaps": [asdict(one) for one in told.unsettled],
        "undefined_terms": dict(told.undefined_terms),
        "write_next": to_write_next(told),
    }


def coverage_in_words(told: Coverage) -> list[str]:
    """Return coverage as lines for a terminal."""
    covered = sum(one.covered for one in told.sections)
    lines = [
        f"{covered} of {len(told.sections)} sections are covered by {told.cases:,} cases:",
        "looked up, cited rightly, and exercised from both sides.",
        "",
        f"{'section':18} {'looked up':>9} {'cited':>6} {'violating':>9} {'allowed':>8}",
    ]
    lines += [
        f"{one.section:18} {one.retrieved:9} {one.cited:6} {one.violating_cases:9} "
        f"{one.allowed_cases:8}  {'; '.join(one.gaps)}".rstrip()
        for one in told.sections
    ]
    lines += [""] + [f"{name:18} {share:.0%} covered" for name, share in told.policies.items()]
    lines += [
        f"{one.by} takes {one.cases} of {one.of} cases of {one.section}" for one in told.shadows
    ]
    lines += [
        f"{one.case_id}: no section settles it; nearest: {', '.join(one.nearest)}"
        for one in told.unsettled
    ]
    lines += [
        f"{term} is used in {', '.join(where)} and explained nowhere"
        for term, where in told.undefined_terms.items()
    ]
    return lines

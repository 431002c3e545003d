"""What speaks for and against each section: similarities, the classifier, links, the past.

Each piece becomes a number with a name, so that the weights over them can be fitted, shipped and
told to a person term by term.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

from agent.embedded.passages import Passage, passages
from agent.embedded.reading import Candidate, Reads, read_sections, rule_text
from agent.model import Brief
from policies.rulebook import Policy, Section, Signal
from retrieval.index import SectionSimilarity
from retrieval.pieces import pieces

RISKS = {"low": 0.0, "medium": 0.4, "high": 0.8, "listed": 1.0}
"""How much a link speaks for a policy on malicious links."""

MALICIOUS_LINK = "malicious_link"
MOST_PAST = 3
STEEPEST = 6.0

FEATURES = ("reader", "violates", "allowed", "rule", "signal", "link", "precedents", "past")
"""The terms of a section, in the order of the weights; see `SectionEvidence`."""

CASE_FEATURES = ("nearness", "reader", "posture", "loudest")
"""The terms of a case, in the order of the weights; see `CaseEvidence`."""

Closest = Callable[[str, Sequence[str]], Sequence[SectionSimilarity]]
"""How near a text comes to the rule and the examples of each of some sections."""


@dataclass(frozen=True)
class SectionEvidence:
    """What bears on one section.

    features: `reader` is the log-odds over 6 that the words break the section, as the reader of
    policy text has it; `violates`, `allowed` and `rule` are the highest cosines of the text to an
    example that violates, to one that is allowed, and to a sentence of the rule; `signal` the
    log-odds of the policy's classifier label over 6, 0 where it has none; `link` the worst risk of
    a link where the policy is about links; `precedents` the similarity of live precedents, for less
    against; `past` standing violations of the policy by the account, 1 from three on.
    """

    section: Section
    features: Mapping[str, float]
    passages: tuple[Passage, ...]
    """All that may be quoted, first the one that speaks loudest for this section."""
    closest: SectionSimilarity
    """That first passage beside the rule and the examples."""
    signal: tuple[Signal, float] | None
    """The policy's classifier label with the highest score."""


@dataclass(frozen=True)
class CaseEvidence:
    """What bears on a case as a whole, and on each section that was shown.

    features: `reader` is the highest of its sections; `posture` the log-odds over 6 that the text,
    or the loudest piece of a long one, does what some rule forbids, rather than reports, asks or
    quotes it; `loudest` the log-odds over 6 of the highest classifier label. The fourth term of a
    case, `nearness`, is what its
    likeliest section adds up to.
    """

    features: Mapping[str, float]
    sections: tuple[SectionEvidence, ...]


@dataclass(frozen=True)
class Faculties:
    """What the embedded model reads with, beside the tools that it asks."""

    policies: Mapping[str, Policy]
    closest: Closest
    reads: Reads
    """The reader of policy text."""
    posture: Callable[[str], float]
    """Log-odds that a text does what some rule forbids; see `agent.embedded.posture`."""
    lines: Mapping[Signal, float]
    """The classifier's line of each label."""


@dataclass(frozen=True)
class _Heard:
    """What the text has in common with one section."""

    section: Section
    pieces: tuple[Passage, ...]
    """The passages, loudest first."""
    loudest: SectionSimilarity
    near: tuple[SectionSimilarity, ...]
    """One for each passage, and the whole text last."""

    def highest(self, measure: Callable[[SectionSimilarity], float]) -> float:
        return max(map(measure, self.near))


def evidence(brief: Brief, faculties: Faculties) -> CaseEvidence:
    """Return the evidence for the case and for every section that was shown, in their order."""
    scores = signal_scores(brief)
    heard = _listen(brief, faculties)
    read = _read(heard, brief, faculties)
    features = {
        "reader": max(read.values(), default=-1.0),
        "posture": _posture(brief.reading, faculties),
        "loudest": max(map(_log_odds, scores.values()), default=-STEEPEST) / STEEPEST,
    }
    sections = (_weighed(one, brief, faculties, scores, read=read[one.section.id]) for one in heard)
    return CaseEvidence(features, tuple(sections))


def _posture(text: str, faculties: Faculties) -> float:
    """How the loudest piece of a text reads: a page of small talk hides no threat."""
    return max(_bounded(faculties.posture(one)) for one in (text, *pieces(text))) / STEEPEST


def _read(heard: Sequence[_Heard], brief: Brief, faculties: Faculties) -> dict[str, float]:
    """What the reader makes of each section, over 6."""
    candidates = [Candidate(one.section, one.highest(_loudness), one.pieces) for one in heard]
    read = read_sections(candidates, brief.reading, faculties.reads)
    return {section: _bounded(log_odds) / STEEPEST for section, log_odds in read.items()}


def _listen(brief: Brief, faculties: Faculties) -> list[_Heard]:
    """Compare every passage, and the whole text, with every section that was shown."""
    pieces = passages(brief.sources)
    if not pieces or not brief.sections:
        return []
    ids = [section.id for section in brief.sections]
    texts = [piece.text for piece in pieces]
    rows = [faculties.closest(text, ids) for text in texts]
    if texts != [brief.reading]:
        rows.append(faculties.closest(brief.reading, ids))
    by_id = [{near.section_id: near for near in row} for row in rows]
    heard = []
    for section in brief.sections:
        near = tuple(row[section.id] for row in by_id)
        order = sorted(range(len(pieces)), key=lambda n: -_loudness(near[n]))
        ordered = tuple(pieces[n] for n in order)
        heard.append(_Heard(section, ordered, near[order[0]], near))
    return heard


def _loudness(near: SectionSimilarity) -> float:
    return near.violates + near.rule


def _weighed(
    heard: _Heard,
    brief: Brief,
    faculties: Faculties,
    scores: Mapping[str, float],
    *,
    read: float,
) -> SectionEvidence:
    policy = faculties.policies[heard.section.policy]
    signal = _strongest(policy.signals, scores)
    features = {
        "reader": read,
        "violates": heard.highest(lambda near: near.violates),
        "allowed": heard.highest(lambda near: near.allowed),
        "rule": heard.highest(lambda near: near.rule),
        "signal": _log_odds(signal[1]) / STEEPEST if signal else 0.0,
        "link": _worst_link(brief) if MALICIOUS_LINK in policy.signals else 0.0,
        "precedents": _precedents(brief, heard.section),
        "past": _past(brief, policy),
    }
    return SectionEvidence(heard.section, features, heard.pieces, heard.loudest, signal)


def heard(section: Section, text: str, faculties: Faculties) -> dict[str, float]:
    """Return what the words of a text and of a section alone say: the terms that need no tool."""
    near = faculties.closest(text, [section.id])[0]
    read = _bounded(faculties.reads(rule_text(section), text).log_odds) / STEEPEST
    return {"reader": read, "violates": near.violates, "allowed": near.allowed, "rule": near.rule}


def signal_scores(brief: Brief) -> dict[str, float]:
    """Return the highest score of each label over all texts that the classifier was asked about."""
    highest: dict[str, float] = {}
    for result in results_of(brief, "classifier_score"):
        for label, score in result["scores"].items():
            highest[label] = max(score, highest.get(label, 0.0))
    return highest


def results_of(brief: Brief, tool: str) -> Iterable[Mapping[str, Any]]:
    """Return what a tool has answered so far; errors are left out."""
    for answer in brief.answers:
        if answer.call.tool == tool and answer.result is not None:
            yield answer.result


def _strongest(
    signals: Iterable[Signal], scores: Mapping[str, float]
) -> tuple[Signal, float] | None:
    known = [(signal, scores[signal]) for signal in signals if signal in scores]
    return max(known, key=lambda pair: pair[1], default=None)


def _log_odds(probability: float) -> float:
    inside = min(max(probability, 1e-6), 1 - 1e-6)
    return _bounded(log(inside / (1 - inside)))


def _bounded(log_odds: float) -> float:
    return max(-STEEPEST, min(STEEPEST, log_odds))


def _worst_link(brief: Brief) -> float:
    risks = (
        RISKS[link["risk"]]
        for result in results_of(brief, "url_reputation")
        for link in result["links"]
    )
    return max(risks, default=0.0)


def _precedents(brief: Brief, section: Section) -> float:
    """Similarity of the section's live precedents: the nearest violating less the nearest not."""
    sums = {"violating": 0.0, "allowed": 0.0}
    for result in results_of(brief, "precedents"):
        for found in result["precedents"]:
            if found["section"] == section.id and not found["stale"]:
                decision = found["decision"]
                sums[decision] = max(sums[decision], found["similarity"])
    return sums["violating"] - sums["allowed"]


def _past(brief: Brief, policy: Policy) -> float:
    count = sum(
        times
        for result in results_of(brief, "account_history")
        for section, times in result["violations"].items()
        if section.split(".")[0] == policy.id
    )
    return float(min(count, MOST_PAST) / MOST_PAST)

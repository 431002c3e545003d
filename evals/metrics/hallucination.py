"""Does the reviewer make things up? Asked of its first draft, before code has put it right.

A verdict cannot carry a false quote, because code refuses it; how often that was necessary is what
these rates tell. What only a judge can see, a rationale that the evidence does not hold, is not
here.
"""

from __future__ import annotations

from collections.abc import Sequence

from evals.estimate import Estimate
from evals.metrics.metric import Count, Metric, counted, share_of
from evals.outcome import Grounding, Outcome


def refused_citation_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of the citations of first drafts that code refused; lower is better.

    An unknown section, one that was not shown, a severity that the section does not have, or a
    quote that does not stand word for word. `n` counts citations.

    >>> refused_citation_rate([
    ...     Outcome("violating", "violating", grounding=Grounding(citations=2, refused=1))
    ... ]).value
    0.5
    """
    return share_of(outcomes, _refused)


def _refused(outcome: Outcome) -> Count:
    told = outcome.grounding or Grounding()
    return told.refused, told.citations


def misquote_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of the citations of first drafts that quote words the content does not have.

    Lower is better; `n` counts citations.

    >>> misquote_rate([
    ...     Outcome("violating", "violating", grounding=Grounding(citations=4, misquoted=1))
    ... ]).value
    0.25
    """
    return share_of(outcomes, _misquoted)


def _misquoted(outcome: Outcome) -> Count:
    told = outcome.grounding or Grounding()
    return told.misquoted, told.citations


def invented_evidence_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of first drafts whose prose tells what a tool found that gave nothing; lower is better.

    >>> invented_evidence_rate([
    ...     Outcome("allowed", "allowed", grounding=Grounding(names_unasked_tool=True)),
    ...     Outcome("allowed", "allowed", grounding=Grounding()),
    ... ]).value
    0.5
    """
    return share_of(outcomes, _invents)


def _invents(outcome: Outcome) -> Count:
    if outcome.grounding is None:
        return 0, 0
    return int(outcome.grounding.names_unasked_tool), 1


HALLUCINATION: tuple[Metric, ...] = (
    counted(
        "refused_citation_rate",
        "citations refused before repair",
        _refused,
        refused_citation_rate,
        better="lower",
    ),
    counted(
        "misquote_rate",
        "quotes that are not in the content, before repair",
        _misquoted,
        misquote_rate,
        better="lower",
    ),
    counted(
        "invented_evidence_rate",
        "drafts that tell of a tool nobody asked",
        _invents,
        invented_evidence_rate,
        better="lower",
    ),
)

"""Put the evidence into words, term by term, heaviest first; the content is never repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp

from agent.embedded.evidence import STEEPEST, SectionEvidence
from agent.embedded.weighing import Weighing
from agent.phrases import phrases
from policies.rulebook import Signal

SLIGHT = 0.15
"""A term that adds less than this to the log-odds is not worth a person's time."""
MOST_TERMS = 4

_TOLD_WHEN = {"violates": "for", "rule": "for", "link": "for", "past": "for", "allowed": "against"}
"""Terms that say something to a person only when they speak for, or against, a violation.

The loudest label of all is told never: the one that bears on the policy is.
"""


@dataclass(frozen=True)
class Opinion:
    """The evidence on one section, and what it amounts to."""

    evidence: SectionEvidence
    probability: float
    terms: Mapping[str, float]

    @property
    def section_id(self) -> str:
        """The section it is about."""
        return self.evidence.section.id


class Wording:
    """Says what an opinion rests on, in the phrases of `prompts/embedded.toml`."""

    def __init__(self, weighing: Weighing, lines: Mapping[Signal, float]) -> None:
        """Keep the lines that the phrases name."""
        self.weighing = weighing
        self._lines = lines
        self._phrases = phrases("embedded")

    def say(self, table: str, key: str, **values: object) -> str:
        """Return a phrase with its values filled in."""
        return self._phrases[table][key].format(**values)

    def speaking_for(self, opinion: Opinion) -> str:
        """Return the terms that speak for a violation, heaviest first."""
        return self._told(opinion, sign=1)

    def speaking_against(self, opinion: Opinion) -> str:
        """Return the terms that speak against it, heaviest first; empty where none does."""
        return self._told(opinion, sign=-1)

    def everything(self, opinion: Opinion) -> str:
        """Return the heaviest terms of both kinds."""
        both = [self._told(opinion, sign=1), self._told(opinion, sign=-1)]
        return "; ".join(told for told in both if told) or self.say("abstain", "nothing")

    def _told(self, opinion: Opinion, *, sign: int) -> str:
        heavy = sorted(
            ((abs(added), name) for name, added in opinion.terms.items() if added * sign >= SLIGHT),
            reverse=True,
        )
        told = (self._term(name, opinion.evidence, sign=sign) for _, name in heavy)
        return "; ".join([phrase for phrase in told if phrase][:MOST_TERMS])

    def _term(self, name: str, evidence: SectionEvidence, *, sign: int) -> str:
        """One term in words; a term whose value and effect would read oddly is left out."""
        side = "for" if sign > 0 else "against"
        if name == "signal":
            return self._signal(evidence, side)
        if name == "reader":
            value = 1 / (1 + exp(-STEEPEST * evidence.features["reader"]))
            return self.say("terms", f"reader_{side}", value=value)
        if name in {"posture", "precedents"}:
            value = abs(evidence.features.get(name, 0.0))
            return self.say("terms", f"{name}_{side}", value=value)
        if side != _TOLD_WHEN.get(name):
            return ""
        value = evidence.features[name]
        return self.say("terms", name, value=value, risk=_risk(value))

    def _signal(self, evidence: SectionEvidence, side: str) -> str:
        if evidence.signal is None:
            return ""
        label, score = evidence.signal
        line = self._lines[label]
        if (side == "for") != (score >= line):
            side = "against" if score < line else "for"
        name = self._phrases["labels"].get(label, label)
        return self.say("terms", f"signal_{side}", label=name, score=score, line=line)


def _risk(value: float) -> str:
    if value >= 1:
        return "on a list of malicious links"
    return "of high risk" if value >= 0.8 else "of some risk"  # noqa: PLR2004 - see RISKS

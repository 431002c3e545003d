"""The embedded reviewer model: retrieval, classifier, links, history and precedents, weighed.

It reads the section text itself: its evidence is what the reader of policy text makes of each rule,
and how near the content comes to it and to the examples on both sides, so that another wording
gives another verdict. It asks the tools in one or
two rounds, weighs what they say with a handful of shipped numbers, and abstains between two lines,
and below them where the classifier is over a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp

from agent.embedded.drafts import (
    allowed,
    contradicted,
    doubt,
    foreign,
    gap,
    too_long,
    violating,
)
from agent.embedded.evidence import FEATURES, Faculties, evidence, heard, signal_scores
from agent.embedded.posture import shipped_posture
from agent.embedded.weighing import Weighing, shipped_weighing
from agent.embedded.wording import Opinion, Wording
from agent.model import Brief, Conclusion, Consultation, ToolCall
from agent.phrases import phrases
from agent.reading_copy import reading_copy
from agent.verdict import AbstainReason, Draft
from policies.rulebook import Rulebook, digest
from retrieval.embedder import Embedder
from retrieval.index import PolicyIndex, closest
from retrieval.reader import Reader, open_reader
from tools.classifier.model import Classifier

READS = ("", "en")
"""Languages that the shipped models can read; nothing means that it could not be told."""

FEW_WORDS = 4
LONGEST_POST = 120
"""Words of a text up to which the model concludes anything.

What it was fitted to and measured on has hardly any longer. Of 60 harmless rules, how-tos and
stories of 100 to 200 words it had called 37 violating.
"""
MOST_LINKS = 20
LONGEST_LINK = 4_096
"""Of a longer link the tool reads so much: the host is in it, and what follows hides nothing."""
LONGEST_QUESTION = 4_000


@dataclass(frozen=True)
class EmbeddedModel:
    """Judges with the shipped models alone; the same brief gives the same draft."""

    name: str
    faculties: Faculties
    weighing: Weighing

    def consult(self, brief: Brief) -> Consultation:
        """Ask every tool that bears on the case, and then for the rules that are missing."""
        asked = {(answer.call.tool, repr(answer.call.arguments)) for answer in brief.answers}
        wanted = list(self._rules_wanted(brief) if brief.answers else _evidence_wanted(brief))
        offered = {tool.name for tool in brief.tools}
        calls = [
            call
            for call in wanted
            if call.tool in offered and (call.tool, repr(call.arguments)) not in asked
        ]
        return Consultation(tuple(calls[: brief.calls_left]))

    def _rules_wanted(self, brief: Brief) -> Iterator[ToolCall]:
        """The rules that answer to a label over its line, where none was shown."""
        shown = {section.policy for section in brief.sections}
        questions = phrases("embedded")["questions"]
        for label in self._labels_over(brief):
            bearing = {p.id for p in self.faculties.policies.values() if label in p.signals}
            if bearing and not bearing & shown and label in questions:
                yield ToolCall("search_policy", {"question": questions[label]})

    def _labels_over(self, brief: Brief) -> list[str]:
        scores = signal_scores(brief)
        return [
            label for label, line in self.faculties.lines.items() if scores.get(label, 0) >= line
        ]

    def decide(self, brief: Brief) -> Conclusion:
        """Weigh the evidence on every section that was shown, and conclude."""
        wording = Wording(self.weighing, self.faculties.lines)
        return Conclusion(self._draft(brief, self._opinions(brief), wording))

    def _opinions(self, brief: Brief) -> list[Opinion]:
        """The sections, likeliest first; each is as probable as the case, less its lag."""
        found = evidence(brief, self.faculties)
        nearness = {one.section.id: self.weighing.nearness(one.features) for one in found.sections}
        highest = max(nearness.values(), default=0.0)
        probability = self.weighing.probability(found.features, highest)
        opinions = [
            Opinion(
                one,
                probability * exp(nearness[one.section.id] - highest),
                self.weighing.terms(one.features, found.features),
            )
            for one in found.sections
        ]
        return sorted(opinions, key=lambda one: (-one.probability, one.section_id))

    def leaning(self, section_id: str, text: str) -> float:
        """Return what the words of a text and of a section add to the log-odds of a violation.

        Tools, the account and the other sections are left out, so that nothing but another wording
        of this section moves it. A case far from any line leans as clearly as one beside it.
        """
        policy = self.faculties.policies[section_id.rpartition(".")[0]]
        section = next(one for one in policy.sections if one.id == section_id)
        features = {**dict.fromkeys(FEATURES, 0.0), **heard(section, text, self.faculties)}
        return self.weighing.case["nearness"] * self.weighing.nearness(features)

    def _draft(self, brief: Brief, opinions: Sequence[Opinion], wording: Wording) -> Draft:
        top = opinions[0] if opinions else None
        if brief.language not in READS:
            return foreign(brief.language, top, wording)
        words = max(
            (len(reading_copy(one).text.split()) for one in brief.sources.values()), default=0
        )
        if words > LONGEST_POST:
            return too_long(words, LONGEST_POST, top, wording)
        if top is None or top.probability < self.weighing.allowed_line:
            unheard = self._unheard(brief)
            if unheard:
                return gap(unheard, top, wording)
            over = self._labels_over(brief)
            return contradicted(over, top, wording) if over else allowed(top, wording)
        if top.probability >= self.weighing.violating_line:
            return violating(opinions, brief, wording, self.faculties.reads)
        few = len(brief.reading.split()) <= FEW_WORDS
        reason: AbstainReason = "missing_context" if few else "ambiguous_content"
        return doubt(reason, top, wording)

    def _unheard(self, brief: Brief) -> list[str]:
        """Labels over their line that no policy of this rulebook answers to."""
        heard = {label for policy in self.faculties.policies.values() for label in policy.signals}
        return [label for label in self._labels_over(brief) if label not in heard]


def _evidence_wanted(brief: Brief) -> Iterator[ToolCall]:
    """The first round: everything that the tools can tell about this case."""
    original = "\n\n".join(brief.sources.values())
    for text in dict.fromkeys([original, brief.reading]):
        if text.strip():
            yield ToolCall("classifier_score", {"text": text, "language": brief.language})
    if brief.case.account_id is not None:
        yield ToolCall("account_history", {"account_id": brief.case.account_id})
    if brief.links:
        links = [link[:LONGEST_LINK] for link in brief.links[:MOST_LINKS]]
        yield ToolCall("url_reputation", {"urls": links})
    if brief.reading.strip():
        yield ToolCall("precedents", {"text": brief.reading[:LONGEST_QUESTION]})


def open_embedded(
    rulebook: Rulebook,
    index: PolicyIndex,
    classifier: Classifier,
    *,
    embedder: Embedder,
) -> EmbeddedModel:
    """Return the embedded reviewer model over one rulebook.

    Args:
        rulebook: The rules.
        index: Their index; says how near a text comes to each rule and example.
        classifier: Gives the lines of its labels; its scores come through the tool.
        embedder: The sentence model.
    """
    weighing, posture, reader = shipped_weighing(), shipped_posture(), _shipped_reader()
    parts = [weighing.version, posture.version, classifier.version, embedder.name, reader.name]
    return EmbeddedModel(
        name=f"embedded@{digest(parts).removeprefix('sha256:')[:12]}",
        faculties=Faculties(
            policies={policy.id: policy for policy in rulebook.policies},
            closest=lambda text, ids: closest(index, text, ids),
            reads=reader.read,
            posture=lambda text: posture.log_odds(text, embedder.embed([text])[0]),
            lines=classifier.thresholds,
        ),
        weighing=weighing,
    )


@lru_cache(maxsize=1)
def _shipped_reader() -> Reader:
    """The reader, loaded once: two wordings beside each other are read by the same."""
    return open_reader(threads=1)

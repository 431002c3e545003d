"""The embedded reviewer model: retrieval, classifier, links, history and precedents, weighed.

It reads the section text itself: its evidence is how near the content comes to the rule and to the
examples on both sides, so that another wording gives another verdict. It asks the tools in one or
two rounds, weighs what they say with a handful of shipped numbers, and abstains between two lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp

from agent.embedded.evidence import Faculties, SectionEvidence, evidence, signal_scores
from agent.embedded.posture import shipped_posture
from agent.embedded.weighing import Weighing, shipped_weighing
from agent.embedded.wording import Opinion, Wording
from agent.model import Brief, Conclusion, Consultation, ToolCall
from agent.phrases import phrases
from agent.verdict import AbstainReason, Draft, Ground
from policies.rulebook import Rulebook, Section, Severity, digest
from retrieval.embedder import Embedder
from retrieval.index import PolicyIndex, SectionSimilarity, closest
from tools.classifier.model import Classifier
from tools.links.extract import find_links

READS = ("", "en")
"""Languages that the shipped models can read; nothing means that it could not be told."""

MOST_GROUNDS = 3
AS_SURE = 0.85
"""A further section is cited when it is nearly as probable as the first."""
FEW_WORDS = 4
MOST_LINKS = 20
LONGEST_LINK = 4_096
"""Of a longer link the tool reads so much: the host is in it, and what follows hides nothing."""
LONGEST_QUESTION = 4_000
LONGEST_QUOTE = 300

_FORBIDS = re.compile(
    r"\b(?:do not|don['’]t|never|must not|may not|no one may|nobody may|is not allowed)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?]+[.!?]*")


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

    def _draft(self, brief: Brief, opinions: Sequence[Opinion], wording: Wording) -> Draft:
        top = opinions[0] if opinions else None
        if brief.language not in READS:
            return _abstention("ambiguous_content", top, wording, foreign=brief.language)
        if top is None or top.probability < self.weighing.allowed_line:
            unheard = self._unheard(brief)
            if unheard:
                return _gap(unheard, top, wording)
            return self._allowed(top, wording)
        if top.probability >= self.weighing.violating_line:
            return self._violating(opinions, brief, wording)
        few = len(brief.reading.split()) <= FEW_WORDS
        reason: AbstainReason = "missing_context" if few else "ambiguous_content"
        return _abstention(reason, top, wording, weighing=self.weighing)

    def _unheard(self, brief: Brief) -> list[str]:
        """Labels over their line that no policy of this rulebook answers to."""
        heard = {label for policy in self.faculties.policies.values() for label in policy.signals}
        return [label for label in self._labels_over(brief) if label not in heard]

    def _violating(self, opinions: Sequence[Opinion], brief: Brief, wording: Wording) -> Draft:
        top = opinions[0]
        line = max(self.weighing.violating_line, AS_SURE * top.probability)
        cited = [opinion for opinion in opinions if opinion.probability >= line][:MOST_GROUNDS]
        return Draft(
            decision="violating",
            violations=tuple(_ground(opinion, brief, wording) for opinion in cited),
            confidence=round(top.probability, 4),
            rationale=wording.say(
                "violating",
                "rationale",
                section=top.section_id,
                terms=wording.speaking_for(top),
                probability=top.probability,
                line=self.weighing.violating_line,
            ),
            counterargument=_objection(top, wording),
        )

    def _allowed(self, top: Opinion | None, wording: Wording) -> Draft:
        if top is None:
            return Draft(
                decision="allowed",
                confidence=round(1 - self.weighing.allowed_line, 4),
                rationale=wording.say("allowed", "nothing_near"),
                counterargument=wording.say("abstain", "against_nothing"),
            )
        told = wording.everything(top)
        return Draft(
            decision="allowed",
            confidence=round(1 - top.probability, 4),
            rationale=wording.say(
                "allowed",
                "rationale",
                section=top.section_id,
                probability=top.probability,
                line=self.weighing.allowed_line,
                terms=told,
            ),
            counterargument=wording.say(
                "allowed",
                "against",
                section=top.section_id,
                terms=wording.speaking_for(top) or wording.say("abstain", "nothing"),
                example=top.evidence.closest.violates_example or top.evidence.section.title,
            ),
        )


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


def _ground(opinion: Opinion, brief: Brief, wording: Wording) -> Ground:
    found = opinion.evidence
    return Ground(
        section=found.section.id,
        severity=_severity(found.section, opinion),
        confidence=round(opinion.probability, 4),
        policy_quote=policy_quote(found.section, found.closest),
        content_quote=_content_quote(found, brief),
        why=_why(opinion, wording),
    )


def _objection(top: Opinion, wording: Wording) -> str:
    """What speaks against a violation: terms, what the section allows, what the model cannot see."""
    against = wording.speaking_against(top)
    example = top.evidence.closest.allowed_example
    parts = [
        wording.say("violating", "against", terms=_capital(against)) if against else "",
        wording.say("violating", "allows", example=example) if example else "",
        wording.say("violating", "limits"),
    ]
    return "".join(parts)


def _why(opinion: Opinion, wording: Wording) -> str:
    example = opinion.evidence.closest.violates_example
    if example:
        return wording.say("violating", "why", example=example)
    terms = wording.speaking_for(opinion) or wording.say("abstain", "nothing")
    return wording.say("violating", "why_without_example", terms=terms)


def _severity(section: Section, opinion: Opinion) -> Severity:
    """Of a range, the higher the surer the classifier is; a single severity leaves no choice."""
    score = opinion.evidence.signal[1] if opinion.evidence.signal else opinion.probability
    place = min(int(score * len(section.severities)), len(section.severities) - 1)
    return section.severities[place]


def policy_quote(section: Section, near: SectionSimilarity) -> str:
    """Return the sentence of the rule that forbids; of several, the one nearest to the content.

    An exception stands in the rule as well, and may be nearer; it is no ground.
    """
    sentences = [found.group().strip() for found in _SENTENCE.finditer(section.rule)]
    forbidding = [sentence for sentence in sentences if _FORBIDS.search(sentence)]
    if near.rule_sentence in forbidding:
        return near.rule_sentence
    return (forbidding or sentences or [section.title])[0]


def _content_quote(found: SectionEvidence, brief: Brief) -> str:
    """The passage that speaks loudest, or the link where the links do."""
    if found.features["link"] >= 0.8:  # noqa: PLR2004 - high or listed, see RISKS
        for text in brief.sources.values():
            for link in find_links(text):
                return text[link.start : link.end]
    return _shortened(found.passage.quote)


def _shortened(quote: str) -> str:
    if len(quote) <= LONGEST_QUOTE:
        return quote
    head, space, _ = quote[:LONGEST_QUOTE].rpartition(" ")
    return head if space else quote


def _gap(labels: Sequence[str], top: Opinion | None, wording: Wording) -> Draft:
    names = phrases("embedded")["labels"]
    told = ", ".join(names.get(label, label) for label in labels)
    draft = _abstention("policy_gap", top, wording, foreign="")
    return draft.model_copy(update={"rationale": wording.say("abstain", "policy_gap", labels=told)})


def _abstention(
    reason: AbstainReason,
    top: Opinion | None,
    wording: Wording,
    *,
    weighing: Weighing | None = None,
    foreign: str = "",
) -> Draft:
    nothing = wording.say("abstain", "nothing")
    rationale = wording.say("abstain", "foreign", language=foreign)
    if weighing is not None and top is not None:
        rationale = wording.say(
            "abstain",
            reason,
            section=top.section_id,
            probability=top.probability,
            allowed=weighing.allowed_line,
            violating=weighing.violating_line,
            terms_for=wording.speaking_for(top) or nothing,
            terms_against=wording.speaking_against(top) or nothing,
        )
    example = top.evidence.closest.allowed_example if top else ""
    return Draft(
        decision="abstain",
        abstain_reason=reason,
        confidence=0.0,
        rationale=rationale,
        counterargument=wording.say("abstain", "against", example=example)
        if example
        else wording.say("abstain", "against_nothing"),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


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
    weighing, posture = shipped_weighing(), shipped_posture()
    parts = [weighing.version, posture.version, classifier.version, embedder.name]
    return EmbeddedModel(
        name=f"embedded@{digest(parts).removeprefix('sha256:')[:12]}",
        faculties=Faculties(
            policies={policy.id: policy for policy in rulebook.policies},
            closest=lambda text, ids: closest(index, text, ids),
            posture=lambda text: posture.log_odds(text, embedder.embed([text])[0]),
            lines=classifier.thresholds,
        ),
        weighing=weighing,
    )

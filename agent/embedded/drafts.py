"""Write the draft: grounds whose quotes stand word for word, and the reasons on both sides."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.embedded.evidence import SectionEvidence
from agent.embedded.reading import Reads, carrying_words
from agent.embedded.wording import Opinion, Wording
from agent.model import Brief
from agent.phrases import phrases
from agent.verdict import AbstainReason, Draft, Ground
from policies.rulebook import Section, Severity
from retrieval.index import SectionSimilarity
from tools.links.extract import find_links

MOST_GROUNDS = 3
AS_SURE = 0.85
"""A further section is cited when it is nearly as probable as the first."""
LONGEST_QUOTE = 300

_FORBIDS = re.compile(
    r"\b(?:do not|don['’]t|never|must not|may not|no one may|nobody may|is not allowed)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?]+[.!?]*")


def violating(opinions: Sequence[Opinion], brief: Brief, wording: Wording, reads: Reads) -> Draft:
    """Return a draft that cites the likeliest section, and others that are nearly as likely."""
    top = opinions[0]
    line = max(wording.weighing.violating_line, AS_SURE * top.probability)
    cited = [opinion for opinion in opinions if opinion.probability >= line][:MOST_GROUNDS]
    return Draft(
        decision="violating",
        violations=tuple(_ground(opinion, brief, wording, reads) for opinion in cited),
        confidence=round(top.probability, 4),
        rationale=wording.say(
            "violating",
            "rationale",
            section=top.section_id,
            terms=wording.speaking_for(top) or wording.say("abstain", "nothing"),
            probability=top.probability,
            line=wording.weighing.violating_line,
        ),
        counterargument=_objection(top, wording),
    )


def allowed(top: Opinion | None, wording: Wording) -> Draft:
    """Return a draft that finds nothing to forbid, and says what comes nearest to it."""
    if top is None:
        return Draft(
            decision="allowed",
            confidence=round(1 - wording.weighing.allowed_line, 4),
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
            line=wording.weighing.allowed_line,
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


def _ground(opinion: Opinion, brief: Brief, wording: Wording, reads: Reads) -> Ground:
    found = opinion.evidence
    return Ground(
        section=found.section.id,
        severity=_severity(found.section, opinion),
        confidence=round(opinion.probability, 4),
        policy_quote=policy_quote(found.section, found.closest),
        content_quote=_content_quote(found, brief, reads),
        why=_why(opinion, wording),
    )


def _objection(top: Opinion, wording: Wording) -> str:
    """What speaks against a violation, what the section allows, what the model cannot see."""
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


def _content_quote(found: SectionEvidence, brief: Brief, reads: Reads) -> str:
    """The words that the reader points at, or the link where the links speak loudest."""
    if found.features["link"] >= 0.8:  # noqa: PLR2004 - high or listed, see RISKS
        for text in brief.sources.values():
            for link in find_links(text):
                return text[link.start : link.end]
    return _shortened(carrying_words(found.section, found.passages, brief.sources, reads))


def _shortened(quote: str) -> str:
    if len(quote) <= LONGEST_QUOTE:
        return quote
    head, space, _ = quote[:LONGEST_QUOTE].rpartition(" ")
    return head if space else quote


def gap(labels: Sequence[str], top: Opinion | None, wording: Wording) -> Draft:
    """Return an abstention: the classifier sees what no section of this rulebook speaks of."""
    names = phrases("embedded")["labels"]
    told = ", ".join(names.get(label, label) for label in labels)
    return _abstention(
        "policy_gap", top, wording, wording.say("abstain", "policy_gap", labels=told)
    )


def contradicted(labels: Sequence[str], top: Opinion | None, wording: Wording) -> Draft:
    """Return an abstention: no section seems broken, and the classifier is over its line."""
    names = phrases("embedded")["labels"]
    rationale = wording.say(
        "abstain",
        "contradicted",
        labels=", ".join(names.get(label, label) for label in labels),
        section=top.section_id if top else wording.say("abstain", "nothing"),
        terms_against=(wording.speaking_against(top) if top else "")
        or wording.say("abstain", "nothing"),
    )
    return _abstention("ambiguous_content", top, wording, rationale)


def foreign(language: str, top: Opinion | None, wording: Wording) -> Draft:
    """Return an abstention: the content is in a language that this model does not read."""
    rationale = wording.say("abstain", "foreign", language=language)
    return _abstention("ambiguous_content", top, wording, rationale)


def too_long(words: int, most: int, top: Opinion | None, wording: Wording) -> Draft:
    """Return an abstention: the content is longer than what this model was fitted to."""
    section = top.section_id if top else wording.say("abstain", "nothing")
    rationale = wording.say("abstain", "too_long", words=words, most=most, section=section)
    return _abstention("ambiguous_content", top, wording, rationale)


def doubt(reason: AbstainReason, top: Opinion, wording: Wording) -> Draft:
    """Return an abstention between the two lines, with the evidence on both sides."""
    nothing = wording.say("abstain", "nothing")
    rationale = wording.say(
        "abstain",
        reason,
        section=top.section_id,
        probability=top.probability,
        allowed=wording.weighing.allowed_line,
        violating=wording.weighing.violating_line,
        terms_for=wording.speaking_for(top) or nothing,
        terms_against=wording.speaking_against(top) or nothing,
    )
    return _abstention(reason, top, wording, rationale)


def _abstention(
    reason: AbstainReason, top: Opinion | None, wording: Wording, rationale: str
) -> Draft:
    example = top.evidence.closest.allowed_example if top else ""
    key = "against" if example else "against_nothing"
    return Draft(
        decision="abstain",
        abstain_reason=reason,
        confidence=0.0,
        rationale=rationale,
        counterargument=wording.say("abstain", key, example=example),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

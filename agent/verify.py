"""Let an opinion stand only if its grounds can be checked. Code only: no model, no judgement.

A reviewer that cannot show its grounds has none. So every ground of a draft must cite a section
of this rulebook that the model was shown, with words that stand in that section and words that
stand in the content, and with a severity that the section allows. Whatever fails is named, so that
the model can put it right once; whatever fails again goes to a person.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from agent.forbidding import is_cut_off, only_permits
from agent.model import Fault
from agent.quotes import find_quote, quote_spans
from agent.verdict import Draft, Ground, Violation
from errors import shown
from policies.rulebook import Rulebook, Section

TEXT = "text"
"""The source whose offsets a verdict gives: the text of the case."""

FEWEST_POLICY_WORDS = 4
"""Fewer words than this are in every section, and so they are a quote of none."""


def verify(
    draft: Draft,
    *,
    rulebook: Rulebook,
    shown_sections: Collection[str],
    sources: Mapping[str, str],
) -> tuple[tuple[Violation, ...], tuple[Fault, ...]]:
    """Return the grounds that were proved, and the faults; a draft stands only without faults.

    Args:
        draft: What the model concluded.
        rulebook: The rulebook of this review; a section of another one does not count.
        shown_sections: Ids of the sections that the model was shown.
        sources: What may be quoted as content, by name; see `Brief.sources`.
    """
    faults = list(_contradictions(draft))
    violations: list[Violation] = []
    for number, ground in enumerate(draft.violations, start=1):
        where = f"ground {number} ({shown(ground.section)})"
        section = rulebook.section(ground.section)
        found = _section_faults(ground, section, shown_sections, where)
        if section is not None:
            found += _policy_quote_faults(ground, section, where)
        span, content_faults = _content_place(ground, sources, where)
        found += content_faults
        faults += found
        if section is not None and not found:
            violations.append(_proved(ground, section, span, sources))
    return tuple(violations), tuple(faults)


def _contradictions(draft: Draft) -> list[Fault]:
    """What a draft may not say at once."""
    faults = []
    if draft.decision == "violating" and not draft.violations:
        faults.append(Fault("no_grounds", "decision is violating, but no section is cited"))
    if draft.decision != "violating" and draft.violations:
        faults.append(
            Fault("contradiction", f"decision is {draft.decision}, but violations are listed")
        )
    if draft.decision == "abstain" and draft.abstain_reason is None:
        faults.append(Fault("no_reason", "decision is abstain, but abstain_reason is missing"))
    if draft.decision != "abstain" and draft.abstain_reason is not None:
        faults.append(
            Fault("contradiction", f"decision is {draft.decision}, but an abstain_reason is given")
        )
    faults += [
        Fault("no_argument", f"{name} is empty")
        for name in ("rationale", "counterargument")
        if not getattr(draft, name).strip()
    ]
    cited = [(ground.section, ground.content_quote) for ground in draft.violations]
    if len(set(cited)) != len(cited):
        faults.append(Fault("double_ground", "the same section is cited twice for the same words"))
    return faults


def _section_faults(
    ground: Ground, section: Section | None, shown_sections: Collection[str], where: str
) -> list[Fault]:
    if section is None:
        return [Fault("unknown_section", f"{where}: this rulebook has no such section")]
    if section.id not in shown_sections:
        return [Fault("section_not_shown", f"{where}: this section was not among those shown")]
    if ground.severity not in section.severities:
        allowed = " or ".join(section.severities)
        return [
            Fault("severity", f"{where}: severity {ground.severity}, the section allows {allowed}")
        ]
    return []


def _policy_quote_faults(ground: Ground, section: Section, where: str) -> list[Fault]:
    """The quote must be the section's own words, and words that forbid rather than excuse."""
    quote = ground.policy_quote
    if find_quote(quote, section.text) is None:
        return [
            Fault(
                "policy_quote",
                f"{where}: policy_quote {shown(quote)} does not stand word for word in the section",
            )
        ]
    forbidding = [section.title, section.rule, *section.violates]
    places = [text for text in forbidding if find_quote(quote, text) is not None]
    if not places:
        return [
            Fault("policy_quote_allows", f"{where}: policy_quote is taken from what is allowed")
        ]
    if places == [section.rule]:
        found = _half_said(quote, section.rule, where)
        if found:
            return found
    whole = any(find_quote(text, quote) is not None for text in places)
    if len(quote.split()) < FEWEST_POLICY_WORDS and not whole:
        return [Fault("policy_quote_short", f"{where}: policy_quote is too short to be a ground")]
    return []


def _half_said(quote: str, rule: str, where: str) -> list[Fault]:
    """What is wrong with words of a rule that say something else than their sentence says."""
    spans = quote_spans(quote, rule)
    if all(only_permits(rule, *span) for span in spans):
        return [Fault("policy_quote_allows", f"{where}: policy_quote says only what is allowed")]
    if all(is_cut_off(rule, *span) for span in spans):
        return [
            Fault(
                "policy_quote_cut",
                f"{where}: policy_quote leaves out what forbids; quote the sentence from its start",
            )
        ]
    return []


def _content_place(
    ground: Ground, sources: Mapping[str, str], where: str
) -> tuple[tuple[int, int] | None, list[Fault]]:
    """Where the content quote stands: offsets in the text, or None for another source."""
    spans = quote_spans(ground.content_quote, sources.get(TEXT, ""))
    if ground.content_span is not None:
        if ground.content_span in spans:
            return ground.content_span, []
        return None, [
            Fault(
                "content_span",
                f"{where}: content_span {list(ground.content_span)} does not hold the quote",
            )
        ]
    if spans:
        return spans[0], []
    others = [text for name, text in sources.items() if name != TEXT]
    if any(find_quote(ground.content_quote, text) is not None for text in others):
        return None, []
    return None, [
        Fault(
            "content_quote",
            f"{where}: content_quote {shown(ground.content_quote)} does not stand word for word "
            "in the content",
        )
    ]


def _proved(
    ground: Ground,
    section: Section,
    span: tuple[int, int] | None,
    sources: Mapping[str, str],
) -> Violation:
    """The ground with both quotes exactly as the section and the content have them."""
    policy_span = find_quote(ground.policy_quote, section.text)
    exact = {
        "policy_quote": section.text[slice(*policy_span)] if policy_span else ground.policy_quote,
        "content_quote": sources[TEXT][slice(*span)] if span else ground.content_quote,
        "content_span": span,
    }
    return Violation.model_validate(ground.model_dump() | exact)


def recheck(
    violations: Sequence[Violation], *, rulebook: Rulebook, sources: Mapping[str, str]
) -> tuple[Fault, ...]:
    """Check the grounds of a finished verdict again, offsets included.

    For whoever reads verdicts that they did not make: replay, evaluation, an importer.
    """
    faults: list[Fault] = []
    for number, violation in enumerate(violations, start=1):
        where = f"ground {number} ({shown(violation.section)})"
        section = rulebook.section(violation.section)
        faults += _section_faults(violation, section, {violation.section}, where)
        if section is not None:
            faults += _policy_quote_faults(violation, section, where)
        faults += _content_place(violation, sources, where)[1]
    return tuple(faults)

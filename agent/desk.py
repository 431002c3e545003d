"""Lay the desk: bind the index, the records, the classifier and the tools to one reviewer model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from agent.cascade import Cascade, read_lines
from agent.embedded.model import READS, open_embedded
from agent.language import language_of
from agent.llm.options import is_language_model
from agent.phrases import prompts_id
from agent.state import Desk
from agent.steering import steering_signs
from agent.verdict import PrecedentReference
from errors import ToolError, shown
from policies.rulebook import Rulebook, Section
from records.accounts import find_account
from records.links import link_hits
from records.precedents import find_precedents
from records.precedents import precedents as kept_precedents
from records.store import Records
from retrieval.embedder import Embedder
from retrieval.encoder import LabelEncoder, open_label_encoder
from retrieval.index import open_policy_index, search
from retrieval.injection import InjectionDetector, open_injection_detector
from retrieval.precedents import nearest, open_precedent_index, sync
from tools.account_history import account_history
from tools.classifier.model import open_classifier
from tools.classifier_score import classifier_score
from tools.list import use_tool
from tools.precedents import FoundPrecedent, nearest_decided, precedents
from tools.search_policy import search_policy
from tools.tool import Tool
from tools.url_reputation import url_reputation

if TYPE_CHECKING:
    from agent.reviewer import Options

RECENT_POSTS = 20
"""So many recent posts of an account are read when the account itself is up for judgement."""

SHORT_POST = 150
"""Words up to which a text crosses the detector's usual line, and not the stricter one."""

FindPrecedents = Callable[[str], Sequence[FoundPrecedent]]


@dataclass(frozen=True)
class LaidDesk:
    """A desk, who is asked before its model, and what has to be closed in the end."""

    desk: Desk
    cascade: Cascade | None = None
    closing: Sequence[Callable[[], None]] = ()


def lay_desk(
    options: Options,
    rulebook: Rulebook,
    *,
    records: Records,
    embedder: Embedder,
    now: Callable[[], datetime],
) -> LaidDesk:
    """Return a desk with everything on it that the options ask for.

    Raises:
        AmicusError: The index, the weights or the connection of a model cannot be opened.
    """
    first = _embedded_desk(options, rulebook, records=records, embedder=embedder, now=now)
    if not is_language_model(options.model):
        return LaidDesk(first)

    from agent.llm.language_model import every_section
    from agent.llm.opening import open_language_model

    model, closing = open_language_model(
        options.model, options.language, rulebook, home=options.users_home
    )
    sections = (
        every_section(first.sections, rulebook) if model.shows_whole_rulebook else first.sections
    )
    desk = replace(first, model=model, sections=sections)
    if not options.cascade:
        return LaidDesk(desk, closing=closing)
    lines = read_lines(
        options.users_home, first=first.model.name, second=model.name, rulebook=rulebook.id
    )
    return LaidDesk(desk, Cascade(first, lines, model.name), closing)


def _embedded_desk(
    options: Options,
    rulebook: Rulebook,
    *,
    records: Records,
    embedder: Embedder,
    now: Callable[[], datetime],
) -> Desk:
    index = open_policy_index(rulebook, embedder, options.home)
    detector = _shipped_detector(options.threads)
    classifier = open_classifier(_shipped_encoder(options.threads), detector=detector)

    def sections(text: str) -> list[Section]:
        return [hit.section for hit in search(index, text, limit=options.limits.sections)]

    find = _precedent_search(options, rulebook, records, embedder)
    tools: tuple[Tool, ...] = (
        search_policy(sections, version=rulebook.id.removeprefix("sha256:")[:12]),
        account_history(partial(find_account, records), now=now),
        url_reputation(lists=partial(link_hits, records), lookups=options.lookups),
        classifier_score(classifier),
        precedents(find, version=embedder.name),
    )
    return Desk(
        rulebook=rulebook,
        model=open_embedded(rulebook, index, classifier, embedder=embedder),
        tools=tools,
        prompts=prompts_id(),
        sections=sections,
        precedents=lambda text: [_reference(found) for found in find(text)],
        account_texts=partial(account_texts, records),
        signs=partial(steering_signs, is_order=partial(_is_order, detector)),
        language=language_of,
        use=use_tool(tools),
        clock=time.monotonic,
        limits=options.limits,
    )


def _is_order(detector: InjectionDetector, text: str) -> bool:
    """Whether a text is over the line; over the stricter one where it is long or not English.

    Of other languages the detector has read little, and a long text has many windows
    (models/injection/CARD.md).
    """
    usual = len(text.split()) <= SHORT_POST and language_of(text) in READS
    return detector.score(text) >= (detector.line if usual else detector.strict_line)


@lru_cache(maxsize=2)
def _shipped_detector(threads: int) -> InjectionDetector:
    """The injection detector, loaded once however many desks are laid."""
    return open_injection_detector(threads=threads)


@lru_cache(maxsize=2)
def _shipped_encoder(threads: int) -> LabelEncoder:
    """The encoder of labels, loaded once however many desks are laid."""
    return open_label_encoder(threads=threads)


def _precedent_search(
    options: Options, rulebook: Rulebook, records: Records, embedder: Embedder
) -> FindPrecedents:
    """The search for decided cases, over an index that holds what the records hold now."""
    index = open_precedent_index(embedder, options.home)
    sync(index, ((kept.case_id, kept.text) for kept in kept_precedents(records)))

    def find(text: str) -> list[FoundPrecedent]:
        return nearest_decided(
            text,
            nearest=lambda query, limit: [
                (hit.case_id, hit.similarity) for hit in nearest(index, query, limit=limit)
            ],
            decided=partial(find_precedents, records),
            rulebook=rulebook,
        )

    return find


def _reference(found: FoundPrecedent) -> PrecedentReference:
    return PrecedentReference(
        case_id=found.case_id, decision=found.decision, section=found.section, stale=found.stale
    )


def account_texts(records: Records, account_id: str) -> Mapping[str, str]:
    """Return what an account says of itself and has posted lately, by name of the place.

    Raises:
        ToolError: Nothing is known of the account.
    """
    account = find_account(records, account_id)
    if account is None:
        raise ToolError(f"nothing is known of the account {shown(account_id)}")
    texts = {"display name": account.display_name, "bio": account.bio}
    texts |= {
        f"post {number}": post.text
        for number, post in enumerate(account.recent[:RECENT_POSTS], start=1)
    }
    return {place: text for place, text in texts.items() if text.strip()}

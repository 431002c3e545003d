"""Ask a language model for another wording of one sentence; a comparison and a person decide.

The answer of a model is a proposal and nothing more: it is put into a copy of the rulebook, read
as strictly as any rule, and always compared with the wording in use before anybody sees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.case import Case
from agent.llm.asking import Line
from agent.llm.exchange import Message, Reply, Request
from agent.llm.one_object import one_object
from agent.llm.prompts import DrawMarker, block, fresh_marker
from agent.llm.structured import read_prose
from agent.llm.unusable import UnusableReplyError
from agent.quotes import find_quote
from agent.reviewer import Options
from errors import InputError, UsageError, shown
from evals.golden import GoldenCase
from evals.wording.comparison import Plan, WordingComparison, compare_wordings
from evals.wording.side_by_side import side_by_side
from evals.wording.texts import Wording, Wordings
from evals.wording.writing import with_section
from policies.rulebook import Rulebook, Section
from retrieval.index import sentences

LONGEST_SENTENCE = 600
LONGEST_ANSWER = 4_000
MOST_OUTPUT_TOKENS = 500


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    instead: str = Field(min_length=10, max_length=LONGEST_SENTENCE, pattern=r"^[^\n#]+$")
    fixes: str = Field(min_length=1, max_length=1_000)


@dataclass(frozen=True)
class Suggestion:
    """Another wording of a sentence, and what it does."""

    section: str
    sentence: str
    instead: str
    fixes: str
    """What it is meant to fix, in the words of the model."""
    rulebook: Rulebook
    """The rules with it."""
    cost_usd: float


@dataclass(frozen=True)
class Wish:
    """What somebody wants of a sentence."""

    section: str
    aim: str
    """What the new wording is meant to fix."""
    sentence: str = ""
    """Empty takes the first sentence of the rule."""


def suggest(wish: Wish, rulebook: Rulebook, line: Line, draw: DrawMarker) -> Suggestion:
    """Return a model's proposal for a sentence, in a copy of the rulebook.

    Args:
        wish: Which sentence, and what for.
        rulebook: The rules in use.
        line: The way to a language model.
        draw: Draws the marker that no text of the policy can hold.

    Raises:
        InputError: There is no such section or sentence.
        ModelError: The model gave no usable answer.
        RulebookError: The rules cannot be read with its sentence in them.
    """
    section = rulebook.section(wish.section)
    if section is None:
        raise InputError(
            f"this rulebook has no section {shown(wish.section)}",
            hint="see them all with: amicus policy list",
        )
    start, end = _place(section, wish)
    sentence = section.rule[start:end]
    marker = fresh_marker([section.text, sentence, wish.aim], draw)
    answer, usage = line.ask(_request(section, sentence, wish, marker), _read, marker=marker)
    rule = section.rule[:start] + " ".join(answer.instead.split()) + section.rule[end:]
    draft = with_section(rulebook, replace(section, rule=rule))
    return Suggestion(wish.section, sentence, answer.instead, answer.fixes, draft, usage.cost_usd)


def _place(section: Section, wish: Wish) -> tuple[int, int]:
    wanted = wish.sentence or next(iter(sentences(section.rule)), "")
    place = find_quote(wanted, section.rule)
    if place is None:
        raise InputError(
            f"{shown(wanted)} does not stand in the rule of {section.id}",
            hint=f"copy a sentence word for word from: amicus policy show {section.id}",
        )
    return place


def _request(section: Section, sentence: str, wish: Wish, marker: str) -> Request:
    template = (files("evals.wording") / "suggest_prompt.md").read_text("utf-8")
    parts = [
        block("section", section.text, marker),
        block("sentence", sentence, marker),
        block("aim", wish.aim, marker),
    ]
    return Request(
        system=(template.format(marker=marker),),
        messages=(Message("user", "\n\n".join(parts)),),
        max_output_tokens=MOST_OUTPUT_TOKENS,
    )


def _read(reply: Reply) -> _Answer:
    told = one_object(read_prose(reply, longest=LONGEST_ANSWER))
    try:
        return _Answer.model_validate(told)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise UnusableReplyError("fields", detail=f"{place}: {first['msg']}") from None


def tried(
    suggestion: Suggestion,
    rulebook: Rulebook,
    cases: Sequence[GoldenCase | Case],
    options: Options,
    plan: Plan,
) -> WordingComparison:
    """Return what a suggestion does to the cases, beside the wording in use."""
    wordings = Wordings(
        Wording("the wording in use", rulebook),
        Wording(f"the suggestion for {suggestion.section}", suggestion.rulebook),
    )
    with side_by_side(options, wordings) as sides:
        return compare_wordings(wordings, sides, cases, plan)


def check_can_suggest(model: str, *, is_language_model: bool) -> None:
    """Explain itself where there is nobody to ask.

    Raises:
        UsageError: The reviewer model cannot write.
    """
    if not is_language_model:
        raise UsageError(
            f"{model} reads rules and cannot write any: a suggestion needs a language model",
            hint="name one with --model, such as openai:MODEL; to try a wording of your own: "
            "amicus policy compare --new DRAFT",
        )

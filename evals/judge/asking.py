"""Ask a language model for marks: by the rubric, in both orders, as often as wanted.

A judge may favour what comes first (Zheng et al. 2023, "Judging LLM-as-a-Judge", section 3.3), so
each verdict is judged forwards (the case first, the criteria in their order) and backwards (the
verdict first, the criteria turned round). How sure the reviewer was and which model it is are not
shown: neither is part of the words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from agent.llm.asking import Line
from agent.llm.exchange import Message, Mode, Reply, Request
from agent.llm.one_object import one_object
from agent.llm.prompts import DrawMarker, block, fresh_marker, policies_text
from agent.llm.structured import read_prose
from agent.llm.unusable import UnusableReplyError
from errors import ModelError, shown
from evals.judge.rubric import LEAST, MOST, Criterion, Rubric
from evals.run import Recorded
from policies.rulebook import Rulebook

Order = Literal["forwards", "backwards"]
ORDERS: tuple[Order, ...] = get_args(Order)
LONGEST_ANSWER = 8_000
MOST_OUTPUT_TOKENS = 900
_LONGEST_REASON = 1_000
_HOT = 0.7
"""The temperature of repeated samples; one sample alone is taken cold."""


UNSUPPORTED = "unsupported"
_MOST_CLAIMS = 20
Claims = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...], Field(max_length=_MOST_CLAIMS, strict=False)
]


class Mark(BaseModel):
    """A reason and a mark."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    because: Annotated[str, Field(min_length=1, max_length=_LONGEST_REASON)]
    mark: Annotated[int, Field(ge=LEAST, le=MOST)]


@dataclass(frozen=True)
class Judgement:
    """What a judge said about one verdict, once."""

    case_id: str
    order: Order
    sample: int
    marks: Mapping[str, int]
    because: Mapping[str, str]
    unsupported: tuple[str, ...] = ()
    """Claims of the verdict, word for word, that nothing in the case holds."""
    cost_usd: float = 0.0


@dataclass(frozen=True)
class Unjudged:
    """A verdict that the judge gave no usable marks for, and why: it counts nowhere."""

    case_id: str
    order: Order
    sample: int
    why: str


@dataclass(frozen=True)
class Judge:
    """A line to a model that gives marks."""

    line: Line
    rubric: Rubric
    rulebook: Rulebook
    draw: DrawMarker
    mode: Mode = "text"
    samples: int = 1

    def judge(self, record: Recorded, order: Order, sample: int) -> Judgement:
        """Return the marks for the words of one verdict.

        Raises:
            ModelError: There is no usable answer.
        """
        request, marker = self._request(record, order, sample)
        spoken = [record.verdict.rationale, *(g.why for g in record.verdict.violations)]
        answer, usage = self.line.ask(
            request, lambda reply: read_answer(reply, self.rubric, spoken=spoken), marker=marker
        )
        return Judgement(
            record.case_id,
            order,
            sample,
            {name: one.mark for name, one in answer.marks.items()},
            {name: one.because for name, one in answer.marks.items()},
            answer.unsupported,
            usage.cost_usd,
        )

    def _request(self, record: Recorded, order: Order, sample: int) -> tuple[Request, str]:
        schema = form(self.rubric).model_json_schema()
        blocks = material(record)
        marker = fresh_marker(blocks.values(), self.draw)
        names = list(blocks) if order == "forwards" else list(reversed(blocks))
        criteria = self.rubric.criteria if order == "forwards" else self.rubric.criteria[::-1]
        sections = [s for s in self.rulebook.sections if s.id in _shown(record)]
        shown_rules = policies_text(self.rulebook, sections) or "None was shown."
        told = self.rubric.prompt.format(
            criteria="\n\n".join(map(_text_of, criteria)), schema=json.dumps(schema)
        )
        rules = f"# The policies\n\n{shown_rules}\n\nThe marker of this case is {marker}."
        words = "\n\n".join(block(name, blocks[name], marker) for name in names)
        return Request(
            system=(f"{told}\n", rules),
            messages=(Message("user", words),),
            answer_schema=schema if self.mode in {"json_schema", "json"} else None,
            mode=self.mode if self.mode in {"json_schema", "json"} else "text",
            max_output_tokens=MOST_OUTPUT_TOKENS,
            temperature=_HOT if self.samples > 1 else 0.0,
            seed=sample if self.samples > 1 else None,
        ), marker


def _text_of(criterion: Criterion) -> str:
    return criterion.text


def _shown(record: Recorded) -> set[str]:
    """The sections that a judge needs: those considered, those cited, those that would be right."""
    cited = {ground.section for ground in record.verdict.violations}
    return {*record.verdict.sections_considered, *cited, *record.expected.sections}


def material(record: Recorded) -> dict[str, str]:
    """Return what a judge reads, by the name of its block."""
    case, verdict = record.case, record.verdict
    blocks = {"text": case.text or f"the account {case.account_id}"}
    for number, item in enumerate(case.context, start=1):
        blocks[f"context {number}"] = item.text
    wanted = {
        "decision",
        "abstain_reason",
        "rationale",
        "counterargument",
        "needs_human_because",
        "evidence",
    }
    words = verdict.model_dump(mode="json", include=wanted)
    grounds = {"section", "severity", "policy_quote", "content_quote", "why"}
    words["violations"] = [g.model_dump(mode="json", include=grounds) for g in verdict.violations]
    return blocks | {"verdict": json.dumps(words, ensure_ascii=False, indent=1)}


@lru_cache(maxsize=4)
def _form(names: tuple[str, ...]) -> type[BaseModel]:
    fields: dict[str, Any] = {UNSUPPORTED: (Claims, ...)} | dict.fromkeys(names, (Mark, ...))
    created: type[BaseModel] = create_model(
        "marks", __config__=ConfigDict(extra="forbid"), **fields
    )
    return created


def form(rubric: Rubric) -> type[BaseModel]:
    """Return the form of an answer: claims without a ground, and a mark for each criterion."""
    return _form(tuple(criterion.name for criterion in rubric.criteria))


@dataclass(frozen=True)
class ReadAnswer:
    """What a reply of the judge says."""

    marks: Mapping[str, Mark]
    unsupported: tuple[str, ...]


def read_answer(reply: Reply, rubric: Rubric, *, spoken: Sequence[str]) -> ReadAnswer:
    """Return what a reply says.

    Args:
        reply: What came back.
        rubric: What was asked.
        spoken: What the verdict says; a claim that does not stand in it was never made.

    Raises:
        UnusableReplyError: Marks are missing, too many or out of range, or a claim was never made.
    """
    fields = one_object(read_prose(reply, longest=LONGEST_ANSWER))
    try:
        found = form(rubric).model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        detail = f"{shown(place)}: {first['msg']}"
        raise UnusableReplyError("fields", detail=detail) from None
    claims: tuple[str, ...] = getattr(found, UNSUPPORTED)
    for claim in claims:
        if not any(claim in words for words in spoken):
            detail = f"unsupported: the verdict does not say {shown(claim)}"
            raise UnusableReplyError("fields", detail=detail)
    names = [criterion.name for criterion in rubric.criteria]
    return ReadAnswer({name: getattr(found, name) for name in names}, claims)


def judged(
    judge: Judge,
    records: Sequence[Recorded],
    *,
    workers: int = 1,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[list[Judgement], list[Unjudged]]:
    """Return the marks for each verdict, in both orders and as often as the judge samples.

    Raises:
        ModelError: Not one verdict could be judged; says why the first could not.
    """
    asked = [(r, order, n) for r in records for order in ORDERS for n in range(judge.samples)]

    def one(question: tuple[Recorded, Order, int]) -> Judgement | Unjudged:
        record, order, sample = question
        try:
            return judge.judge(record, order, sample)
        except ModelError as error:
            return Unjudged(record.case_id, order, sample, error.message)

    results: list[Judgement | Unjudged] = []
    with ThreadPoolExecutor(workers) as pool:
        for result in pool.map(one, asked):
            results.append(result)
            on_progress(len(results), len(asked))
    marks = [result for result in results if isinstance(result, Judgement)]
    failed = [result for result in results if isinstance(result, Unjudged)]
    if not marks and failed:
        raise ModelError(
            f"the judge gave no usable marks on any of {len(records)} verdicts: {failed[0].why}",
            hint="try the model with `amicus doctor`, or another one with --model",
        )
    return marks, failed

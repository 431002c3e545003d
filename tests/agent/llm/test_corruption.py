"""Tens of thousands of broken answers: none becomes another verdict, hardly a whole one is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.case import Case
from agent.graph import judge
from agent.llm.exchange import Finish
from agent.llm.language_model import LanguageModel
from agent.state import Desk
from evals.corruption import (
    VERDICTS,
    Spoiled,
    instructor_reader,
    read_by_us,
    says_itself,
    spoiled,
    tallied,
)
from tests.agent.llm.scripted import TEXT, ScriptedProvider, says


@pytest.fixture(scope="module")
def answers() -> Sequence[Spoiled]:
    return list(spoiled(fuzzed=6_000))


@pytest.mark.slow
def test_no_broken_answer_becomes_another_verdict_and_hardly_a_whole_one_is_lost(
    answers: Sequence[Spoiled],
) -> None:
    ours = tallied(read_by_us, answers)["all"]

    assert ours.answers >= 20_000
    assert ours.examples == []
    assert ours.wrong == 0
    assert ours.recovered >= 0.99 * ours.whole > 0


@pytest.mark.slow
def test_the_answers_are_worth_the_trouble(answers: Sequence[Spoiled]) -> None:
    """They are many, they differ, and a library that is widely used reads many of them wrongly."""
    plain = tallied(instructor_reader(), answers[::7])["all"]

    assert len({repr(answer.reply) for answer in answers}) >= 20_000
    assert plain.wrong > 50
    assert plain.recovered < plain.whole


@pytest.mark.slow
def test_what_stays_broken_is_an_abstention_and_what_comes_right_a_verdict(
    answers: Sequence[Spoiled],
    model: Callable[..., LanguageModel],
    desk: Callable[..., Desk],
) -> None:
    """In the graph, where a model may answer twice and its grounds are checked."""
    case = Case(id="c-1", text=TEXT)
    for answer in answers[::101]:
        provider = ScriptedProvider(*[answer.reply] * 4)
        verdict = judge(case, desk(model(provider)))
        read = read_by_us(answer.reply)
        assert verdict.decision in {"abstain", read.decision if read else "abstain"}, answer
        assert verdict.needs_human or read is not None


PLAIN = st.sampled_from([json.dumps(verdict, ensure_ascii=False) for verdict in VERDICTS])
FINISH = st.sampled_from(get_args(Finish))
PIECE = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ['"', "{", "}", "[", "]", ",", ":", '":', "null", "allowed", '"decision":', "\\"]
    ),
)


@given(
    text=PLAIN,
    edits=st.lists(
        st.tuples(st.integers(0, 900), st.integers(0, 30), PIECE), min_size=1, max_size=5
    ),
)
def test_whatever_is_done_to_an_answer_it_says_what_it_says_or_nothing(
    text: str, edits: list[tuple[int, int, str]]
) -> None:
    for place, taken, put in edits:
        text = text[:place] + put + text[place + taken :]
    read = read_by_us(says(text))

    assert read is None or says_itself(says(text), read)


@given(text=PLAIN, end=st.integers(0, 2_000), finish=FINISH)
def test_a_cut_answer_is_never_read(text: str, end: int, finish: Finish) -> None:
    cut = text[: min(end, len(text) - 1)]

    assert read_by_us(says(cut, finish)) is None


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=20))
def test_a_value_that_is_no_verdict_is_not_read_as_one(value: object) -> None:
    assert read_by_us(says(json.dumps(value))) is None

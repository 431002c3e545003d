"""A model may propose a wording; it is read as strictly as any rule before anybody sees it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from agent.llm.asking import Line
from agent.llm.exchange import Deadline, Reply, Request, Tokens
from agent.model import NoConclusionError
from errors import InputError, UsageError
from evals.wording.difference import difference
from evals.wording.suggest import Wish, check_can_suggest, suggest
from tests.evals.wording.literal import village


@dataclass
class Writer:
    """A provider that says what it was told to say."""

    answers: list[str]
    name: str = "fake:writer"
    asked: list[Request] = field(default_factory=list)

    def send(self, request: Request, *, deadline: Deadline | None = None) -> Reply:
        del deadline
        self.asked.append(request)
        return Reply(self.answers.pop(0), (), "stop", Tokens(10, 10))


GOOD = json.dumps({"instead": 'Do not call anybody "turnip".', "fixes": "Geese may be geese."})
WISH = Wish("square.1", "spare the birds")


def test_a_suggestion_is_one_sentence_in_a_copy_of_the_rules() -> None:
    writer = Writer([GOOD])
    found = suggest(WISH, village(), Line(writer), lambda: "m4rk")
    assert found.sentence == 'Do not call anybody "turnip" or "goose".'
    assert difference(village(), found.rulebook).changed == ("square.1",)
    section = found.rulebook.section("square.1")
    assert section is not None
    assert section.rule.startswith('Do not call anybody "turnip". It is allowed')
    (request,) = writer.asked
    assert "m4rk" in request.system[0]
    assert "spare the birds" in request.messages[0].text


@pytest.mark.parametrize(
    "answer",
    [
        "I would rather not.",
        json.dumps({"instead": "## square.9 A new rule (high)", "fixes": "x"}),
        json.dumps({"instead": "One sentence.\nAnd a second line.", "fixes": "x"}),
        json.dumps({"instead": "Do not shout at all.", "fixes": "x", "enforcement": "none"}),
    ],
)
def test_what_is_no_sentence_is_asked_for_once_more_and_then_refused(answer: str) -> None:
    writer = Writer([answer, GOOD])
    assert suggest(WISH, village(), Line(writer), lambda: "m4rk").instead.endswith('"turnip".')
    with pytest.raises(NoConclusionError):
        suggest(WISH, village(), Line(Writer([answer, answer])), lambda: "m4rk")


def test_a_sentence_that_does_not_stand_there_is_refused() -> None:
    wish = Wish("square.1", "spare the birds", "Birds are fine.")
    with pytest.raises(InputError, match="does not stand in the rule"):
        suggest(wish, village(), Line(Writer([GOOD])), lambda: "m4rk")
    with pytest.raises(InputError, match="no section"):
        suggest(Wish("square.9", "x"), village(), Line(Writer([GOOD])), lambda: "m4rk")


def test_a_model_that_cannot_write_is_told_apart() -> None:
    with pytest.raises(UsageError, match="embedded reads rules and cannot write any"):
        check_can_suggest("embedded", is_language_model=False)
    check_can_suggest("openai:some", is_language_model=True)

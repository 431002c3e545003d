"""A case that comes out differently each time has no verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.llm.samples import Sampling, agreement, judged_often
from agent.model import Conclusion, NoConclusionError
from agent.verdict import Draft, Usage
from tests.agent.llm.scripted import ALLOWED, VERDICT

HATE = Draft.model_validate(VERDICT)
FINE = Draft.model_validate(ALLOWED)
ONE_CALL = Usage(model_calls=1, input_tokens=100, output_tokens=10, cost_usd=0.01)
FAILED = NoConclusionError("model_error", "no usable answer", usage=ONE_CALL)


def on(*sections: str, confidence: float = 0.9) -> Draft:
    ground = HATE.violations[0]
    grounds = tuple(ground.model_copy(update={"section": section}) for section in sections)
    return HATE.model_copy(update={"violations": grounds, "confidence": confidence})


def judged(
    *outcomes: Draft | NoConclusionError,
    least: float = 0.6,
    stands: Callable[[Draft], bool] = lambda _: True,
) -> Conclusion:
    def judge(number: int) -> Conclusion:
        outcome = outcomes[number]
        if isinstance(outcome, NoConclusionError):
            raise outcome
        return Conclusion(outcome, ONE_CALL)

    return judged_often(judge, Sampling(len(outcomes), least), stands=stands)


def test_samples_that_agree_give_their_verdict_with_their_mean_confidence() -> None:
    conclusion = judged(on("a.1", confidence=0.8), on("a.1", confidence=1.0))

    assert conclusion.draft.decision == "violating"
    assert conclusion.draft.confidence == pytest.approx(0.9)


def test_every_sample_is_paid_for() -> None:
    usage = judged(HATE, HATE, FAILED).usage

    assert (usage.model_calls, usage.input_tokens) == (3, 300)
    assert usage.cost_usd == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ((HATE, HATE, HATE), 1.0),
        ((HATE, HATE, FINE), 2 / 3),
        ((on("a.1"), on("a.1", "a.2")), 0.75),
        ((on("a.1"), on("a.2")), 0.5),
        ((FINE, None), 0.5),
        ((FINE, FINE), 1.0),
    ],
)
def test_agreement_is_the_mean_likeness(samples: tuple[Draft | None, ...], expected: float) -> None:
    first = samples[0]
    assert first is not None
    assert agreement(first, samples) == pytest.approx(expected)


def test_disagreement_lowers_the_confidence() -> None:
    conclusion = judged(HATE, HATE, FINE)

    assert conclusion.draft.decision == "violating"
    assert conclusion.draft.confidence == pytest.approx(0.9 * 2 / 3, abs=1e-4)


@pytest.mark.parametrize(
    "outcomes",
    [(HATE, FINE), (on("a.1"), on("b.1"), on("c.1")), (FINE, FAILED), (HATE, FAILED, FINE)],
)
def test_too_much_difference_is_no_verdict(outcomes: tuple[Any, ...]) -> None:
    draft = judged(*outcomes).draft

    assert (draft.decision, draft.abstain_reason) == ("abstain", "unstable")
    assert draft.confidence == 0
    assert f"{len(outcomes)} times" in draft.rationale


def test_what_differed_is_told() -> None:
    draft = judged(on("a.1"), FINE, FAILED, least=0.9).draft

    assert "1 times violating under a.1" in draft.rationale
    assert "1 times allowed" in draft.rationale
    assert "without a usable answer" in draft.rationale


def test_of_equals_the_one_whose_grounds_hold_speaks() -> None:
    shaky, firm = (HATE.model_copy(update={"rationale": words}) for words in ("shaky", "firm"))

    assert judged(shaky, firm, stands=lambda d: d.rationale == "firm").draft.rationale == "firm"


def test_no_answer_at_all_is_an_error_that_says_what_it_cost() -> None:
    with pytest.raises(NoConclusionError) as raised:
        judged(FAILED, FAILED)

    assert raised.value.usage.model_calls == 2


def test_a_spent_budget_ends_it_at_once() -> None:
    spent = NoConclusionError("budget", "the day's budget is spent")
    with pytest.raises(NoConclusionError) as raised:
        judged(HATE, spent, HATE)

    assert raised.value.reason == "budget"
    assert raised.value.usage.model_calls == 1

"""A reviewer model that says what it was told to say: for tests and documentation.

It fails on a call that it was not told of, and `done` fails on steps that are left over, so that a
test proves what was asked of the model as well as what came of the answers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from agent.model import Brief, Conclusion, Consultation, ToolCall
from agent.verdict import Draft
from errors import ModelError

Step = Draft | ModelError | tuple[ToolCall, ...]
ScriptStep = Step | Callable[[Brief], Step]


class ScriptedModel:
    """Plays its steps in order: tool calls for `consult`, drafts or errors for `decide`.

    A step may be a function of the brief, to assert what the model was shown.
    """

    def __init__(self, *steps: ScriptStep, name: str = "scripted") -> None:
        """Keep the steps; an empty tuple is a consultation that asks for nothing."""
        self.name = name
        self._steps = deque(steps)

    def consult(self, brief: Brief) -> Consultation:
        """Play the next step, which must be tool calls or an error."""
        step = self._next(brief, "consult")
        if not isinstance(step, tuple):
            raise _off_script(f"asked to consult, but the next step is {step!r}")
        return Consultation(step)

    def decide(self, brief: Brief) -> Conclusion:
        """Play the next step, which must be a draft or an error."""
        step = self._next(brief, "decide")
        if not isinstance(step, Draft):
            raise _off_script(f"asked to decide, but the next step is {step!r}")
        return Conclusion(step)

    def done(self) -> None:
        """Fail if steps are left over."""
        if self._steps:
            raise _off_script(f"{len(self._steps)} steps were never asked for: {self._steps!r}")

    def _next(self, brief: Brief, question: str) -> Draft | tuple[ToolCall, ...]:
        if not self._steps:
            raise _off_script(f"asked to {question}, but the script is over")
        step = self._steps.popleft()
        played = step(brief) if callable(step) else step
        if isinstance(played, ModelError):
            raise played
        return played


def _off_script(message: str) -> AssertionError:
    """An assertion, so that no handler of product errors can swallow it."""
    return AssertionError(message)

"""The batch APIs of both simulated providers: whose is it, and what goes wrong around it."""

from __future__ import annotations

from collections.abc import Callable

from tests.wire import anthropic_batches, anthropic_wire, openai_batches, openai_wire
from tests.wire.answers import Refused
from tests.wire.batches import Batching, React, as_json, broken_as_told
from tests.wire.loopback import Received, Sent
from tests.wire.problem import ProblemError

_OPENAI = ("/v1/files", "/v1/batches")
_ANTHROPIC = ("/v1/messages/batches",)


def answer(
    received: Received,
    batching: Batching,
    react: React,
    check_key: Callable[[Received], None],
) -> Sent | None:
    """Answer a request about batches; None leaves it to others.

    Args:
        received: The request.
        batching: What becomes of batches.
        react: What becomes of the requests in them.
        check_key: Refuses a wrong key.
    """
    if not received.path.startswith(_OPENAI + _ANTHROPIC):
        return None
    is_openai = received.path.startswith(_OPENAI)
    api = openai_batches.answer if is_openai else anthropic_batches.answer
    worded = openai_wire.error_body if is_openai else anthropic_wire.error_body
    upset, sent = batching.upset(received), None
    try:
        check_key(received)
        if upset is None or batching.acts_though_upset:
            sent = api(received, batching, react)
    except ProblemError as problem:
        refused = Refused(problem.status, problem.message, problem.code, problem.param)
        return as_json(worded(refused), refused.status)
    if isinstance(upset, Refused):
        return Sent(upset.status, upset.headers, as_json(worded(upset)).body)
    return sent if upset is None else broken_as_told(upset)

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from agent.llm.exchange import (
    ProviderError,
    RateLimitedError,
    RefusedRequestError,
    UnavailableError,
)
from agent.llm.transport_errors import Failures, retry_after

NOW = 1_790_000_000.0
FAILURES = Failures("openai:m", "sk-planted", now=lambda: NOW)
LATER = {"RateLimitedError", "OverloadedError"}


def below(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for child in root.__subclasses__():
        yield from below(child)


def every_class(sdk: ModuleType, root: type[Exception]) -> list[Any]:
    classes = sorted(set(below(root)), key=lambda found: (found.__module__, found.__name__))
    return [
        pytest.param(sdk, found, id=f"{sdk.__name__}.{found.__name__}")
        for found in classes
        if found.__module__.startswith(sdk.__name__)
    ]


def made(sdk: ModuleType, found: type[Exception]) -> Exception:
    """An error of the SDK as it would be raised."""
    error = found.__new__(found)
    error.args = ("something about sk-planted",)
    request = httpx2.Request("POST", "http://here/", headers={"authorization": "sk-planted"})
    status = getattr(found, "status_code", 500)
    status = status if isinstance(status, int) else 500
    for name, value in {
        "request": request,
        "response": httpx2.Response(status, request=request),
        "status_code": status,
        "body": {"error": {"message": "your key sk-planted is odd"}},
        "message": "something about sk-planted",
    }.items():
        if issubclass(found, sdk.APIError):
            setattr(error, name, value)
    return error


ALL = [*every_class(openai, openai.OpenAIError), *every_class(anthropic, anthropic.AnthropicError)]


def test_the_list_of_classes_is_not_empty() -> None:
    names = {str(parameter.id) for parameter in ALL}
    assert {"openai.RateLimitError", "anthropic.OverloadedError"} <= names
    assert len(names) > 60


@pytest.mark.parametrize(("sdk", "found"), ALL)
def test_every_error_of_both_sdks_becomes_one_of_ours_without_the_key(
    sdk: ModuleType, found: type[Exception]
) -> None:
    ours = FAILURES.from_sdk(sdk, made(sdk, found))
    assert isinstance(ours, RateLimitedError | UnavailableError | RefusedRequestError)
    assert ours.hint
    assert "planted" not in f"{ours!r} {ours.hint}"
    status = getattr(found, "status_code", None)
    if isinstance(status, int):
        expected = expected_for(status)
        assert isinstance(ours, expected)
    elif issubclass(found, sdk.APIConnectionError | sdk.InternalServerError):
        assert isinstance(ours, UnavailableError)


def expected_for(status: int) -> type[ProviderError]:
    if status in {429, 529}:
        return RateLimitedError
    return UnavailableError if status in {408, 409, 499} or status >= 500 else RefusedRequestError


def test_no_error_of_an_sdk_is_an_orphan() -> None:
    for sdk, root in ((openai, openai.OpenAIError), (anthropic, anthropic.AnthropicError)):
        exported = [value for value in list(vars(sdk).values()) if inspect.isclass(value)]
        orphans = {
            value.__name__
            for value in exported
            if issubclass(value, Exception) and not issubclass(value, root | Warning)
        }
        # Raised by the checks of webhooks alone, which are never called here.
        assert orphans <= {"InvalidWebhookSignatureError"}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "Mon, 21 Sep 2026 14:13:50 GMT"}, 30.0),
        ({"retry-after": "Mon, 21 Sep 2020 14:13:50 GMT"}, 0.0),
        ({"retry-after": "Mon, 21 Sep 99999 99:99:99 GMT"}, None),
        ({"retry-after-ms": "inf", "retry-after": "2"}, 2.0),
    ],
)
def test_a_retry_after_may_name_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=NOW) == seconds


@pytest.mark.parametrize(
    "words",
    [
        "Incorrect API key provided: sk-planted. Find yours",
        "Incorrect API key provided: sk-pla***ted. Find yours",
        "Received=sk-planted, expected another",
        "bad header 'Authorization: Bearer planted-otherwise'",
        "key-planted is revoked",
    ],
)
def test_what_a_server_repeats_of_a_key_is_struck_out(words: str) -> None:
    error = FAILURES.from_status(401, {"error": {"message": words}}, {})
    assert "pla" not in error.message.replace("place", "")
    assert "(hidden)" in error.message


def test_the_words_of_a_server_are_short_and_cannot_steer_a_terminal() -> None:
    error = FAILURES.from_status(400, {"error": {"message": "\x1b[31m" + "x" * 5_000}}, {})
    assert "\x1b" not in error.message
    assert len(error.message) < 300

"""What a failed exchange means for us: ask again, ask later, or do not ask again.

Both SDKs draw the same tree of errors, so one reading serves both. An error of theirs holds the
request and with it the key, so none may become the cause or the context of one of ours.
"""

from __future__ import annotations

import email.utils
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.llm.exchange import (
    ProviderError,
    RateLimitedError,
    RefusedRequestError,
    UnavailableError,
)
from errors import shown

_LATER = frozenset({429, 529})
_AGAIN = frozenset({408, 409, 425, 499})
_SERVER_FAULT = 500
BAD_REQUEST = frozenset({400, 422})
"""A parameter may be at fault, named or not."""
_SPENT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
"""Codes with which a provider says 429 when the money is gone: waiting does not help."""
_NO_MONEY = "the account has no credit left"
_HINTS = {
    401: "set the key of this provider, or correct it",
    402: _NO_MONEY,
    403: "this key may not use this model",
    404: "correct the model's name, or the base address",
    413: "the request is too large for this server",
}
_WAITS = (("retry-after-ms", 0.001), ("retry-after", 1.0))
_LONGEST_WORDS = 200
_KEY_LIKE = re.compile(r"\b(?:(?:sk|pk|key)[-_]|bearer\s+)[^\s'\"]+", re.IGNORECASE)


class RefusedParameterError(RefusedRequestError):
    """The provider names the one parameter of the request that it does not take."""

    def __init__(self, message: str, *, hint: str, status: int, parameter: str) -> None:
        """Keep the name of the parameter, as the provider spells it."""
        super().__init__(message, hint=hint, status=status)
        self.parameter = parameter


@dataclass(frozen=True)
class Failures:
    """Makes our errors of what one provider answers and what its SDK raises."""

    who: str
    """Provider and model, as messages name them."""
    secret: str = field(repr=False)
    """The key that is sent; servers repeat it in their complaints, and we do not."""
    now: Callable[[], float] = time.time
    """Seconds since the epoch, for a `Retry-After` that names a date."""

    def from_sdk(self, sdk: Any, error: Exception) -> ProviderError:
        """Return our error for an exception of `sdk`, which is the module openai or anthropic."""
        if isinstance(error, sdk.APIStatusError):
            return self.from_status(error.status_code, error.body, error.response.headers)
        if isinstance(error, sdk.APITimeoutError):
            return UnavailableError(
                f"{self.who} did not answer in time", hint="try again later, or allow more time"
            )
        if isinstance(error, sdk.APIConnectionError):
            return UnavailableError(
                f"{self.who} cannot be reached, or hung up ({_root_cause(error)})",
                hint="is the base address right, and is the server up?",
            )
        if isinstance(error, sdk.APIResponseValidationError):
            return self.unreadable("it has another form")
        if isinstance(error, getattr(sdk, "RetryableError", ())):
            return UnavailableError(f"{self.who} gave no answer", hint="try again later")
        return RefusedRequestError(
            f"the SDK did not ask {self.who} ({type(error).__name__})", hint="correct the request"
        )

    def from_status(self, status: int, body: object, headers: Mapping[str, str]) -> ProviderError:
        """Return our error for an answer that is an error.

        Args:
            status: The HTTP status.
            body: The decoded body: a mapping, text or nothing.
            headers: The headers of the answer.
        """
        code, parameter, words = self._told(body)
        message = f"{self.who} answered {status}" + (f": {words}" if words else "")
        wait = retry_after(headers, now=self.now())
        if code in _SPENT:
            return RefusedRequestError(message, hint=_NO_MONEY, status=status)
        if status in _LATER:
            hint = "wait, or ask less"
            return RateLimitedError(message, hint=hint, retry_after=wait, status=status)
        if status in _AGAIN or status >= _SERVER_FAULT:
            hint = "try again later"
            return UnavailableError(message, hint=hint, retry_after=wait, status=status)
        hint = _HINTS.get(status, "correct the request")
        if parameter and status in BAD_REQUEST:
            return RefusedParameterError(message, hint=hint, status=status, parameter=parameter)
        return RefusedRequestError(message, hint=hint, status=status)

    def unreadable(self, why: str) -> UnavailableError:
        """Return the error for an answer that came, but is none."""
        return UnavailableError(
            f"{self.who} sent an answer that cannot be read: {why}",
            hint="is the base address that of a language model?",
        )

    def _told(self, body: object) -> tuple[str, str, str]:
        """The code, the parameter and the words of an error; no key stands in the words."""
        error: Any = body.get("error", body) if isinstance(body, dict) else body
        if not isinstance(error, dict):
            return "", "", self._harmless(error)
        code = error.get("code") or error.get("type")
        parameter = error.get("param")
        return (
            code if isinstance(code, str) else "",
            parameter if isinstance(parameter, str) else "",
            self._harmless(error.get("message")),
        )

    def _harmless(self, words: object) -> str:
        if not isinstance(words, str) or not words.strip():
            return ""
        without = words.replace(self.secret, "(hidden)") if self.secret else words
        return shown(_KEY_LIKE.sub("(hidden)", without.strip()), _LONGEST_WORDS)


def _root_cause(error: BaseException) -> str:
    """The name of what went wrong first, such as ConnectionRefusedError or zlib.error."""
    while error.__cause__ is not None:
        error = error.__cause__
    kind = type(error)
    return kind.__name__ if kind.__name__[0].isupper() else f"{kind.__module__}.{kind.__name__}"


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds that a provider asks us to wait, or None where it says nothing usable.

    Reads `Retry-After-Ms`, and `Retry-After` as seconds or as a date (RFC 9110, 10.2.3).

    >>> retry_after({"retry-after": "1.5"}, now=0.0)
    1.5
    """
    for name, unit in _WAITS:
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    try:
        date = email.utils.parsedate_tz(headers.get("retry-after"))
        return None if date is None else max(0.0, email.utils.mktime_tz(date) - now)
    except (ValueError, OverflowError):
        return None

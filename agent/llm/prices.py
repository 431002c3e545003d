"""What an exchange costs, by a price file that users edit."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.llm.exchange import Request, Tokens
from errors import SettingsError, shown

_MILLION = 1_000_000
_FRAME = 64
"""Tokens that a provider adds around a message, at most."""

Dollars = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class Price(BaseModel):
    """What a model costs, in dollars for a million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1)
    input: Dollars
    output: Dollars
    cached_input: Dollars | None = None
    cache_write: Dollars | None = None
    batch: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5

    def cost(self, tokens: Tokens) -> float:
        """Return what an exchange cost, in dollars."""
        cached = min(tokens.cached, tokens.input)
        written = min(tokens.cache_written, tokens.input - cached)
        plain = tokens.input - cached - written
        dollars = plain * self.input + tokens.output * self.output
        dollars += cached * (self.input if self.cached_input is None else self.cached_input)
        dollars += written * (self.input if self.cache_write is None else self.cache_write)
        return dollars / _MILLION

    def most(self, request: Request) -> float:
        """Return the most that an exchange can cost, in dollars."""
        dearest = max(self.input, self.cache_write or 0.0, self.cached_input or 0.0)
        dollars = most_tokens(request) * dearest + request.max_output_tokens * self.output
        return dollars / _MILLION


FREE = Price(model="*", input=0.0, output=0.0)
"""A server of one's own: it costs electricity, which nobody counts by the token."""


def most_tokens(request: Request) -> int:
    """Return a number of input tokens that the request cannot exceed.

    No tokenizer makes more tokens of a text than it has bytes. That is far too many for the rules,
    which are plain English, at least two letters a token; so it is assumed of the user's part
    alone, whose author may have chosen the letters for their price.
    """
    system = sum(len(part.encode()) for part in request.system) // 2
    tools = sum(len(repr(tool).encode()) for tool in request.tools) // 2
    schema = len(repr(request.answer_schema).encode()) // 2
    turns = [message.text for message in request.messages]
    turns += [call.arguments for message in request.messages for call in message.calls]
    said = sum(len(turn.encode("utf-8", "surrogatepass")) + _FRAME for turn in turns)
    return system + tools + schema + said


@dataclass(frozen=True)
class PriceFile:
    """The prices of a file, in its order."""

    place: str
    prices: tuple[Price, ...]

    def price_of(self, model: str) -> Price | None:
        """Return the first price that fits a model such as `openai:gpt-5-mini`, or None."""
        fits = (price for price in self.prices if fnmatchcase(model, price.model))
        return next(fits, None)


def read_prices(path: Path | None) -> PriceFile:
    """Return the prices of a file, or the shipped ones.

    Raises:
        SettingsError: The file cannot be read or an entry makes no sense; names it.
    """
    if path is None:
        text = (files("agent") / "llm" / "prices.toml").read_text("utf-8")
        return _parsed(text, "the shipped prices")
    try:
        return _parsed(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise _unusable(str(path), str(reason)) from None


def _parsed(text: str, place: str) -> PriceFile:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unusable(place, f"not TOML: {error}") from None
    entries = data.pop("price", None)
    if data or not isinstance(entries, list):
        raise _unusable(place, "it holds something else than [[price]] entries")
    return PriceFile(place, tuple(_price(n, e, place) for n, e in enumerate(entries, start=1)))


def _price(number: int, entry: Mapping[str, object], place: str) -> Price:
    try:
        return Price.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "entry"
        raise _unusable(
            place, f"price {number}, {field}={shown(first['input'])}: {first['msg']}"
        ) from None


def _unusable(place: str, why: str) -> SettingsError:
    return SettingsError(
        f"{place}: {why}", hint="compare it with agent/llm/prices.toml, which ships with Amicus"
    )

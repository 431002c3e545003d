"""What a field of imported data may hold, the same on every database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

Outcome = Literal["violating", "allowed"]


def _without_nul(text: str) -> str:
    # PostgreSQL cannot store the character, and no honest text holds it.
    if "\0" in text:
        raise ValueError("holds a NUL character")
    return text


def can_be_stored(text: str) -> bool:
    r"""Whether any database of ours takes `text`; what none takes is nowhere to be found.

    >>> can_be_stored("u-1"), can_be_stored("\0"), can_be_stored("\ud800")
    (True, False, False)
    """
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the years 1 to 9999") from None


Text = Annotated[str, AfterValidator(_without_nul)]
Id = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\s\x00-\x1f\x7f]+$")]
OptionalId = Annotated[str, Field(max_length=200, pattern=r"^[^\s\x00-\x1f\x7f]*$")]
Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Border(BaseModel):
    """Data that enters: unknown fields are refused, and nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)

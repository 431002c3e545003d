"""What a block list can say about links; who keeps the lists, no tool needs to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class ListHit(Protocol):
    """An entry of a block list that a host or a link matches."""

    @property
    def list_name(self) -> str:
        """The list."""

    @property
    def entry(self) -> str:
        """What stands in it."""

    @property
    def kind(self) -> str:
        """Whether the entry is a host or a whole link."""

    @property
    def category(self) -> str:
        """What the list says of it, such as "malware"; may be empty."""


class Lists(Protocol):
    """Ask the block lists: which entries match one of these hosts or links?

    An entry for a host is expected to match the hosts below it as well.
    """

    def __call__(self, hosts: Sequence[str], urls: Sequence[str], /) -> Sequence[ListHit]:
        """Return every entry that matches."""

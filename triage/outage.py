"""Is it the case, or is it the model? A case that fails alone is poison; all that fail, an outage.

During an outage nothing is anybody's fault: cases wait, and a few are tried now and then.
"""

from __future__ import annotations

from collections.abc import Callable

SUSPECTS = 3
"""So many different cases that fail one after another make an outage."""
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 60.0


class Outage:
    """Watches how reviews end; times are seconds of `clock`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Expect no outage."""
        self._clock = clock
        self._failed: set[str] = set()
        self._pause = FIRST_PAUSE
        self._until: float | None = None
        self.declared = False

    def failed(self, case_id: str) -> None:
        """Tell that a review failed for want of a model; several of them make an outage."""
        self._failed.add(case_id)
        if len(self._failed) < SUSPECTS:
            return
        self._failed.clear()
        if self.declared:
            self._pause = min(LONGEST_PAUSE, 2 * self._pause)
        self.declared = True
        self._until = self._clock() + self._pause

    def succeeded(self) -> None:
        """Tell that a review came to an end: there is a model."""
        self._failed.clear()
        self._pause = FIRST_PAUSE
        self._until = None
        self.declared = False

    @property
    def paused(self) -> bool:
        """Whether nothing is to be tried now."""
        return self._until is not None and self._clock() < self._until

    def room(self, room: int) -> int:
        """Return how many of `room` cases may be taken: none in a pause, a few after it."""
        if self.paused:
            return 0
        return min(room, SUSPECTS) if self.declared else room

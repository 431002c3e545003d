"""Windows over a long text: a violation in one sentence must not be thinned out by the rest."""

from __future__ import annotations

WINDOW_TOKENS = 20
STEP_TOKENS = 10
LONG_TOKENS = 48


def windows(token_count: int) -> list[tuple[int, int]]:
    """Return the token ranges that are scored: the whole text, then windows if it is long.

    Windows overlap by half, so that a passage of up to `STEP_TOKENS` tokens lies in one of them
    undivided.

    >>> windows(40)
    [(0, 40)]
    >>> windows(50)
    [(0, 50), (0, 20), (10, 30), (20, 40), (30, 50)]
    """
    whole = (0, token_count)
    if token_count <= LONG_TOKENS:
        return [whole]
    last = token_count - WINDOW_TOKENS
    starts = [*range(0, last, STEP_TOKENS), last]
    return [whole, *((start, start + WINDOW_TOKENS) for start in starts)]

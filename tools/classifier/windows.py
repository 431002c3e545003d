"""Windows over a long text: a violation in one sentence must not be thinned out by the rest."""

from __future__ import annotations

WINDOW_TOKENS = 64
STEP_TOKENS = 32
LONG_TOKENS = 96


def windows(token_count: int) -> list[tuple[int, int]]:
    """Return the token ranges that are scored: the whole text, then windows if it is long.

    Windows overlap by half, so that a passage of up to `STEP_TOKENS` tokens lies in one of them
    undivided.

    >>> windows(90)
    [(0, 90)]
    >>> windows(120)
    [(0, 120), (0, 64), (32, 96), (56, 120)]
    """
    whole = (0, token_count)
    if token_count <= LONG_TOKENS:
        return [whole]
    last = token_count - WINDOW_TOKENS
    starts = [*range(0, last, STEP_TOKENS), last]
    return [whole, *((start, start + WINDOW_TOKENS) for start in starts)]

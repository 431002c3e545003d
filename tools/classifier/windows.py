"""Windows over a long text: a violation in one sentence must not be thinned out by the rest."""

from __future__ import annotations

WINDOW_TOKENS = 32
STEP_TOKENS = 16
LONG_TOKENS = 48


def windows(token_count: int) -> list[tuple[int, int]]:
    """Return the token ranges that are scored: the whole text, then windows if it is long.

    Windows overlap by half, so that a passage of up to `STEP_TOKENS` tokens lies in one of them
    undivided.

    >>> windows(40)
    [(0, 40)]
    >>> windows(60)
    [(0, 60), (0, 32), (16, 48), (28, 60)]
    """
    whole = (0, token_count)
    if token_count <= LONG_TOKENS:
        return [whole]
    last = token_count - WINDOW_TOKENS
    starts = [*range(0, last, STEP_TOKENS), last]
    return [whole, *((start, start + WINDOW_TOKENS) for start in starts)]

"""The card of the weights, made of what was measured."""

from __future__ import annotations

from pathlib import Path

from training.embedded.fit import FOLDS, MOST_MISSED, MOST_WRONG_REMOVALS, Fitted, shares
from training.embedded.gather import Gathered

TEMPLATE = Path(__file__).with_name("card.md")


def card(fitted: Fitted, gathered: Gathered) -> str:
    """Return `CARD.md`: data, licence, method, figures and limits."""
    weights = fitted.weights
    lines = (weights.allowed_line, weights.violating_line)
    told = shares(fitted.top, fitted.violating, lines)
    return TEMPLATE.read_text("utf-8").format(
        terms=len(weights.weights),
        cases=len(gathered.cases),
        violating=int(fitted.violating.sum()),
        allowed=int((~fitted.violating).sum()),
        rows=len(gathered.rows),
        strength=fitted.strength,
        folds=FOLDS,
        log_loss=fitted.log_loss,
        allowed_line=weights.allowed_line,
        violating_line=weights.violating_line,
        most_missed=MOST_MISSED,
        most_wrong=MOST_WRONG_REMOVALS,
        shares=", ".join(f"{name} {share:.1%}" for name, share in told.items()),
        weights="\n".join(f"| {name} | {w:+.3f} |" for name, w in weights.weights.items()),
        intercept=weights.intercept,
    )

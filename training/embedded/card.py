"""The card of the weights, made of what was measured."""

from __future__ import annotations

from pathlib import Path

from sklearn.metrics import roc_auc_score

from training.embedded.fit import FOLDS, MOST_MISSED, MOST_WRONG_REMOVALS, Fitted, shares
from training.embedded.gather import Gathered

TEMPLATE = Path(__file__).with_name("card.md")


def card(fitted: Fitted, gathered: Gathered) -> str:
    """Return `CARD.md`: data, licence, method, figures and limits."""
    weights = fitted.weights
    lines = (weights.allowed_line, weights.violating_line)
    told = shares(fitted.probability, fitted.violating, lines)
    terms = {
        **{f"section: {name}": weight for name, weight in weights.section.items()},
        **{f"case: {name}": weight for name, weight in weights.case.items()},
        "case: intercept": weights.intercept,
    }
    return TEMPLATE.read_text("utf-8").format(
        cases=len(gathered.cases),
        violating=int(fitted.violating.sum()),
        harmless=sum(case.slices.get("kind") == "everyday" for case in gathered.cases),
        examples=len(gathered.others),
        rows=len(gathered.rows),
        folds=FOLDS,
        auc=roc_auc_score(fitted.violating, fitted.probability),
        right_section=float(fitted.right_section[fitted.violating].mean()),
        allowed_line=weights.allowed_line,
        violating_line=weights.violating_line,
        most_missed=MOST_MISSED,
        most_wrong=MOST_WRONG_REMOVALS,
        shares=", ".join(f"{name} {share:.1%}" for name, share in told.items()),
        weights="\n".join(f"| {name} | {weight:+.3f} |" for name, weight in terms.items()),
    )

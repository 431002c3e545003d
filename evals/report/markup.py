"""Figures and tables as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from evals.estimate import Estimate


def figure(value: float) -> str:
    """Return a figure as the page shows it.

    >>> figure(0.456), figure(12345.0)
    ('0.46', '12,345')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"  # noqa: PLR2004


def figure_cell(estimate: Estimate) -> str:
    """Return an estimate as it stands in a table of the page."""
    if estimate.n == 0:
        return "no data"
    return f"{figure(estimate.value)} [{figure(estimate.low)}, {figure(estimate.high)}]"


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the cells are HTML and must have been escaped."""
    heads = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(
        "<tr>" + "".join(f'<td class="figure">{cell}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )

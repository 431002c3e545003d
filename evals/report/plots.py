"""The plots of the page as SVG: no colour in them, the style sheet knows light from dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from evals.estimate import Estimate
from evals.metrics.calibration import Bin
from evals.metrics.coverage import Point

_SIDE = 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 44
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_ROW = 24
_BAR_WIDTH, _NAME_WIDTH, _VALUE_WIDTH = 164, 104, 82
NOISE = 10
"""The risk among fewer cases than this jumps about and is not drawn."""


@dataclass(frozen=True)
class _Square:
    """A square of axes; the upper end of y may be less than one."""

    top: float = 1.0

    def x(self, value: float) -> float:
        return round(_LEFT + value * (_SIDE - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        return round(_SIDE - _BOTTOM - value / self.top * (_SIDE - _TOP - _BOTTOM), 1)


def reliability_plot(bins: Sequence[Bin]) -> str:
    """Return the reliability diagram: how often a decision was right, by how sure it was."""
    at = _Square()
    parts = [_line(at.x(0), at.y(0), at.x(1), at.y(1), "ideal")]
    for one in bins:
        x = at.x(one.confidence)
        parts += [
            _line(x, at.y(one.low), x, at.y(one.high), "whisker"),
            _dot(
                x,
                at.y(one.right),
                f"confidence {one.confidence:.2f}: {one.right:.2f} right, n = {one.n}",
            ),
        ]
    return _figure(at, parts, "confidence of the decision", "share right", "Reliability diagram")


def coverage_plot(points: Sequence[Point]) -> str:
    """Return the risk–coverage curve: share wrong against share decided, the surest first."""
    points = [point for point in points if point.n >= NOISE] or points
    highest = max((point.risk for point in points), default=0.0)
    at = _Square(top=min(1.0, max(0.1, -(-highest * 10 // 1) / 10)))
    path = " ".join(f"{at.x(p.coverage)},{at.y(p.risk)}" for p in points)
    parts = [f'<polyline class="curve" points="{path}"/>']
    if points:
        end = points[-1]
        told = f"all it decided: {end.coverage:.2f} of the cases, {end.risk:.2f} wrong"
        parts.append(_dot(at.x(end.coverage), at.y(end.risk), told))
    return _figure(at, parts, "share of cases decided", "share of them wrong", "Risk and coverage")


def _figure(at: _Square, parts: Sequence[str], x_label: str, y_label: str, title: str) -> str:
    grid = []
    for tick in _TICKS:
        y = tick * at.top
        grid += [
            _line(at.x(0), at.y(y), at.x(1), at.y(y), "grid"),
            _text(at.x(0) - 6, at.y(y) + 4, f"{y:.2f}".rstrip("0").rstrip("."), "end"),
            _text(at.x(tick), at.y(0) + 17, f"{tick:g}", "middle"),
        ]
    middle = (_SIDE - _BOTTOM + _TOP) / 2
    turned = f'text-anchor="middle" transform="translate(12 {middle}) rotate(-90)"'
    labels = [
        _text(at.x(0.5), _SIDE - 6, x_label, "middle", "label"),
        f'<text class="label" {turned}>{escape(y_label)}</text>',
    ]
    body = "".join([*grid, *parts, *labels])
    return (
        f'<svg viewBox="0 0 {_SIDE} {_SIDE}" role="img" aria-label="{escape(title)}">{body}</svg>'
    )


def bars(rows: Sequence[tuple[str, Estimate]], title: str) -> str:
    """Return a bar for each name with the interval as a whisker, the figure beside it."""
    width = _NAME_WIDTH + _BAR_WIDTH + _VALUE_WIDTH
    height = _ROW * len(rows) + 4
    body = "".join(_bar(name, estimate, _ROW * at) for at, (name, estimate) in enumerate(rows))
    label = escape(title)
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{body}</svg>'


def _bar(name: str, estimate: Estimate, top: float) -> str:
    middle = top + _ROW / 2
    text = _text(_NAME_WIDTH - 8, middle + 4, _short(name), "end", "name")
    if estimate.n == 0:
        return text + _text(_NAME_WIDTH + 4, middle + 4, "no data", "start", "value")
    low, value, high = (
        round(_NAME_WIDTH + x * _BAR_WIDTH, 1)
        for x in (estimate.low, estimate.value, estimate.high)
    )
    figure = f"{estimate.value:.2f} of {estimate.n}"
    return (
        text
        + f'<rect class="track" x="{_NAME_WIDTH}" y="{top + 5}" width="{_BAR_WIDTH}" height="14"/>'
        + f'<rect class="bar" x="{_NAME_WIDTH}" y="{top + 5}" '
        + f'width="{round(value - _NAME_WIDTH, 1)}" height="14"/>'
        + _line(low, middle, high, middle, "whisker")
        + _text(_NAME_WIDTH + _BAR_WIDTH + 8, middle + 4, figure, "start", "value")
    )


def _short(name: str, most: int = 16) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _dot(x: float, y: float, told: str) -> str:
    return f'<circle class="dot" cx="{x}" cy="{y}" r="4"><title>{escape(told)}</title></circle>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "tick") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'

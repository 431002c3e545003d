"""The plot of the splits: how much each way closes, and how much of that it misses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

Point = tuple[float, float]

_WIDTH, _HEIGHT = 360, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 34, 46
_COLUMNS = 2
_KEY_ROW = 20
_TICKS = 4
_COLOURS = ("#0b6e4f", "#3b6fb6", "#8a5fb0", "#c8442d", "#d08a1d")
_STYLE = """
svg { background: #fff }
text { font: 12px system-ui, sans-serif; fill: #333 }
.title { font-weight: 600 }
.grid { stroke: #e3e3e3 }
.limit { stroke: #222; stroke-dasharray: 5 4 }
.dots { fill: none; stroke-width: 4.4; stroke-linecap: round; stroke-opacity: .55 }
"""


@dataclass(frozen=True)
class Panel:
    """One setting: by way, a point (closed, of that missed) for each split."""

    title: str
    limit: float
    points: Mapping[str, Sequence[Point]]


@dataclass(frozen=True)
class _Axes:
    left: float
    top: float
    most_x: float
    most_y: float

    def x(self, value: float) -> float:
        wide = _WIDTH - _LEFT - _RIGHT
        return round(self.left + _LEFT + value / self.most_x * wide, 1)

    def y(self, value: float) -> float:
        high = _HEIGHT - _TOP - _BOTTOM
        return round(self.top + _TOP + (1 - value / self.most_y) * high, 1)


def splits_plot(panels: Sequence[Panel]) -> str:
    """Return the panels side by side as an SVG document, with a key below."""
    ways = list(dict.fromkeys(way for panel in panels for way in panel.points))
    rows = -(-len(panels) // _COLUMNS)
    width, height = _COLUMNS * _WIDTH, rows * _HEIGHT
    parts = [f"<style>{_STYLE}</style>"]
    for number, panel in enumerate(panels):
        left, top = number % _COLUMNS * _WIDTH, number // _COLUMNS * _HEIGHT
        parts += _panel(panel, ways, left, top)
    for number, way in enumerate(ways):
        y = height + 8 + number * _KEY_ROW
        parts.append(f'<circle cx="{_LEFT + 6}" cy="{y}" r="5" fill="{_colour(ways, way)}"/>')
        parts.append(_text(_LEFT + 18, y + 4, way))
    total = height + len(ways) * _KEY_ROW + 8
    told = "Each point is one random split: the share closed, and the share of it that was missed"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" role="img" '
        f'aria-label="{told}">{"".join(parts)}</svg>\n'
    )


def _panel(panel: Panel, ways: Sequence[str], left: float, top: float) -> list[str]:
    points = [point for splits in panel.points.values() for point in splits]
    most_x = 1.1 * max((x for x, _ in points), default=1.0) or 1.0
    most_y = max(1.6 * panel.limit, 1.05 * max((y for _, y in points), default=0.0))
    at = _Axes(left, top, min(1.0, most_x), most_y)
    parts = _grid(at)
    for way in reversed(ways):  # ours is drawn last, on top
        dots = "".join(f"M{at.x(x)} {at.y(y)}h0" for x, y in panel.points.get(way, ()))
        parts.append(f'<path class="dots" d="{dots}" stroke="{_colour(ways, way)}"/>')
    y = at.y(panel.limit)
    parts.append(f'<line class="limit" x1="{at.x(0)}" x2="{at.x(at.most_x)}" y1="{y}" y2="{y}"/>')
    parts.append(_text(left + _LEFT, top + 18, panel.title, kind="title"))
    middle = (at.x(0) + at.x(at.most_x)) / 2
    parts.append(_text(middle, top + _HEIGHT - 8, "share of all that is closed", anchor="middle"))
    turned = f"translate({left + 13} {(at.y(0) + at.y(at.most_y)) / 2}) rotate(-90)"
    told = "share of that which is missed"
    parts.append(f'<text text-anchor="middle" transform="{turned}">{told}</text>')
    return parts


def _grid(at: _Axes) -> list[str]:
    parts = []
    for tick in range(_TICKS + 1):
        x, y = tick / _TICKS * at.most_x, tick / _TICKS * at.most_y
        ends = f'x1="{at.x(0)}" x2="{at.x(at.most_x)}" y1="{at.y(y)}" y2="{at.y(y)}"'
        parts += [
            f'<line class="grid" {ends}/>',
            _text(at.x(0) - 6, at.y(y) + 4, f"{y:.2f}", anchor="end"),
            _text(at.x(x), at.y(0) + 16, f"{x:.2f}", anchor="middle"),
        ]
    return parts


def _colour(ways: Sequence[str], way: str) -> str:
    return _COLOURS[ways.index(way) % len(_COLOURS)]


def _text(x: float, y: float, text: str, *, anchor: str = "start", kind: str = "tick") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'

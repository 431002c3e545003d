"""Does the guarantee hold? Random splits of public labelled sets, and streams that change.

    AMICUS_DATA=DIR python -m evals.bench_risk --svg docs/risk.svg

A plain classifier is fitted on one part of a set and never sees the rest. The rest is split at
random two hundred times: lines are chosen on one part, and on the other it is counted how much
would be closed as allowed and how much of that is not. Rows with the same words count once, so that
no row has a twin on the other side.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evals.intervals import clopper_pearson
from evals.risk.lines import Judged, lowest_line
from evals.risk.plain_model import features, fit, logits
from evals.risk.splits_plot import Panel, splits_plot
from evals.risk.usual import NOTHING, WAYS, Floats
from evals.risk.watch import expected_audits, least_audits, stopped_at

OURS = "Amicus, shown with 95 % confidence"
SPLITS = 200
LITTLE = 40
"""So few cases can support no claim."""
_NOISE = re.compile(r"@user|https?://\S+|&\w+;|\brt\b")


@dataclass(frozen=True)
class Setting:
    """One question that is asked of one public set."""

    name: str
    file: str
    violates: tuple[str, ...]
    """The labels any of which makes a row a violation."""
    limit: float
    """Most of what is closed as allowed that may be a violation."""
    fitted: int
    chosen: int
    """Rows that the lines are chosen on."""


SETTINGS = (
    Setting("HateXplain, hate; 10 % missed", "hatexplain", ("hate",), 0.10, 6000, 2000),
    Setting("The same, half as many rows", "hatexplain", ("hate",), 0.10, 6000, 1000),
    Setting("HateXplain, hate; 5 % missed", "hatexplain", ("hate",), 0.05, 6000, 3000),
    Setting("Davidson, toxic; 10 % missed", "davidson", ("hate", "offensive"), 0.10, 8000, 5000),
    Setting("SMS Spam; 2 % missed", "sms_spam", ("spam",), 0.02, 600, 1500),
)


@dataclass(frozen=True)
class Split:
    """What one way closed in one split."""

    coverage: float
    missed: float
    """Of what it closed; 0 where it closed nothing."""


@dataclass(frozen=True)
class Scored:
    """The rows that fitted nothing: how safe each looks, and whether it is a violation."""

    safe: Floats
    """The logit of being allowed."""
    wrong: NDArray[np.bool_]


def scored(setting: Setting, data: Path) -> Scored:
    """Fit a classifier on the first rows of a shuffled set, and score the others with it."""
    rows: dict[str, tuple[str, bool]] = {}
    with (data / "train" / f"{setting.file}.jsonl").open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            bad = any(row["labels"].get(label) for label in setting.violates)
            rows.setdefault(_plainly(row["text"]), (row["text"], bad))
    kept = list(rows.values())
    order = np.random.default_rng(0).permutation(len(kept))
    texts = [features(kept[at][0]) for at in order]
    wrong = np.array([kept[at][1] for at in order])
    weights = fit(texts[: setting.fitted], wrong[: setting.fitted].tolist(), seed=0)
    return Scored(-logits(weights, texts[setting.fitted :]), wrong[setting.fitted :])


def compared(setting: Setting, rows: Scored, *, chosen: int, splits: int) -> dict[str, list[Split]]:
    """Return what each way came to in each split."""
    found: dict[str, list[Split]] = {OURS: [], **{name: [] for name in WAYS}}
    for number in range(splits):
        order = np.random.default_rng(number + 1).permutation(len(rows.wrong))
        inside, outside = order[:chosen], order[chosen:]
        lines = {OURS: _our_line(rows, inside, setting.limit)}
        for name, way in WAYS.items():
            lines[name] = way(rows.safe[inside], rows.wrong[inside], setting.limit)
        for name, line in lines.items():
            found[name].append(_closed(rows, outside, line))
    return found


def _our_line(rows: Scored, inside: NDArray[np.intp], limit: float) -> float:
    stated = 1 / (1 + np.exp(-rows.safe[inside]))
    pairs = zip(stated.tolist(), rows.wrong[inside].tolist(), strict=True)
    line = lowest_line([Judged(c, wrong=w) for c, w in pairs], limit=limit, risk=0.05)
    return NOTHING if line is None else float(np.log(line.confidence / (1 - line.confidence)))


def _closed(rows: Scored, outside: NDArray[np.intp], line: float) -> Split:
    closed = rows.safe[outside] >= line
    missed = float(rows.wrong[outside][closed].mean()) if closed.any() else 0.0
    return Split(float(closed.mean()), missed)


def table(setting: Setting, found: Mapping[str, Sequence[Split]]) -> list[str]:
    """Return the lines of a table in Markdown; a way keeps the bound if 95 % of its splits do."""
    lines = [
        f"**{setting.name}** ({setting.chosen:,} rows chose the line, {len(found[OURS])} splits)",
        "",
        "| way | splits inside the bound [95 %] | closed | of that missed, mean / worst |",
        "|---|---|---|---|",
    ]
    for name, splits in found.items():
        inside = sum(split.missed <= setting.limit for split in splits)
        low, high = clopper_pearson(inside, len(splits))
        told = f"{inside / len(splits):.3f} [{low:.3f}, {high:.3f}]"
        missed = [split.missed for split in splits]
        lines.append(
            f"| {name} | {told} | {coverage(splits):.3f} "
            f"| {np.mean(missed):.3f} / {max(missed):.3f} |"
        )
    keeping = (s for name, s in found.items() if name != OURS and _keeps(s, setting))
    best = max((coverage(s) for s in keeping), default=0)
    ours = coverage(found[OURS])
    told = f"{ours / best:.2f} times" if best else "something where they close nothing:"
    return [*lines, "", f"Ours closes {told} the best of the usual ways that keep the bound.", ""]


def coverage(splits: Sequence[Split]) -> float:
    """Return the share that was closed, on average."""
    return float(np.mean([split.coverage for split in splits]))


def _keeps(splits: Sequence[Split], setting: Setting) -> bool:
    return bool(np.mean([split.missed <= setting.limit for split in splits]) >= 0.95)  # noqa: PLR2004


def drift(*, streams: int, limit: float, alarm: float) -> list[str]:
    """Return after how many audits a changed rate of mistakes is noticed, beside the theory."""
    rng = np.random.default_rng(7)
    lines = [
        f"**Audits until closing stops** (limit {limit:g}, alarm {alarm:g}, {streams} streams)",
        "",
        "| rate of mistakes | mean | 95 % of streams within | theory, mean | nobody can beat |",
        "|---|---|---|---|---|",
    ]
    for rate in (2 * limit, 3 * limit, 4 * limit, 6 * limit, 10 * limit):
        stops = [_stop(rng, rate, limit, alarm, 20_000) or 20_000 for _ in range(streams)]
        expected = expected_audits(rate, limit=limit, alarm=alarm)
        least = least_audits(rate, limit=limit, alarm=alarm)
        within = np.quantile(stops, 0.95)
        lines.append(
            f"| {rate:.2f} | {np.mean(stops):.0f} | {within:.0f} | {expected:.0f} | {least:.0f} |"
        )
    for rate in (limit, limit / 2):
        false = sum(_stop(rng, rate, limit, alarm, 2_000) is not None for _ in range(streams))
        low, high = clopper_pearson(false, streams)
        lines.append(
            f"| {rate:.3f}: no change | stops in {false / streams:.3f} [{low:.3f}, {high:.3f}] "
            "of the streams of 2,000 audits | | | |"
        )
    return [*lines, ""]


def _stop(
    rng: np.random.Generator, rate: float, limit: float, alarm: float, most: int
) -> int | None:
    return stopped_at((bool(x < rate) for x in rng.random(most)), limit=limit, alarm=alarm)


def changed_stream(data: Path, *, streams: int = 200) -> list[str]:
    """Return how soon it is noticed that a line was chosen on other posts than it is used on."""
    setting = SETTINGS[0]
    home = scored(setting, data)
    line = _our_line(home, np.arange(setting.chosen), setting.limit)
    away = _elsewhere(setting, data)
    rng = np.random.default_rng(11)
    lines = []
    for name, rows in (("posts of the same kind", home), ("posts written to deceive", away)):
        closed = rows.wrong[rows.safe >= line]
        draws = (rng.choice(closed, 2_000) for _ in range(streams))
        stops = [stopped_at(d.tolist(), limit=setting.limit, alarm=0.05) for d in draws]
        found = [stop for stop in stops if stop is not None]
        told = f"stopped in {len(found)} of {streams} streams of 2,000 audits"
        told += f", after {np.mean(found):.0f} on average" if found else ""
        theory = expected_audits(float(closed.mean()), limit=setting.limit, alarm=0.05)
        lines.append(
            f"- {name}: {closed.mean():.3f} of what is closed is wrong; {told} "
            f"(theory: {theory:.0f})"
        )
    return lines


def _elsewhere(setting: Setting, data: Path) -> Scored:
    """The same classifier on the posts of HatemojiBuild, which were written to deceive one."""
    rows = []
    for name in (setting.file, "hatemoji_train"):
        text = (data / "train" / f"{name}.jsonl").read_text("utf-8")
        rows.append([json.loads(line) for line in text.splitlines()])
    shuffled = np.random.default_rng(0).permutation(len(rows[0]))[: setting.fitted]
    texts = [features(rows[0][at]["text"]) for at in shuffled]
    truths = [bool(rows[0][at]["labels"].get("hate")) for at in shuffled]
    weights = fit(texts, truths, seed=0)
    others = [features(row["text"]) for row in rows[1]]
    wrong = np.array([bool(row["labels"]["hate"]) for row in rows[1]])
    return Scored(-logits(weights, others), wrong)


def _plainly(text: str) -> str:
    return " ".join(re.sub(r"[^\w]+", " ", _NOISE.sub(" ", text.lower())).split())


def main() -> None:
    """Print the tables, and draw the plot where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("AMICUS_DATA"))
    parser.add_argument("--splits", type=int, default=SPLITS)
    parser.add_argument("--svg", type=Path, help="Draw the plot into this file.")
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("name the folder of public data with --data or AMICUS_DATA")
    panels = []
    for setting in SETTINGS:
        rows = scored(setting, Path(asked.data))
        found = compared(setting, rows, chosen=setting.chosen, splits=asked.splits)
        print("\n".join(table(setting, found)), flush=True)
        little = compared(setting, rows, chosen=LITTLE, splits=asked.splits)[OURS]
        closes = sum(split.coverage > 0 for split in little)
        print(f"With {LITTLE} rows ours closes something in {closes} of {len(little)} splits.\n")
        points = {
            name: [(split.coverage, split.missed) for split in splits]
            for name, splits in found.items()
        }
        panels.append(Panel(setting.name, setting.limit, points))
    if asked.svg:
        asked.svg.write_text(splits_plot(panels), "utf-8")
    print("\n".join(drift(streams=500, limit=0.05, alarm=0.05)))
    print("\n".join(drift(streams=500, limit=0.02, alarm=0.05)))
    print("\n".join(changed_stream(Path(asked.data))))


if __name__ == "__main__":
    main()

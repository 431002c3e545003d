"""A run as one HTML page that needs nothing else: no network, no other file.

What others wrote (content, ids, slices, rationales) is hostile. It is escaped where Python writes
it, and handed to the script as data; a content security policy names the hashes of the one script
and the one style sheet, so that nothing else could run even if something slipped through.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from evals.estimate import Estimate
from evals.metrics import METRICS, Metrics, Outcome
from evals.metrics.calibration import decided, reliability
from evals.metrics.coverage import Point, risk_coverage
from evals.metrics.decisions import confusion
from evals.report.cases import OUTCOMES, cases_data, safe_json
from evals.report.fairness import fairness_section
from evals.report.markup import figure, figure_cell, html_table
from evals.report.plots import bars, coverage_plot, reliability_plot
from evals.run import Run

TILES = (
    "decided_right_rate",
    "missed_violation_rate",
    "wrong_removal_rate",
    "abstention_rate",
    "f1_score",
    "calibration_error",
)
_PLACE = re.compile(r"\{\{(\w+)\}\}")
MOST_POINTS = 400


def page(run: Run, metrics: Metrics) -> str:
    """Return the page of a finished run."""
    outcomes = run.outcomes
    style, script = _file("page.css"), _file("page.js")
    parts = {
        "title": escape(f"Evaluation of {run.manifest.model}"),
        "made_of": _made_of(run),
        "policy": _content_policy(style, script),
        "style": style,
        "script": script,
        "tiles": "".join(_tile(name, metrics.overall[name]) for name in TILES),
        "reliability": reliability_plot(reliability(*decided(outcomes))),
        "coverage": coverage_plot(_thinned(risk_coverage(outcomes))),
        "recall": _by_policy(metrics, "recall"),
        "removed": _by_policy(metrics, "wrong_removal_rate"),
        "fairness": fairness_section(outcomes),
        "figures": _figures(metrics, outcomes),
        "data": safe_json({"fates": OUTCOMES, "cases": cases_data(run.records)}),
    }
    # One pass: a case that holds "{{script}}" is data and must stay so.
    return _PLACE.sub(lambda match: parts[match.group(1)], _file("page.html"))


def _file(name: str) -> str:
    return (files("evals.report") / name).read_text("utf-8")


def _content_policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _made_of(run: Run) -> str:
    made = run.manifest
    short = [f"{made.cases:,} cases", f"golden set {_short(made.golden)}"]
    short += [f"rulebook {_short(made.rulebook)}", f"prompts {_short(made.prompts)}"]
    return escape(", ".join([*short, f"Amicus {made.code}"]))


def _short(identity: str) -> str:
    return identity.removeprefix("sha256:")[:12]


def _tile(name: str, estimate: Estimate) -> str:
    label = escape(METRICS[name].label)
    if estimate.n == 0:
        return f'<div class="tile"><b>–</b><span>{label}</span><small>no data</small></div>'
    return (
        f'<div class="tile"><b>{figure(estimate.value)}</b><span>{label}</span>'
        f"<small>95 %: {figure(estimate.low)} to {figure(estimate.high)}, "
        f"n = {estimate.n:,}</small></div>"
    )


def _by_policy(metrics: Metrics, name: str) -> str:
    rows = [(policy, values[name]) for policy, values in metrics.slices.get("policy", {}).items()]
    return bars(rows, METRICS[name].label) if rows else "<p>no case names its policy</p>"


def _thinned(curve: Sequence[Point]) -> list[Point]:
    step = max(1, len(curve) // MOST_POINTS)
    return [*curve[:-1:step], *curve[-1:]]


def _figures(metrics: Metrics, outcomes: Sequence[Outcome]) -> str:
    rows = [
        [escape(METRICS[name].label), figure_cell(estimate), f"{estimate.n:,}"]
        for name, estimate in metrics.overall.items()
    ]
    whole = html_table(["", "value [95 % interval]", "n"], rows)
    return whole + f"<h3>What became of them</h3>{_confusion(outcomes)}"


def _confusion(outcomes: Sequence[Outcome]) -> str:
    table = confusion(outcomes)
    sides = list(table)
    rows = [[side, *(f"{table[side][other]:,}" for other in sides)] for side in sides]
    return html_table(["expected", *(f"called {side}" for side in sides)], rows)

"""A run: golden cases reviewed, recorded and measured, in a folder that can be continued.

run.py        review every case once         recorded.py   one line of the outcomes
folder.py     the files, safe from a kill    witness.py    what is seen beside the verdict
manifest.py   what the run is made of        details.py    curves and confusions
"""

from __future__ import annotations

from evals.run.folder import Run, read_metrics, read_run, remove_run
from evals.run.manifest import Manifest, manifest_for
from evals.run.recorded import Recorded, Seen, outcome_of
from evals.run.run import Pace, Progress, has_failed, metrics_data, metrics_of, run
from evals.run.witness import Review, watched

__all__ = [
    "Manifest",
    "Pace",
    "Progress",
    "Recorded",
    "Review",
    "Run",
    "Seen",
    "has_failed",
    "manifest_for",
    "metrics_data",
    "metrics_of",
    "outcome_of",
    "read_metrics",
    "read_run",
    "remove_run",
    "run",
    "watched",
]

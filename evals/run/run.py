"""One run over a golden set: review every case once, keep what was decided, say how good it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from errors import AmicusError, ModelError
from evals.estimate import estimate_data
from evals.golden import GoldenCase
from evals.metrics import Metrics, measure
from evals.run.details import details
from evals.run.folder import DETAILS, METRICS, SLICES, Journal, finish, open_run, read_run
from evals.run.manifest import Manifest
from evals.run.recorded import Recorded, outcome_of, recorded
from evals.run.witness import Review

FAILED = frozenset({"model_error", "budget"})
"""Reasons to abstain that say nothing about what the model thinks."""


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    done: int
    total: int
    cost_usd: float
    """Of all that was done, an earlier start included."""


@dataclass(frozen=True)
class Pace:
    """How a run goes about it; none of this changes what comes out."""

    workers: int = 1
    budget_usd: float | None = None
    """No further case is begun once this much is spent."""
    retry_failed: bool = False
    """Whether cases are asked again that ended because the model failed or money ran out."""
    on_progress: Callable[[Progress], None] = lambda _: None


def run(
    golden: Sequence[GoldenCase],
    review: Review,
    out: Path,
    manifest: Manifest,
    pace: Pace | None = None,
) -> Metrics:
    """Review the golden cases, write the run to the folder `out`, and return its metrics.

    A run that was interrupted goes on: no case that was finished is asked for again. A finished
    run is not touched.

    Args:
        golden: The cases with their answers; `review` is shown the cases alone.
        review: Gives the verdict on a case; called from `workers` threads.
        out: The folder of the run; made if it does not exist.
        manifest: What the run is made of.
        pace: Threads, budget, and whom to tell.

    Raises:
        RecordsError: The folder holds another run, or a file cannot be written.
        AmicusError: The budget is spent, or `review` failed; the same command goes on from there.
    """
    pace = pace or Pace()
    with open_run(out, manifest) as journal:
        kept = _earlier(golden, journal, retry_failed=pace.retry_failed)
        if len(kept) == len(golden) and (out / METRICS).is_file():
            return metrics_of(read_run(out).records)
        for record in _reviewed(golden, review, kept, pace):
            journal.keep(record)
            kept[record.case_id] = record
            pace.on_progress(_progress(kept, golden))
        records = [kept[one.case.id] for one in golden]
        metrics = metrics_of(records)
        finish(out, records, _figures(records, metrics))
    return metrics


def metrics_of(records: Sequence[Recorded]) -> Metrics:
    """Return every metric of recorded cases."""
    return measure([outcome_of(record) for record in records])


def metrics_data(metrics: Metrics) -> dict[str, object]:
    """Return the metrics as JSON data: over all cases, and by slice."""
    return {"overall": _overall(metrics), "slices": _sliced(metrics)}


def _overall(metrics: Metrics) -> dict[str, object]:
    return {name: estimate_data(estimate) for name, estimate in metrics.overall.items()}


def _sliced(metrics: Metrics) -> dict[str, object]:
    return {
        name: {
            value: {metric: estimate_data(e) for metric, e in estimates.items()}
            for value, estimates in values.items()
        }
        for name, values in metrics.slices.items()
    }


def _figures(records: Sequence[Recorded], metrics: Metrics) -> list[tuple[str, object]]:
    """The files that end a run; the metrics come last and say that it is finished."""
    outcomes = [outcome_of(record) for record in records]
    return [
        (SLICES, _sliced(metrics)),
        (DETAILS, details(outcomes)),
        (METRICS, _overall(metrics)),
    ]


def _earlier(
    golden: Sequence[GoldenCase], journal: Journal, *, retry_failed: bool
) -> dict[str, Recorded]:
    """What an earlier start has finished; the manifest says that it was of these very cases."""
    asked = {one.case.id for one in golden}
    return {
        case_id: record
        for case_id, record in journal.earlier.items()
        if case_id in asked and not (retry_failed and has_failed(record))
    }


def has_failed(record: Recorded) -> bool:
    """Whether a case ended without the model's judgement: it gave no answer, or money ran out."""
    return record.verdict.abstain_reason in FAILED


def _progress(kept: dict[str, Recorded], golden: Sequence[GoldenCase]) -> Progress:
    return Progress(len(kept), len(golden), _spent(kept))


def _spent(kept: dict[str, Recorded]) -> float:
    return sum(record.verdict.usage.cost_usd for record in kept.values())


def _reviewed(
    golden: Sequence[GoldenCase], review: Review, kept: dict[str, Recorded], pace: Pace
) -> Iterator[Recorded]:
    """Review what is left, side by side, and yield each as it is finished.

    When one fails, those in hand are finished and kept before the failure is told.
    """
    left = iter([one for one in golden if one.case.id not in kept])
    failed: AmicusError | None = None
    with ThreadPoolExecutor(max_workers=pace.workers) as pool:
        waiting: set[Future[Recorded]] = set()
        try:
            while True:
                if failed is None:
                    failed = _spent_too_much(kept, golden, pace)
                while failed is None and len(waiting) < pace.workers:
                    one = next(left, None)
                    if one is None:
                        break
                    waiting.add(pool.submit(_review_one, one, review))
                if not waiting:
                    break
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    error = future.exception()
                    if isinstance(error, AmicusError):
                        failed = failed or error
                    else:
                        yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    if failed is not None and len(kept) < len(golden):
        raise failed


def _review_one(one: GoldenCase, review: Review) -> Recorded:
    verdict, seen = review(one.case)
    if verdict.case_id != one.case.id:
        raise ModelError(
            f"asked for a verdict on {one.case.id}, got one on {verdict.case_id}",
            hint="the reviewer mixes up its cases; please report this",
        )
    return recorded(one, verdict, seen)


def _spent_too_much(
    kept: dict[str, Recorded], golden: Sequence[GoldenCase], pace: Pace
) -> AmicusError | None:
    spent = _spent(kept)
    if pace.budget_usd is None or spent < pace.budget_usd:
        return None
    return AmicusError(
        f"the budget of ${pace.budget_usd:,.2f} is spent: ${spent:,.4f} for {len(kept)} of "
        f"{len(golden)} cases",
        hint="give the same command with a larger --budget; it goes on from there",
    )

"""One run over a golden set: review every case, keep what was decided, and say how good it was."""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from agent.case import Case
from agent.verdict import Verdict
from errors import ModelError, RecordsError
from evals.golden import GoldenCase
from evals.metrics import Estimate, Metrics, Outcome, measure

Review = Callable[[Sequence[Case]], Iterable[Verdict]]

MANIFEST = "manifest.json"
OUTCOMES = "outcomes.jsonl"
METRICS = "metrics.json"
SLICES = "slices.json"


def run(
    golden: Sequence[GoldenCase],
    review: Review,
    out: Path,
    *,
    about: Mapping[str, object] | None = None,
) -> Metrics:
    """Review the golden cases, write the run to the folder `out`, and return its metrics.

    Each file is written whole or not at all; the manifest comes last, so that a folder with a
    manifest is a complete run.

    Args:
        golden: The cases with their answers; `review` is shown the cases alone.
        review: Gives one verdict a case, in their order.
        out: The folder to write `manifest.json`, `outcomes.jsonl`, `metrics.json` and
            `slices.json` to; it is made if it does not exist.
        about: What else the manifest should say, such as the time and the command.

    Raises:
        ModelError: `review` did not answer every case, in order.
        RecordsError: A file cannot be written.
    """
    verdicts = _answers(golden, review([one.case for one in golden]))
    outcomes = [outcome(one, verdict) for one, verdict in zip(golden, verdicts, strict=True)]
    metrics = measure(outcomes)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / MANIFEST).unlink(missing_ok=True)
        _write(out / OUTCOMES, "".join(map(_outcome_line, golden, verdicts)))
        _write(out / METRICS, _pretty(_estimates(metrics.overall)))
        _write(out / SLICES, _pretty(_sliced(metrics)))
        _write(out / MANIFEST, _pretty({**manifest(golden, verdicts), **(about or {})}))
    except OSError as error:
        raise RecordsError(
            f"cannot write the run to {out}: {error.strerror or error}",
            hint="name a folder that you may write to, on a disk with space",
        ) from None
    return metrics


def outcome(golden: GoldenCase, verdict: Verdict) -> Outcome:
    """Return how `verdict` stands to the answer of a golden case."""
    surest_first = sorted(verdict.violations, key=lambda ground: -ground.confidence)
    return Outcome(
        expected=golden.expected.decision,
        decided=verdict.decision,
        sections=golden.expected.sections,
        cited=tuple(ground.section for ground in surest_first),
        slices=golden.slices,
    )


def manifest(golden: Sequence[GoldenCase], verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Return what a run was made of: the set, and every rulebook, model and tool it met."""
    provenances = [verdict.provenance for verdict in verdicts]
    return {
        "cases": len(golden),
        "golden": _identity(golden),
        "rulebook": sorted({p.rulebook for p in provenances}),
        "model": sorted({p.model for p in provenances}),
        "prompts": sorted({p.prompts for p in provenances}),
        "tools": sorted({f"{name}@{v}" for p in provenances for name, v in p.tools.items()}),
        "usage": {
            "model_calls": sum(v.usage.model_calls for v in verdicts),
            "input_tokens": sum(v.usage.input_tokens for v in verdicts),
            "output_tokens": sum(v.usage.output_tokens for v in verdicts),
            "cost_usd": sum(v.usage.cost_usd for v in verdicts),
            "seconds": sum(v.usage.seconds for v in verdicts),
        },
    }


def _answers(golden: Sequence[GoldenCase], verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts, once it is sure that each belongs to its case: none is missing or swapped."""
    given = list(verdicts)
    asked = [one.case.id for one in golden]
    answered = [verdict.case_id for verdict in given]
    if answered != asked:
        lost = next((case_id for case_id in asked if case_id not in set(answered)), None)
        what = f"no verdict on {lost}" if lost else "the verdicts are not one a case, in order"
        raise ModelError(f"{what}: {len(given)} of {len(asked)} came back", hint="run it again")
    return given


def _identity(golden: Sequence[GoldenCase]) -> str:
    """A hash of the cases and their answers: runs with the same one can be compared."""
    lines = [
        _plain([one.case.model_dump(mode="json"), one.expected.model_dump(mode="json")])
        for one in golden
    ]
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _outcome_line(golden: GoldenCase, verdict: Verdict) -> str:
    line = {
        "case_id": golden.case.id,
        "expected": golden.expected.model_dump(mode="json"),
        "verdict": verdict.model_dump(mode="json", by_alias=True),
    }
    return json.dumps(line, ensure_ascii=True) + "\n"


def metrics_data(metrics: Metrics) -> dict[str, object]:
    """Return the metrics as JSON data: over all cases, and by slice."""
    return {"overall": _estimates(metrics.overall), "slices": _sliced(metrics)}


def _sliced(metrics: Metrics) -> dict[str, object]:
    return {
        name: {value: _estimates(estimates) for value, estimates in values.items()}
        for name, values in metrics.slices.items()
    }


def _estimates(estimates: Mapping[str, Estimate]) -> dict[str, object]:
    """Estimates as JSON has them: no data is null, since NaN is not JSON."""
    return {
        name: {
            key: None if isinstance(number, float) and math.isnan(number) else number
            for key, number in asdict(estimate).items()
        }
        for name, estimate in estimates.items()
    }


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def _pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, indent=2, allow_nan=False) + "\n"


def _write(path: Path, text: str) -> None:
    """Write `text` to `path` whole or not at all, whatever stops the program when."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)

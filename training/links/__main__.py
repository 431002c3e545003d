"""Make the trained score of links: `python -m training.links --data DIR [--pages DIR …]`."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from random import Random
from string import Template
from typing import TYPE_CHECKING

from tools.links.assess import letters_speak
from tools.links.features import HOST_BUCKETS, MEASUREMENTS, PATH_BUCKETS
from tools.links.score import Scorer
from training.links.learn import calibrated, choose_strictness, fit, threshold
from training.links.report import (
    auc_score,
    calibration_error,
    reach_rate,
    risk_shares,
    scores,
)
from training.links.samples import (
    LEARN,
    MOST_PAGES,
    REPORT,
    SETTLE,
    Sheet,
    generated,
    measured_phishing,
    real_pages,
    scored_sheet,
    sheet,
    together,
)

if TYPE_CHECKING:
    import numpy as np

LOOSE_FALSE_ALARMS = 0.05


def main() -> None:
    """Learn, calibrate, measure, and write the three files."""
    asked = _arguments()
    rng = Random(asked.seed)
    pages = [page for folder in asked.pages for page in real_pages(folder)]
    links = scored_sheet([*generated(asked.data, rng), *pages])
    print(f"{len(links.samples)} links, {len(pages)} of them real pages")
    strictness, caught = choose_strictness(links)
    print(f"C = {strictness}; share caught of a family never shown: {caught}")
    settle = links.in_folds(SETTLE)
    scorer = calibrated(fit(links.in_folds(LEARN), strictness), settle)
    asked.out.mkdir(parents=True, exist_ok=True)
    _write(asked.out, scorer, strictness=strictness, seed=asked.seed)
    facts = _facts(scorer, links, sheet(measured_phishing(asked.data)))
    facts |= {
        "strictness": f"{strictness:g}",
        "caught": ", ".join(f"C {c:g}: {share:.3f}" for c, share in caught.items()),
        "pages": f"{sum(found.family == 'real page' for found in links.samples):,}",
    }
    card = Template(Path(__file__).with_name("card.md").read_text(encoding="utf-8"))
    (asked.out / "CARD.md").write_text(card.substitute(facts), encoding="utf-8")
    print((asked.out / "CARD.md").read_text(encoding="utf-8"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.links", description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("AMICUS_DATA"),
        required="AMICUS_DATA" not in os.environ,
        help="folder with lists/ and eval_only/ (or AMICUS_DATA)",
    )
    parser.add_argument(
        "--pages",
        type=Path,
        action="append",
        default=[],
        help="folder of documentation or sources whose links are honest; may be repeated",
    )
    parser.add_argument("--out", type=Path, default=Path("models/links"))
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


def _write(folder: Path, scorer: Scorer, *, strictness: float, seed: int) -> None:
    import numpy as np

    arrays: dict[str, np.ndarray] = dict(scorer.weights)
    np.savez_compressed(folder / "weights.npz", allow_pickle=False, **arrays)
    config = {
        "kind": "logistic regression on letters of links",
        "thresholds": {"medium": scorer.medium, "high": scorer.high},
        "strictness": strictness,
        "seed": seed,
        "measurements": list(MEASUREMENTS),
        "host_buckets": HOST_BUCKETS,
        "path_buckets": PATH_BUCKETS,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _facts(scorer: Scorer, links: Sheet, phishing: Sheet) -> dict[str, str]:
    """What the card says, measured."""
    import numpy as np

    settle, report = links.in_folds(SETTLE), links.in_folds(REPORT)
    loose = threshold(settle, scores(scorer, settle), LOOSE_FALSE_ALARMS)
    honest = report.only(~report.phishing)
    kinds = [sample.kind for sample in honest.samples]
    sets = {
        "real phishing, 2020": phishing,
        "generated phishing": report.only(report.phishing),
        "honest, all": honest,
        "honest front pages": honest.only(kind == "front page" for kind in kinds),
        "honest, generated paths": honest.only(kind == "generated path" for kind in kinds),
        "honest, real pages": honest.only(kind == "real page" for kind in kinds),
    }
    sets = {name: found for name, found in sets.items() if found.samples}
    fronts = links.only(
        sample.family == "front page" and not sample.phishing for sample in links.samples
    )
    return {
        "measurements": str(len(MEASUREMENTS)),
        "host_buckets": f"{HOST_BUCKETS:,}",
        "path_buckets": f"{PATH_BUCKETS:,}",
        "most_pages": str(MOST_PAGES),
        "honest_domains": f"{len(set(fronts.owners)):,}",
        "medium": f"{scorer.medium:.4f}",
        "high": f"{scorer.high:.4f}",
        "loose": f"{loose:.4f}",
        "rows": _rows(scorer, sets, (loose, scorer.medium, scorer.high)),
        "risks": _risks(scorer, sets),
        "unscored": f"{1 - np.mean([letters_speak(parts) for parts in phishing.anatomies]):.3f}",
        "calibration": f"{calibration_error(report, scores(scorer, report)):.3f}",
    }


def _rows(scorer: Scorer, sets: Mapping[str, Sheet], lines: tuple[float, float, float]) -> str:
    import numpy as np

    scored = {name: scores(scorer, found) for name, found in sets.items()}
    rows = []
    for name, found in sets.items():
        auc = "–"
        if found.phishing.all():
            both = together(found, sets["honest, all"])
            auc = str(auc_score(both, np.concatenate([scored[name], scored["honest, all"]])))
        reached = " | ".join(str(reach_rate(found, scored[name], line)) for line in lines)
        rows.append(f"| {name} | {len(found.samples):,} | {auc} | {reached} |")
    return "\n".join(rows)


def _risks(scorer: Scorer, sets: Mapping[str, Sheet]) -> str:
    rows = []
    for name, found in sets.items():
        told = " | ".join(f"{share:.3f}" for share in risk_shares(found, scorer).values())
        rows.append(f"| {name} ({len(found.samples):,}) | {told} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()

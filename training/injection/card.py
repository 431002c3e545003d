"""`python -m training.injection.card`: measure the shipped detector, and write its card."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from retrieval.injection import InjectionDetector, open_injection_detector
from training.classifier.learn import mixed_weights
from training.classifier.long_texts import site_rules
from training.classifier.metrics import auc_score, calibration_error, estimate
from training.classifier.rows import Row, read_rows
from training.classifier.tables import shown
from training.classifier.train import BASE_RATE
from training.injection.calibrate import unseen_probabilities
from training.injection.measure import (
    Unseen,
    everyday_texts,
    found,
    harmless_documents,
    innocent_line,
    over,
    texts_per_second,
)
from training.injection.rows import HELD, WRITTEN, Flags, material, written

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "injection"
_LONG_WORDS, _LONG_NUMBER = 300, 100
_SETS = ("notinject", "prompt_injection", "injection_variants", "own", WRITTEN)


def main() -> None:
    """Measure the shipped detector, and write its card."""
    parser = argparse.ArgumentParser(prog="python -m training.injection.card", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds train/ and eval_only/")
    parser.add_argument("--scores", type=Path, required=True, help="kept by training.injection")
    parser.add_argument("--folder", type=Path, default=SHIPPED)
    given = parser.parse_args()
    unseen = Unseen.read(material(given.data), given.scores)
    detector = open_injection_detector(threads=1, folder=given.folder)
    held = [row for row in read_rows(given.data) if row.role == "held"]
    told = card(unseen, detector, held, site_rules(given.data), given.folder)
    (given.folder / "CARD.md").write_text(told, "utf-8")
    print(told)


def card(
    unseen: Unseen,
    detector: InjectionDetector,
    held: Sequence[Row],
    documents: Sequence[str],
    folder: Path,
) -> str:
    """Return the card in Markdown."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    size = sum((folder / file).stat().st_size for file in config["files"])
    template = Path(__file__).with_name("card.md").read_text("utf-8")
    return template.format(
        name=detector.name,
        megabytes=size / 1e6,
        pieces=len(tokenizer["model"]["vocab"]),
        window=config["window"],
        **_by_innocent_line(unseen),
        **_by_shipped_lines(unseen, detector),
        **_with_what_ships(detector, held, documents),
    )


def _by_innocent_line(unseen: Unseen) -> dict[str, object]:
    line = innocent_line(unseen)
    innocent, number = over(unseen, unseen.of("notinject"), line)
    test_over, test_innocent = over(unseen, unseen.test_part, line)
    written = unseen.texts.known.y[unseen.of(WRITTEN)]
    attacks = {
        "CyberSecEval's variants": unseen.of("injection_variants"),
        "deepset, test part": unseen.test_part,
        "deepset, both parts": unseen.of("prompt_injection"),
        "our own sentences": unseen.of("own"),
        "written for it": unseen.of(WRITTEN),
    }
    return {
        "written_attacks": f"{int((written == 1).sum()):,}",
        "written_harmless": f"{int((written == 0).sum()):,}",
        "innocent": number,
        "innocent_over": innocent,
        "attacks": "\n".join(_found_rows(unseen, attacks, line)),
        "test_over": test_over,
        "test_innocent": test_innocent,
        "everyday_over": over(unseen, _everyday(unseen), line)[0],
    }


def _found_rows(unseen: Unseen, attacks: dict[str, Flags], line: float) -> Iterator[str]:
    for name, rows in attacks.items():
        share, number = found(unseen, rows, line)
        yield f"| {name} | {share.value:.3f} | {share.low:.3f} to {share.high:.3f} | {number:,} |"


def _everyday(unseen: Unseen) -> Flags:
    return unseen.texts.harmless & ~np.isin(unseen.texts.known.source, _SETS)


def _by_shipped_lines(unseen: Unseen, detector: InjectionDetector) -> dict[str, object]:
    known = unseen.texts.known
    lines = [detector.strict_line, detector.line, detector.watch_line]
    borders = [_log_odds(line, detector) for line in lines]
    attack = known.y == 1
    weight = mixed_weights(known, BASE_RATE)
    said = unseen_probabilities(unseen)
    group = unseen.texts.group
    hidden = unseen.hidden[attack]
    return {
        **dict(zip(("strict_line", "line", "watch_line"), lines, strict=True)),
        "lines": "\n".join(_line_rows(unseen, borders)),
        "auc": shown(estimate(auc_score, known.y, said, group=group, weight=weight)),
        "ece": shown(estimate(calibration_error, known.y, said, group=group, weight=weight)),
        "hidden": f"{(hidden > borders[1]).mean():.3f}",
        "hidden_n": f"{len(hidden):,}",
        "alone": f"{(unseen.log_odds[attack] > borders[1]).mean():.3f}",
    }


def _line_rows(unseen: Unseen, borders: Sequence[float]) -> Iterator[str]:
    known = unseen.texts.known
    for answer, told in ((1, "attacks"), (0, "innocent")):
        for source in (*_SETS, *sorted(set(known.source.tolist()) - set(_SETS))):
            use = unseen.of(source) & (known.y == answer)
            if use.any():
                shares = [f"{(unseen.log_odds[use] > border).mean():.1%}" for border in borders]
                yield f"| {told}: {source} | {int(use.sum()):,} | {' | '.join(shares)} |"


def _log_odds(probability: float, detector: InjectionDetector) -> float:
    """Return the log-odds that are calibrated to a probability."""
    return float((np.log(probability / (1 - probability)) - detector.offset) / detector.slope)


def _with_what_ships(
    detector: InjectionDetector, held: Sequence[Row], documents: Sequence[str]
) -> dict[str, object]:
    def share(texts: Sequence[str]) -> float:
        return float(np.mean([detector.score(text) > detector.line for text in texts]))

    attacks = [row.text for row in held if row.known.get("injection") == 1]
    innocent = [row.text for row in held if row.known.get("injection") == 0]
    everyday = everyday_texts(held)
    long = list(harmless_documents(everyday, words=_LONG_WORDS, number=_LONG_NUMBER))
    return {
        "held_table": "\n".join(_held_rows(detector)),
        "held_found": round(share(attacks) * len(attacks)),
        "held_attacks": len(attacks),
        "held_over": share(innocent),
        "held_innocent": f"{len(innocent):,}",
        "long_over": share(long),
        "long_strict": float(np.mean([detector.score(t) > detector.strict_line for t in long])),
        "long_n": len(long),
        "documents_over": round(share(documents) * len(documents)),
        "documents": len(documents),
        "speed": texts_per_second(detector.score, held),
    }


def _held_rows(detector: InjectionDetector) -> Iterator[str]:
    rows = list(written(HELD))
    for kind in sorted({row.family.split("/")[0] for row in rows}):
        for answer, told in ((1, "attacks"), (0, "innocent")):
            some = [row for row in rows if row.family.startswith(f"{kind}/")]
            said = [detector.score(row.text) for row in some if row.known["injection"] == answer]
            if said:
                lines = (detector.strict_line, detector.line)
                shares = " | ".join(f"{np.mean([s > line for s in said]):.1%}" for line in lines)
                yield f"| {told}: {kind} | {len(said)} | {shares} |"


if __name__ == "__main__":
    main()

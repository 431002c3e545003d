"""`python -m training.reader.card`: measure the shipped reader, and write its card."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from policies.reading import load_rulebook
from retrieval.reader import Reader, open_reader
from training.folders import train_folder
from training.reader.measure import (
    EVERY,
    Figure,
    couple_figures,
    hate_figures,
    house_figures,
    moderation_figures,
    rule_figures,
    scoring,
    topic_pairs_kept,
    word_figures,
    wording_figures,
    wording_pairs,
)
from training.reader.texts import (
    couples,
    houses,
    is_kept,
    labelled_texts,
    ordinary_remarks,
    rulebook_texts,
    shown_texts,
    table,
    topics,
)

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "reader"
FROZEN_LAYERS = 2
WINDOWED = 4
"""The moderation set's texts are so much longer than the others: as many fewer of them are read."""
_TIMED = 100
_RULE_WORDS, _CASE_WORDS = 92, 30


def main() -> None:
    """Measure the shipped reader, and write its card."""
    parser = argparse.ArgumentParser(prog="python -m training.reader.card", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--rules", type=Path, help="file of comments with community rules")
    parser.add_argument("--folder", type=Path, default=SHIPPED)
    parser.add_argument("--most", type=int, default=EVERY, help="rows of a set, evenly spread")
    parser.add_argument("--how-long", default="not noted")
    given = parser.parse_args()
    given.data = train_folder(given.data)
    reader = open_reader(threads=1, folder=given.folder)
    figures = list(_figures(reader, given))
    told = card(figures, _speed(reader), given.folder, given.data, given.how_long)
    (given.folder / "CARD.md").write_text(told, "utf-8")
    print(told)


def _figures(reader: Reader, given: argparse.Namespace) -> Iterator[Figure]:
    score, most = scoring(reader), given.most
    yield from wording_figures(score, wording_pairs())
    yield from wording_figures(score, topic_pairs_kept(), called="topics kept from learning")
    yield from couple_figures(reader)
    yield from house_figures(score)
    yield from hate_figures(score, given.data, most=most)
    if given.rules is not None:
        yield from rule_figures(score, given.rules, most=most)
    yield from moderation_figures(score, given.data, most=most // WINDOWED)
    yield from word_figures(reader, given.data, most=most)


def card(figures: Sequence[Figure], speed: float, folder: Path, data: Path, how_long: str) -> str:
    """Return the card in Markdown."""
    template = Path(__file__).with_name("card.md").read_text("utf-8")
    rows = [
        f"| {each.name} | {each.estimate.value:.3f} "
        f"| {each.estimate.low:.3f} to {each.estimate.high:.3f} | {each.n:,} |"
        for each in figures
    ]
    config = json.loads((folder / "config.json").read_text("utf-8"))
    return template.format(
        megabytes=(folder / "model.onnx").stat().st_size / 1e6,
        frozen=FROZEN_LAYERS,
        own=f"{len(shown_texts()) + len(rulebook_texts(load_rulebook(None))):,}",
        topics=sum(not is_kept(topic["id"]) for topic in topics()),
        kept_topics=sum(is_kept(topic["id"]) for topic in topics()),
        topic_rules=f"{_rules():,}",
        topic_posts=f"{_posts():,}",
        couples=f"{sum(not is_kept(couple.id) for couple in couples()):,}",
        kept_couples=sum(is_kept(couple.id) for couple in couples()),
        houses=len(houses()),
        house_rules=f"{sum(len(house.strict) + len(house.lenient) for house in houses()):,}",
        house_remarks=f"{_remarks():,}",
        conducts=len(table("conducts.toml")["conduct"]),
        labelled=f"{len(labelled_texts(data)):,}",
        how_long=how_long,
        figures="\n".join(rows),
        speed=speed,
        rule_tokens=config["rule_tokens"],
        stance_weight=config["stance"]["weight"],
        stance_offset=config["stance"]["offset"],
    )


def _rules() -> int:
    """How many rules were written for the topics, those of exceptions included."""
    return sum(
        len(part[side])
        for topic in topics()
        for part in (topic, *topic.get("exception", ()))
        for side in ("strict", "lenient")
    )


def _remarks() -> int:
    of_houses = sum(len(house.does) + len(house.near) for house in houses())
    return of_houses + len(ordinary_remarks())


def _posts() -> int:
    return sum(
        len(topic["does"]) + len(topic["near"]) + sum(len(c["texts"]) for c in exceptions)
        for topic in topics()
        for exceptions in [topic.get("exception", ())]
    )


def _speed(reader: Reader) -> float:
    """Pairs a second on one thread; a common word is one token, so that a pair has 128."""
    rule = "word " * _RULE_WORDS
    cases = [f"case {number} " + "word " * _CASE_WORDS for number in range(_TIMED)]
    started = time.perf_counter()
    for case in cases:
        reader.read(rule, case)
    return _TIMED / (time.perf_counter() - started)


if __name__ == "__main__":
    main()

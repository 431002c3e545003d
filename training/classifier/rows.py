"""The training rows: public sets and our own sentences, with what is known about each.

A label that a set does not annotate is unknown and stays out of that label's model. A few sets
cannot hold a label at all (nobody wrote prompt injections into text messages of 2011): those
absences are listed in `ABSENT`, one by one, and nowhere else.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

from errors import InputError, shown
from policies.rulebook import Signal
from training.classifier.own_sentences import own_sentences

LABELS: tuple[Signal, ...] = (
    "hate",
    "offensive",
    "harassment",
    "violence",
    "self_harm",
    "sexual",
    "spam",
    "scam",
    "injection",
    "pii",
)
Role = Literal["train", "held", "measure"]

ABSENT: Mapping[str, tuple[Signal, ...]] = {
    "hatexplain": ("scam", "injection", "pii"),
    "davidson": ("scam", "injection", "pii"),
    "hatemoji": ("spam", "scam", "injection", "pii"),
    "toxic_spans": ("spam", "scam", "injection"),
    "sms_spam": ("scam", "self_harm", "violence", "injection"),
    "crypto_scam": ("self_harm", "sexual", "violence", "injection"),
    "prompt_injection": ("spam", "scam", "self_harm", "sexual"),
    "pii": ("spam", "scam", "injection", "self_harm", "sexual"),
}
"""Labels that a set's harmless rows do not carry, by what the set is."""

_CANNOT_HOLD = frozenset({"hatexplain", "davidson", "hatemoji", "toxic_spans"})
"""Sets of which this is true of the harmful rows as well."""

ABSENT_SHARE = 3_000
"""Most rows of a set that enter a label's model only because of `ABSENT`."""

# What identifies or reaches a person; a name or a town alone does neither.
PII_SPANS = frozenset(
    {
        "STREET_ADDRESS",
        "CREDIT_CARD",
        "PHONE_NUMBER",
        "EMAIL_ADDRESS",
        "IBAN_CODE",
        "US_SSN",
        "IP_ADDRESS",
        "US_DRIVER_LICENSE",
    }
)


@dataclass(frozen=True)
class Row:
    """A text with what is known about it; a label that is missing in `known` is unknown."""

    id: str
    text: str
    source: str
    known: Mapping[Signal, int]
    role: Role = "train"
    group_keys: tuple[str, ...] = ()
    """Rows that share a key never stand on both sides of a fold."""
    group_text: str = field(default="", compare=False)
    """What near-duplicates are found by, where that is not the text itself."""
    family: str = ""
    """The kind of text it is in its set, for measuring on kinds that were never seen."""
    assumed: frozenset[Signal] = frozenset()
    """Labels that are known from `ABSENT` only."""


def read_rows(data: Path) -> list[Row]:
    """Return every row to train on or to measure with, the public sets first.

    `data` is the folder that holds `train/` and `eval_only/`; of the latter nothing is read here.

    Raises:
        InputError: A file is missing or a line does not parse; names file and line.
    """
    rows = [row for reader in _READERS for row in reader(data / "train")]
    return [*rows, *_own()]


def read_jsonl(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSONL file.

    Raises:
        InputError: The file is missing or a line does not parse; names file and line.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(
            f"{file}: cannot be read ({error.strerror})",
            hint="Name the folder that holds train/ and eval_only/ with --data.",
        ) from error
    for number, line in enumerate(lines, 1):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise InputError(f"{file}:{number}: not JSON: {shown(line)}") from error


def _known(labels: Mapping[str, int]) -> dict[Signal, int]:
    return {label: labels[label] for label in LABELS if label in labels}


def _row(
    data: Mapping[str, Any], source: str, known: dict[Signal, int], keys: tuple[str, ...] = ()
) -> Row:
    """Make a row to train on, adding the labels that its set cannot hold."""
    text = data["text"]
    harmless = not any(known.values())
    assumed = frozenset(
        label
        for label in ABSENT.get(source, ())
        if label not in known
        and (harmless or source in _CANNOT_HOLD)
        and (label != "pii" or not any(map(str.isdigit, text)))
    )
    return Row(
        id=data["id"],
        text=text,
        source=source,
        known=known | dict.fromkeys(assumed, 0),
        group_keys=keys,
        assumed=assumed,
    )


def _hatexplain(folder: Path) -> Iterator[Row]:
    for data in read_jsonl(folder / "hatexplain.jsonl"):
        yield _row(data, "hatexplain", _without_mixed(data["labels"]))


def _davidson(folder: Path) -> Iterator[Row]:
    for data in read_jsonl(folder / "davidson.jsonl"):
        yield _row(data, "davidson", _without_mixed(data["labels"]))


def _without_mixed(labels: Mapping[str, int]) -> dict[Signal, int]:
    """Both sets give a text one class; a hateful one is not thereby inoffensive."""
    known = _known(labels)
    if known["hate"]:
        del known["offensive"]
    return known


def _hatemoji(folder: Path) -> Iterator[Row]:
    for part in ("train", "validation", "test"):
        for data in read_jsonl(folder / f"hatemoji_{part}.jsonl"):
            pair = sorted([data["id"], f"hatemoji-{data['matched_id']}"])
            keys = (f"split:{part}", f"pair:{'/'.join(pair)}")
            yield _row(data, "hatemoji", _known(data["labels"]), keys)


def _toxic_spans(folder: Path) -> Iterator[Row]:
    """Read comments with the words that people marked as toxic, and the same without those words.

    All comments are toxic, so alone they would teach a model to recognise the forum. What is left
    when the marked words are cut out is the negative.
    """
    for data in read_jsonl(folder / "toxic_spans_train.jsonl"):
        if not data["spans"]:
            continue
        keys = (f"comment:{data['id']}",)
        rest = data["text"]
        for start, end in sorted(data["spans"], reverse=True):
            rest = rest[:start] + rest[end:]
        yield _row(data, "toxic_spans", {"offensive": 1}, keys)
        cut = data | {"id": f"{data['id']}-cut", "text": rest}
        yield _row(cut, "toxic_spans", {"offensive": 0}, keys)


def _openai(folder: Path) -> Iterator[Row]:
    for data in read_jsonl(folder / "openai_moderation_dev.jsonl"):
        yield _row(data, "openai_moderation", _known(data["labels"]))


def _sms(folder: Path) -> Iterator[Row]:
    for data in read_jsonl(folder / "sms_spam.jsonl"):
        yield _row(data, "sms_spam", _known(data["labels"]))


def _crypto(folder: Path) -> Iterator[Row]:
    for part in ("train", "valid"):
        for data in read_jsonl(folder / f"crypto_scam_{part}.jsonl"):
            known = _known(data["labels"])
            if data["all_labels"] == ["clean"]:
                known["spam"] = 0
            yield _row(data, "crypto_scam", known)


def _injection(folder: Path) -> Iterator[Row]:
    for part in ("train", "test"):
        for data in read_jsonl(folder / f"prompt_injection_{part}.jsonl"):
            yield _row(data, "prompt_injection", _known(data["labels"]))
    for data in read_jsonl(folder / "injection_variants.jsonl"):
        yield replace(
            _row(data, "injection_variants", _known(data["labels"])), family=data["variant"]
        )


def _pii(folder: Path) -> Iterator[Row]:
    """Read the synthetic sentences; near-duplicates are found with the entities taken out."""
    for data in read_jsonl(folder / "pii.jsonl"):
        kinds = {kind for _, _, kind in data["spans"]}
        pattern = data["text"]
        for start, end, kind in sorted(data["spans"], reverse=True):
            pattern = f"{pattern[:start]}{kind}{pattern[end:]}"
        known: dict[Signal, int] = {"pii": int(bool(kinds & PII_SPANS))}
        yield replace(_row(data, "pii", known), group_text=pattern)


def _notinject(folder: Path) -> Iterator[Row]:
    for data in read_jsonl(folder / "notinject_one.jsonl"):
        yield _row(data, "notinject", _known(data["labels"]))


def _measured(folder: Path) -> Iterator[Row]:
    for data in read_jsonl(folder / "over_refusal_dev.jsonl"):
        name = "xstest_unsafe" if data["labels"]["unsafe"] else "xstest_safe"
        yield replace(_row(data, name, {}), role="measure")


_READERS: tuple[Callable[[Path], Iterator[Row]], ...] = (
    _hatexplain,
    _davidson,
    _hatemoji,
    _toxic_spans,
    _openai,
    _sms,
    _crypto,
    _injection,
    _pii,
    _notinject,
    _measured,
)


def _own() -> Iterator[Row]:
    for sentence in own_sentences():
        known = {
            label: int(label in sentence.labels) for label in LABELS if label not in sentence.unsure
        }
        keys = (f"family:{sentence.family}",)
        role = cast("Role", sentence.split)
        yield Row(sentence.id, sentence.text, "own", known, role, keys, family=sentence.family)


def in_share(row: Row, share: float) -> bool:
    """Whether a row is in a fixed pseudo-random share of all rows."""
    return zlib.crc32(row.id.encode()) < share * 2**32

"""The shipped weights: plain arrays and one JSON file that says how to read them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import RecordsError, shown
from policies.rulebook import Signal
from tools.classifier.features import Shape

MODEL_FOLDER = Path(__file__).parents[2] / "models" / "classifier"
WEIGHTS_FILE = "weights.npz"
CONFIG_FILE = "config.json"
Halves = npt.NDArray[np.floating]

_REPAIR = "Restore models/classifier from the release, or train it anew."


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reading(_Plain):
    """How a label's logits become a probability, and where its lines are.

    The probability is Platt's: sigmoid(ngrams * n-gram logit + encoder * logit of the encoder's
    heads + offset). Without an encoder its factor is 0.
    """

    ngrams: float
    encoder: float
    offset: float
    tail: float = Field(ge=0)
    """How far the parts of a long text are shifted down, times the log of their number."""
    strict_line: float = Field(ge=0, le=1)
    """Crossed by 0.5 % of harmless texts."""
    line: float = Field(ge=0, le=1)
    """Crossed by 1 % of harmless texts."""
    watch_line: float = Field(ge=0, le=1)
    """Crossed by 5 % of harmless texts."""


class Config(_Plain):
    """What `config.json` says."""

    format: Literal[3]
    labels: tuple[Signal, ...]
    char_bits: int = Field(ge=8, le=24)
    word_bits: int = Field(ge=8, le=24)
    char_lengths: tuple[int, ...]
    base_rate: float = Field(gt=0, lt=1)
    """The share of texts that carry a label for which the probabilities are calibrated."""
    plain: Mapping[Signal, Reading]
    encoded: Mapping[Signal, Reading] | None
    encoder: str | None
    """Version of the encoder whose heads are weighed."""
    training_data: tuple[str, ...]
    weights_sha256: str

    @property
    def shape(self) -> Shape:
        """The hashing spaces."""
        return Shape(self.char_bits, self.word_bits, self.char_lengths)


@dataclass(frozen=True)
class Weights:
    """A linear model per label over hashed n-grams, and one over the heads of the encoder."""

    config: Config
    config_sha256: str
    idf: Halves
    """Inverse document frequency, by feature."""
    ngrams: Halves
    """Features by labels."""
    ngram_bias: Halves
    heads: Halves
    """Heads by labels; no rows where the model was trained without an encoder."""
    heads_bias: Halves


def read_weights(folder: Path = MODEL_FOLDER) -> Weights:
    """Return the weights in `folder`.

    Raises:
        RecordsError: A file is missing, damaged, or does not belong to the other.
    """
    config_file, weights_file = folder / CONFIG_FILE, folder / WEIGHTS_FILE
    config_bytes, weights_bytes = _bytes(config_file), _bytes(weights_file)
    try:
        config = Config.model_validate_json(config_bytes)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole file"
        raise RecordsError(f"{config_file}: {place}: {first['msg']}", hint=_REPAIR) from None
    found = hashlib.sha256(weights_bytes).hexdigest()
    if found != config.weights_sha256:
        raise RecordsError(
            f"{weights_file}: sha256 is {found[:12]}…, {CONFIG_FILE} says "
            f"{config.weights_sha256[:12]}…",
            hint=_REPAIR,
        )
    config_sha256 = hashlib.sha256(config_bytes).hexdigest()
    return _arrays(weights_bytes, weights_file, config, config_sha256)


def _arrays(content: bytes, file: Path, config: Config, config_sha256: str) -> Weights:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            weights = Weights(
                config=config,
                config_sha256=config_sha256,
                idf=arrays["idf"].astype(np.float32),
                ngrams=np.ascontiguousarray(arrays["ngrams"].T, dtype=np.float32),
                ngram_bias=arrays["ngram_bias"],
                heads=arrays["heads"].T,
                heads_bias=arrays["heads_bias"],
            )
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RecordsError(
            f"{file}: not readable as arrays ({shown(str(error))})", hint=_REPAIR
        ) from error
    if weights.ngrams.shape != (config.shape.size, len(config.labels)):
        raise RecordsError(
            f"{file}: n-gram weights have the shape {weights.ngrams.shape}, "
            f"{CONFIG_FILE} asks for {(config.shape.size, len(config.labels))}",
            hint=_REPAIR,
        )
    return weights


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise RecordsError(f"{file}: cannot be read ({error.strerror})", hint=_REPAIR) from error

"""The reader of policy text: how likely a case breaks a rule, and by which words.

Other small moderation models know a fixed list of harms. This one is handed the rule, so that
another wording gives another answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from policies.rulebook import digest
from retrieval.embedder import well_formed
from retrieval.model_files import checked, config_of, session
from retrieval.spoken import spoken

Floats = NDArray[np.float32]

_REMEMBERED = 512
_OVERLAP = 16  # tokens that neighbouring windows of a long case share
_RESTORE = "restore models/reader: reinstall Amicus, or in a checkout `git checkout models/reader`"


@dataclass(frozen=True)
class Reading:
    """What the reader makes of a case under a rule."""

    log_odds: float
    """That the case breaks the rule; of a long case, in the window that speaks loudest."""
    words: tuple[int, int]
    """The stretch of the case that carries it most, as offsets of its first and behind its last
    character; the window itself where no words stand out."""


@dataclass(frozen=True)
class Stance:
    """How much counts for a case what its rule wants of its subject."""

    weight: float = 0.0
    offset: float = 0.0

    def shift(self, forbids: float) -> float:
        """Return what is added to a case's log-odds, given those that its rule forbids."""
        return self.weight * forbids + self.offset


@dataclass(frozen=True)
class Reader:
    """Judges a case by the words of a rule; safe to share between threads.

    Every pair is run by itself, so that an answer does not depend on what else was asked.
    """

    name: str
    """The model and the first 12 letters of the hash of its files and stance."""
    raw: Callable[[str, str], Reading]
    """What the network says of a rule and a case, before the rule's stance is weighed in."""
    itself: Callable[[str], float]
    """The log-odds that a rule forbids what it is about, from the rule read as its own case."""
    stance: Stance

    def read(self, rule: str, case: str) -> Reading:
        """Return how likely `case` breaks `rule`, and by which words.

        The rule is also read as its own case, once for all others: nothing is more about its
        subject, and a rule that forbids it is told from one that allows it better by that than by
        any one case.

        Args:
            rule: What is forbidden and what is allowed, such as the title and rule of a section. Of
                a rule of more than 384 tokens (about 280 words) the end is not read.
            case: The undressed words of the case; a long one is read in windows.
        """
        found = self.raw(rule, case)
        return Reading(found.log_odds + self.stance.shift(self.itself(rule)), found.words)


def open_reader(
    *, threads: int = 0, folder: Traversable | None = None, tokenizer: Traversable | None = None
) -> Reader:
    """Load the reader; it shares the tokenizer of the sentence model.

    Args:
        threads: How many threads one pair may use; 0 means every core.
        folder: Where the model lies, if not with Amicus itself.
        tokenizer: The folder of the sentence model, if not with Amicus itself.

    Raises:
        RecordsError: A file of the model is missing or not the one it should be.
    """
    home = folder or resources.files("models") / "reader"
    words = tokenizer or resources.files("models") / "embedder"
    config = config_of(home, _RESTORE)
    model = checked(home / "model.onnx", config["files"]["model.onnx"], _RESTORE)
    split = checked(words / "tokenizer.json", config["tokenizer"], _RESTORE)
    pairs = _Pairs(
        Tokenizer.from_buffer(split),
        session(model, threads=threads),
        config["rule_tokens"],
        config["case_tokens"],
    )
    return Reader(
        name=f"{config['name']}@{digest(config).removeprefix('sha256:')[:12]}",
        raw=lru_cache(maxsize=_REMEMBERED)(pairs.read),
        itself=lru_cache(maxsize=_REMEMBERED)(pairs.itself),
        stance=Stance(**config.get("stance", {})),
    )


@dataclass(frozen=True)
class _Window:
    """Some tokens of a case, with their offsets in its spoken form."""

    ids: list[int]
    offsets: list[tuple[int, int]]


@dataclass(frozen=True)
class _Pairs:
    """The model, and how a pair is put before it: [CLS] rule [SEP] case [SEP]."""

    tokenizer: Tokenizer
    session: Any
    rule_tokens: int
    case_tokens: int

    def read(self, rule: str, case: str) -> Reading:
        said = spoken(well_formed(case))
        rule_ids = self._split(well_formed(rule)).ids[: self.rule_tokens]
        windows = list(_windows(self._split(said.text), self.case_tokens))
        if not windows:
            return Reading(-np.inf, (0, 0))
        readings = [self._window(rule_ids, window) for window in windows]
        loudest = max(range(len(windows)), key=lambda n: readings[n][0])
        log_odds, tokens = readings[loudest]
        first, last = _stretch(tokens)
        offsets = windows[loudest].offsets
        start, end = offsets[first][0], offsets[last][1]
        return Reading(log_odds, _whole_words(case, said.origins[start], said.origins[end - 1] + 1))

    def itself(self, rule: str) -> float:
        ids = self._split(well_formed(rule)).ids
        if not ids:
            return 0.0
        fed = self._fed(ids[: self.rule_tokens], ids[: self.case_tokens])
        return float(self.session.run(["stance"], fed)[0][0])

    def _split(self, text: str) -> Encoding:
        return self.tokenizer.encode(text, add_special_tokens=False)

    def _window(self, rule: Sequence[int], window: _Window) -> tuple[float, Floats]:
        pair, words = self.session.run(["pair", "words"], self._fed(rule, window.ids))
        return float(pair[0]), words[0, len(rule) + 2 : -1]

    def _fed(self, rule: Sequence[int], case: Sequence[int]) -> dict[str, Any]:
        first, last = (self.tokenizer.token_to_id(mark) for mark in ("[CLS]", "[SEP]"))
        ids = [first, *rule, last, *case, last]
        head = len(rule) + 2
        sides = [0] * head + [1] * (len(ids) - head)
        return {"ids": np.array([ids], np.int64), "sides": np.array([sides], np.int64)}


def _windows(case: Encoding, size: int) -> Iterator[_Window]:
    start = 0
    while start < len(case.ids):
        yield _Window(case.ids[start : start + size], case.offsets[start : start + size])
        if start + size >= len(case.ids):
            return
        start += size - _OVERLAP


def _stretch(tokens: Floats) -> tuple[int, int]:
    """Return the first and last token of the stretch whose log-odds sum to most (Kadane).

    Where no token is more likely than not to carry the answer, the whole window does.
    """
    if tokens.max() <= 0:
        return 0, len(tokens) - 1
    best, found = -np.inf, (0, 0)
    total, start = 0.0, 0
    for place, value in enumerate(tokens.tolist()):
        if total <= 0:
            total, start = 0.0, place
        total += value
        if total > best:
            best, found = total, (start, place)
    return found


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the stretch without words cut in two."""
    while start > 0 and text[start].isalnum() and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return start, end

"""What the shipped models have seen can be recognised, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errors import InputError
from evals.seen import hashes_of, is_among, plain_words, read_hashes, shipped_hashes
from training.reader.texts import shown_texts, topics


def test_words_count_whatever_stands_between_them() -> None:
    assert plain_words("Call  me, NOW!\nOr not.") == plain_words("call me now or not")
    assert len(hashes_of(["Call me now, please", "call ME now please!", "too short a"])) == 1


def test_every_text_of_ours_that_a_model_learns_from_is_known() -> None:
    texts = [one.text for one in shown_texts()]
    texts += [post for topic in topics() for post in (*topic["does"], *topic["near"])]
    missed = np.setdiff1d(hashes_of(texts), shipped_hashes())
    assert not len(missed), "run: python -m training.seen --data DIR"


def test_a_new_text_is_not_known() -> None:
    for text in ("Nobody has written these nine words about a lighthouse.", "hello there", ""):
        assert not is_among(text, shipped_hashes())


def test_a_damaged_file_says_how_to_mend_it(tmp_path: Path) -> None:
    file = tmp_path / "texts.npy"
    with pytest.raises(InputError, match="No such file"):
        read_hashes(file)
    for content in (b"", b"no array", b"\x93NUMPY\x01\x00"):
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"texts\.npy"):
            read_hashes(file)
    np.save(file, np.zeros(3))
    with pytest.raises(InputError, match="no hashes"):
        read_hashes(file)

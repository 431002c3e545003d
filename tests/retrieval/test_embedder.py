"""The sentence model: same text, same vector, and nothing that a user types breaks it."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from errors import RecordsError
from retrieval.embedder import Embedder, open_embedder

TEXTS = [
    "The parcel is held at customs, pay the fee here.",
    "no",
    "Two hundred strangers came into my comments. " * 12,
    "",
    "🐀🐀 ℌ𝔢𝔩𝔩𝔬",
    "\x00\x01\x7f\x1b[31m",
    "half a character: \ud83d",
    "مرحبا 你好 привет",
]


def test_every_text_becomes_a_unit_vector(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)

    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_make_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_a_text_has_the_same_vector_to_the_bit_in_any_company(embedder: Embedder) -> None:
    together = embedder.embed(TEXTS)
    alone = np.concatenate([embedder.embed([text]) for text in reversed(TEXTS)])[::-1]

    assert together.tobytes() == alone.tobytes()


def test_threads_change_no_bit(embedder: Embedder) -> None:
    two = open_embedder(threads=2).embed(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        at_once = np.stack(list(pool.map(lambda text: embedder.embed([text])[0], TEXTS)))

    assert two.tobytes() == embedder.embed(TEXTS).tobytes() == at_once.tobytes()


def test_what_means_the_same_is_near_and_what_does_not_is_far(embedder: Embedder) -> None:
    threat, same, other = embedder.embed(
        ["I will hurt you tomorrow", "Tomorrow you are going to get beaten", "Two eggs, some flour"]
    )

    assert threat @ same > 0.5
    assert threat @ other < 0.2


def test_only_the_first_window_of_a_long_text_counts_for_its_vector(embedder: Embedder) -> None:
    start = "word " * 300

    whole, changed = embedder.embed([start + "peace", start + "war"])

    assert whole.tobytes() == changed.tobytes()


def test_windows_leave_nothing_of_a_long_text_out(embedder: Embedder) -> None:
    words = [f"w{number}" for number in range(300)]

    windows = embedder.windows(" ".join(words))

    seen = {word for window in windows for word in window.split()}
    assert len(windows) > 1
    assert set(words) <= seen
    assert embedder.embed_long(" ".join(words)).shape == (len(windows), 384)


def test_a_text_that_fits_is_its_own_window(embedder: Embedder) -> None:
    assert embedder.windows("  It stays as it is.\n") == ["  It stays as it is.\n"]
    assert embedder.windows("") == [""]


def test_neighbouring_windows_overlap(embedder: Embedder) -> None:
    first, second, *_ = embedder.windows(" ".join(f"w{number}" for number in range(500)))

    assert len(set(first.split()) & set(second.split())) > 10


def test_the_name_says_which_files_made_the_vectors(embedder: Embedder, tmp_path: Path) -> None:
    folder = shipped_copy(tmp_path)

    assert embedder.name.startswith("minilm-l6-int8@")
    assert open_embedder(threads=1, folder=folder).name == embedder.name


@pytest.mark.parametrize("name", ["config.json", "model.onnx", "tokenizer.json"])
def test_a_missing_file_is_named_with_the_way_to_restore_it(name: str, tmp_path: Path) -> None:
    folder = shipped_copy(tmp_path)
    (folder / name).unlink()

    with pytest.raises(RecordsError, match=name) as caught:
        open_embedder(folder=folder)

    assert "models/embedder" in caught.value.hint


@pytest.mark.parametrize("name", ["config.json", "model.onnx", "tokenizer.json"])
def test_a_damaged_file_is_refused(name: str, tmp_path: Path) -> None:
    folder = shipped_copy(tmp_path)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])

    with pytest.raises(RecordsError, match=f"{name} is damaged"):
        open_embedder(folder=folder)


def shipped_copy(tmp_path: Path) -> Path:
    with resources.as_file(resources.files("models") / "embedder") as shipped:
        return Path(shutil.copytree(shipped, tmp_path / "embedder"))

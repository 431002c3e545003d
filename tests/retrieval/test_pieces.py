"""A long text in pieces: nothing is lost, and a short one is left alone."""

from __future__ import annotations

import pytest

from retrieval.pieces import LONG, MOST_PIECES, PIECE, pieces


@pytest.mark.parametrize("words", [LONG + 1, 500, 5_000])
@pytest.mark.parametrize("every", [0, 9])
def test_nothing_is_left_out(words: int, every: int) -> None:
    text = " ".join(f"w{n}{'.' if every and n % every == 0 else ''}" for n in range(words))

    found = list(pieces(text))

    assert " ".join(found).split() == text.split()
    assert len(found) <= 2 * MOST_PIECES
    assert max(len(piece.split()) for piece in found) <= max(PIECE, words // MOST_PIECES + 1)


def test_a_piece_ends_with_a_sentence_where_one_ends_in_time() -> None:
    text = ("One two three four five six seven eight nine ten. " * 20).strip()

    assert all(piece.endswith("ten.") for piece in pieces(text))


def test_a_short_text_is_not_cut() -> None:
    assert list(pieces("word " * LONG)) == []
    assert list(pieces("")) == []

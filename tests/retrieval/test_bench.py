"""The benchmark of the search: its questions, and its figures on a corpus of three documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from errors import InputError
from evals.retrieval.bench import compared, searches
from evals.retrieval.questions import read_questions
from retrieval.documents import read_documents
from retrieval.embedder import Embedder
from retrieval.entries import EntryIndex, open_entries

DOCUMENTS = {
    "parking.md": "---\ntitle: Parking\n---\n## Bicycles\nLean them on the rack.\n",
    "refunds.md": "# Refunds\nMoney back.\n\n## How long it takes\n" + "Wait for a letter. " * 120,
    "lost.md": "No heading, only an umbrella that nobody has fetched.\n",
    "README.md": "# Not a policy\n",
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.fixture
def documents(corpus: Path, embedder: Embedder, tmp_path: Path) -> EntryIndex:
    return open_entries(tmp_path, "documents", read_documents(corpus, embedder), embedder)


def test_every_question_is_asked_once_and_both_halves_are_large_enough() -> None:
    questions = read_questions()

    assert len({question.id for question in questions}) == len(questions)
    assert len({question.question for question in questions}) == len(questions)
    assert len({file for question in questions for file in question.files}) == 56
    for split in ("dev", "test"):
        assert sum(question.split == split for question in questions) >= 100


def test_documents_are_cut_at_headings_and_every_piece_names_its_document(
    corpus: Path, embedder: Embedder
) -> None:
    lost, parking, refunds = read_documents(corpus, embedder)

    assert (lost.id, parking.id, refunds.id) == ("lost.md", "parking.md", "refunds.md")
    assert [part.text for part in parking.parts] == ["Parking\n## Bicycles\nLean them on the rack."]
    assert all(part.text.startswith("Refunds\n") for part in refunds.parts)
    assert len(refunds.parts) > 2
    assert lost.parts[0].text.startswith("lost\n")


def test_a_folder_without_documents_is_an_error(tmp_path: Path, embedder: Embedder) -> None:
    with pytest.raises(InputError, match="no Markdown document"):
        read_documents(tmp_path, embedder)


def test_a_document_that_is_not_utf_8_is_named(corpus: Path, embedder: Embedder) -> None:
    (corpus / "odd.md").write_bytes(b"caf\xe9")

    with pytest.raises(InputError, match=r"odd\.md"):
        read_documents(corpus, embedder)


def test_every_search_finds_the_obvious_document(documents: EntryIndex) -> None:
    for search in searches(documents).values():
        assert search("bicycles")[0] == "parking.md"


def test_the_table_has_a_row_for_every_search(documents: EntryIndex) -> None:
    rows = list(compared(documents, [("when is my money paid back?", ["refunds.md"])]))

    assert len(rows) == 2 + len(searches(documents))
    assert "1.000" in rows[2]

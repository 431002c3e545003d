"""Collections on disk: built once, whole or not at all, whoever else is at it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import chromadb
import pytest
from chromadb.config import Settings

from errors import RecordsError
from policies.rulebook import Rulebook
from retrieval.embedder import Embedder
from retrieval.index import open_policy_index, search
from tests.retrieval.library import indexes

ROOT = Path(__file__).parents[2]


def test_an_index_is_built_once(rulebook: Rulebook, embedder: Embedder, tmp_path: Path) -> None:
    open_policy_index(rulebook, embedder, tmp_path)
    built = indexes(tmp_path)

    again = open_policy_index(rulebook, never(embedder), tmp_path)

    assert indexes(tmp_path) == built
    assert again.name in built[0]


@pytest.mark.slow
def test_a_build_that_was_killed_is_done_again_and_cleared_away(
    rulebook: Rulebook, embedder: Embedder, tmp_path: Path
) -> None:
    with another("stuck", tmp_path) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "building\n"
        program.kill()
    assert [name[:9] for name in indexes(tmp_path)] == [".building"]

    index = open_policy_index(rulebook, embedder, tmp_path)

    assert search(index, "loud music")[0].section.id == "house.1"
    assert [name[:9] for name in indexes(tmp_path)] == ["rulebook-"]


@pytest.mark.slow
def test_a_build_that_is_going_on_elsewhere_is_left_alone(
    rulebook: Rulebook, embedder: Embedder, tmp_path: Path
) -> None:
    with another("stuck", tmp_path) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "building\n"
        try:
            open_policy_index(rulebook, embedder, tmp_path)
            assert [name[:9] for name in indexes(tmp_path)] == [".building", "rulebook-"]
        finally:
            program.kill()


@pytest.mark.slow
def test_programs_that_build_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    with another("build", tmp_path) as one, another("build", tmp_path) as two:
        answers = [program.communicate(timeout=120)[0] for program in (one, two)]

    assert answers == ["house.1", "house.1"]
    assert (one.returncode, two.returncode) == (0, 0)
    assert all(name.startswith("rulebook-") for name in indexes(tmp_path))


@pytest.mark.slow
def test_a_damaged_index_is_built_again(
    rulebook: Rulebook, embedder: Embedder, tmp_path: Path
) -> None:
    with another("build", tmp_path) as program:
        program.communicate(timeout=120)
    (damaged,) = (tmp_path / "index").iterdir()
    with (damaged / "chroma.sqlite3").open("r+b") as database:
        database.truncate(50_000)

    index = open_policy_index(rulebook, embedder, tmp_path)

    assert search(index, "loud music")[0].section.id == "house.1"
    assert damaged.name not in indexes(tmp_path)


def test_an_index_that_lost_some_of_its_parts_is_built_again(
    rulebook: Rulebook, embedder: Embedder, tmp_path: Path
) -> None:
    first = open_policy_index(rulebook, embedder, tmp_path)
    folder = first.sections.stored.folder
    first.sections.stored.collection.delete(ids=["0"])
    del first

    index = open_policy_index(rulebook, embedder, tmp_path)

    assert len(index.sections.vectors[0]) == len(index.sections.entries[0].parts)
    assert folder.name not in indexes(tmp_path)


def test_a_collection_that_is_gone_under_a_search_is_an_error_with_a_hint(
    rulebook: Rulebook, embedder: Embedder, tmp_path: Path
) -> None:
    index = open_policy_index(rulebook, embedder, tmp_path)
    settings = Settings(anonymized_telemetry=False)
    client = chromadb.PersistentClient(str(index.sections.stored.folder), settings)
    client.delete_collection(index.name)

    with pytest.raises(RecordsError, match="cannot read the index") as caught:
        search(index, "loud music")

    assert "again" in caught.value.hint


def test_a_home_that_cannot_be_written_is_named(
    rulebook: Rulebook, embedder: Embedder, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.write_text("a file where the folder should be")

    with pytest.raises(RecordsError, match="home") as caught:
        open_policy_index(rulebook, embedder, home)

    assert "AMICUS_HOME" in caught.value.hint


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX")
def test_a_full_disk_is_an_error_with_a_hint_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with another("full", tmp_path) as program:
        answer = program.communicate(timeout=120)[0]

    assert answer.startswith("RecordsError: cannot build an index in ")
    assert "make room on the disk" in answer
    assert indexes(tmp_path) == []


def another(deed: str, home: Path) -> subprocess.Popen[str]:
    """Another program at work on the index in `home`."""
    command = [sys.executable, "-m", "tests.retrieval.another_process", deed, str(home)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def never(embedder: Embedder) -> Embedder:
    """The same model by name, which fails as soon as it is asked for a vector."""

    class Never(Embedder):
        def embed(self, texts: object) -> None:  # type: ignore[override]
            raise AssertionError(texts)

    return Never(**vars(embedder))

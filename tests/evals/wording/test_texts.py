"""Wordings come from folders, files and git; what is wrong with a draft is said at once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from errors import InputError, RulebookError
from evals.wording.difference import difference, part_differences
from evals.wording.harmless import rewordings
from evals.wording.planting import shipped_edits, with_edit
from evals.wording.texts import read_wordings
from evals.wording.writing import policy_markdown, with_section
from policies.reading import load_rulebook, rulebook_from_files
from tests.evals.wording.literal import MARKET, SQUARE, edited, village


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    there = tmp_path / "rules"
    there.mkdir()
    (there / "square.md").write_text(SQUARE, "utf-8")
    (there / "market.md").write_text(MARKET, "utf-8")
    return there


def git(folder: Path, *words: str) -> None:
    named = ["-c", "user.name=w", "-c", "user.email=w@example.org"]
    subprocess.run(["git", *named, *words], cwd=folder, check=True, capture_output=True)


def test_a_git_revision_stands_in_for_the_folder_as_it_was(folder: Path) -> None:
    git(folder, "init", "-b", "trunk")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    (folder / "square.md").write_text(SQUARE.replace("turnip", "parsnip"), "utf-8")
    read = read_wordings("trunk", str(folder))
    assert read.old.rulebook == village()
    assert [e.section for e in difference(read.old.rulebook, read.new.rulebook).sections] == [
        "square.1"
    ]
    with pytest.raises(InputError, match="no revision"):
        read_wordings("nowhere", str(folder))
    with pytest.raises(InputError, match="no folder, file or git revision"):
        read_wordings("--output=x", str(folder))


def test_a_single_file_stands_in_for_its_policy(folder: Path, tmp_path: Path) -> None:
    draft = tmp_path / "my draft.md"
    draft.write_text(SQUARE.replace("drum", "trumpet"), "utf-8")
    read = read_wordings(str(folder), str(draft))
    assert difference(read.old.rulebook, read.new.rulebook).changed == ("square.2",)
    assert len(read.new.rulebook.policies) == 2
    assert read.new.name == str(draft)


def test_a_draft_that_does_not_parse_says_so_with_its_line(folder: Path, tmp_path: Path) -> None:
    draft = tmp_path / "draft.md"
    draft.write_text(SQUARE.replace("## square.2 Noise (low)", "## square.2 Noise"), "utf-8")
    with pytest.raises(RulebookError, match=r"no rulebook yet: .*draft.md:18: .*severity"):
        read_wordings(str(folder), str(draft))


def test_two_names_without_a_folder_are_refused() -> None:
    with pytest.raises(InputError, match="neither"):
        read_wordings("main", "other")


def test_the_words_of_an_edit_are_told_part_by_part() -> None:
    new = edited('"turnip" or "goose"', '"turnip"')
    (edit,) = difference(village(), new).sections
    assert edit.parts == ("rule",)
    pieces = part_differences(edit)["rule"]
    assert "".join(piece for kind, piece in pieces if kind != "came") == edit.old.rule  # type: ignore[union-attr]
    assert "".join(piece for kind, piece in pieces if kind != "gone") == edit.new.rule  # type: ignore[union-attr]


def test_every_shipped_policy_survives_being_written_and_read() -> None:
    rulebook = load_rulebook(None)
    for policy in rulebook.policies:
        again = rulebook_from_files({policy.file: policy_markdown(policy)}).policies[0]
        assert [s.version for s in again.sections] == [s.version for s in policy.sections]
        assert (again.purpose, again.enforcement) == (policy.purpose, policy.enforcement)


def test_harmless_rewordings_are_other_texts_of_the_same_length() -> None:
    rulebook = load_rulebook(None)
    for section in rulebook.sections[::6]:
        made = list(rewordings(section))
        assert made, section.id
        for one in made:
            assert one.version != section.version
            assert len(one.text.split()) == pytest.approx(len(section.text.split()), abs=12)
            assert with_section(rulebook, one).section(section.id).text == one.text  # type: ignore[union-attr]


def test_every_planted_edit_is_a_rulebook_and_edits_its_sections() -> None:
    rulebook = load_rulebook(None)
    edits = shipped_edits()
    assert sum(edit.changes for edit in edits) >= 30
    for edit in edits:
        found = difference(rulebook, with_edit(rulebook, edit))
        if edit.reflow:
            assert found.is_empty, edit
        else:
            assert set(found.changed) == set(edit.sections), edit

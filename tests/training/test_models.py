"""Making the models again says, file by file, whether they equal what ships."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from training.models import MAKERS, Maker, compare, main, remake


def folder(path: Path, weights: float = 1.0, line: float = 0.5, kind: str = "linear") -> Path:
    path.mkdir(parents=True)
    np.savez(path / "weights.npz", w=np.full(3, weights), names=np.asarray(["a"]))
    (path / "config.json").write_text(json.dumps({"lines": {"hate": line}, "kind": kind}))
    (path / "CARD.md").write_text(f"made at {path}")
    return path


def test_the_same_files_are_called_the_same(tmp_path: Path) -> None:
    found = list(compare(folder(tmp_path / "a" / "toy"), folder(tmp_path / "b" / "toy")))

    assert [finding.file for finding in found] == ["toy/config.json", "toy/weights.npz"]
    assert all(finding.same and "the same bytes" in finding.said for finding in found)


def test_the_largest_difference_of_numbers_is_told(tmp_path: Path) -> None:
    made = folder(tmp_path / "b" / "toy", weights=1.25, line=0.75, kind="deep")
    config, weights = compare(folder(tmp_path / "a" / "toy"), made)

    assert not config.same
    assert config.said.endswith("numbers by at most 0.25; other: kind")
    assert not weights.same
    assert "w by at most 0.25" in weights.said


def test_a_file_that_was_not_made_is_named(tmp_path: Path) -> None:
    made = folder(tmp_path / "b" / "toy")
    (made / "config.json").unlink()
    (made / "extra.bin").write_bytes(b"x")
    found = {f.file: f.said for f in compare(folder(tmp_path / "a" / "toy"), made)}

    assert found["toy/config.json"] == "was not made"
    assert found["toy/extra.bin"] == "is new"


def test_an_option_may_name_the_folder_that_is_written(tmp_path: Path) -> None:
    maker = Maker("injection", options=("--scores", "{out}.npz"))

    command = maker.command(Path("data"), tmp_path / "injection")

    assert command[-2:] == ["--scores", f"{tmp_path / 'injection'}.npz"]


def test_a_model_that_cannot_be_made_here_is_left_out_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    makers = [Maker("classifier", needs=("a_package_that_nobody_has",))]

    assert not remake(makers, tmp_path, tmp_path)
    assert "for want of a_package_that_nobody_has" in capsys.readouterr().out


def test_a_maker_that_fails_is_reported_with_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not remake([Maker("links")], tmp_path / "no data", tmp_path)
    assert f"see {tmp_path / 'links.log'}" in capsys.readouterr().out
    assert "no data" in (tmp_path / "links.log").read_text()


def test_every_shipped_model_has_a_maker() -> None:
    models = Path(__file__).parents[2] / "models"
    shipped = {path.name for path in models.iterdir() if (path / "CARD.md").exists()}

    assert shipped == {maker.name for maker in MAKERS if (models / maker.name).exists()}


def test_data_have_to_be_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AMICUS_DATA", raising=False)
    with pytest.raises(SystemExit):
        main([])
    assert "--data DIR" in capsys.readouterr().err

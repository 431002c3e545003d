from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from errors import RecordsError
from tools.links.anatomy import dissect
from tools.links.features import (
    HOST_BUCKETS,
    MEASUREMENTS,
    PATH_BUCKETS,
    host_buckets,
    measure,
    path_buckets,
)
from tools.links.score import read_scorer, shipped_scorer

SHIPPED = Path("models/links")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copytree(SHIPPED, tmp_path / "links")


def test_the_shipped_weights_are_plain_small_arrays() -> None:
    assert (SHIPPED / "weights.npz").stat().st_size < 1_000_000
    with np.load(SHIPPED / "weights.npz", allow_pickle=False) as archive:
        assert {archive[name].dtype.name for name in archive.files} == {"float32"}


def test_phishing_shapes_score_above_honest_ones() -> None:
    scorer = shipped_scorer()
    honest = [
        "https://www.example.com/",
        "https://docs.python.org/3/library/re.html",
        "https://bbc.co.uk/news",
    ]
    shapes = [
        "http://secure-paypa1-login.xyz/webscr.php?cmd=_login&session=8f8141b1ff9fa1d3dfe6e797",
        "http://paypal.com.verify.account.xk2f9.top/signin",
        "http://93.184.216.34/bank/login.php",
    ]

    assert max(scorer.score(dissect(url)) for url in honest) < scorer.medium
    assert min(scorer.score(dissect(url)) for url in shapes) >= scorer.medium
    assert 0 < scorer.medium < scorer.high < 1


def test_the_score_is_the_same_on_every_run_and_for_every_spelling() -> None:
    spelled = [
        "https://example.net/Login",
        "HTTPS://EXAMPLE.net:443/Login",
        "hxxps://www.example[.]net/Login",
    ]

    assert len({shipped_scorer().score(dissect(url)) for url in spelled}) == 1


def test_every_measurement_has_a_name_and_every_bucket_a_place() -> None:
    for url in ("http://10.0.0.1", "", "https://a.b.example.co.uk/x/y.php?z=1&mail=me@example.com"):
        anatomy = dissect(url)
        assert len(measure(anatomy)) == len(MEASUREMENTS)
        assert all(0 <= value <= 2 for value in measure(anatomy))
        assert all(0 <= bucket < HOST_BUCKETS for bucket in host_buckets(anatomy))
        assert all(0 <= bucket < PATH_BUCKETS for bucket in path_buckets(anatomy))


def test_other_thresholds_are_another_version(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    config["thresholds"]["medium"] /= 2
    (copy / "config.json").write_text(json.dumps(config), encoding="utf-8")

    assert read_scorer(copy).version != read_scorer(SHIPPED).version


@pytest.mark.parametrize("name", ["weights.npz", "config.json"])
@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 broken", b"[]", b'{"thresholds": {}}'])
def test_damaged_weights_are_an_error_and_not_a_score(
    copy: Path, name: str, content: bytes | None
) -> None:
    if content is None:
        (copy / name).unlink()
    else:
        (copy / name).write_bytes(content)

    with pytest.raises(RecordsError, match="link weights cannot be read"):
        read_scorer(copy)


@pytest.mark.parametrize("broken", ["short", "not a number", "missing", "object"])
def test_weights_for_other_features_are_refused(copy: Path, broken: str) -> None:
    with np.load(copy / "weights.npz", allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    changed: dict[str, np.ndarray] = {
        "short": {"host": arrays["host"][:-1]},
        "not a number": {"slope": np.array(np.nan, dtype=np.float32)},
        "missing": {},
        "object": {"host": np.array([object()])},
    }[broken]
    if broken == "missing":
        del arrays["path"]
    np.savez(copy / "weights.npz", **(arrays | changed))

    with pytest.raises(RecordsError):
        read_scorer(copy)

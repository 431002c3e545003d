from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from errors import InputError
from tools.links.anatomy import dissect
from training.links.honest import honest_links, invented_domain
from training.links.learn import calibrated, fit, threshold
from training.links.phishing import FAMILIES, phishing_link
from training.links.report import auc_score, calibration_error, reach_rate, scores
from training.links.samples import LEARN, REPORT, SETTLE, Sheet, generated, real_pages, sheet


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Sheet:
    data = tmp_path_factory.mktemp("data")
    (data / "lists").mkdir()
    rng = Random(3)
    for name in ("top", "random"):
        domains = "\n".join(invented_domain(rng) for _ in range(150))
        (data / "lists" / f"benign_domains_{name}.txt").write_text(domains, encoding="utf-8")
    return sheet(generated(data, Random(4)))


def test_the_same_seed_makes_the_same_links() -> None:
    once, again = (
        [phishing_link(rng, "example.com"), *honest_links(rng, "example.com", paths=3)]
        for rng in (Random(1), Random(1))
    )

    assert once == again


def test_no_owner_is_in_two_folds(links: Sheet) -> None:
    owners = [set(links.in_folds(folds).owners) for folds in (LEARN, SETTLE, REPORT)]

    assert not owners[0] & owners[1]
    assert not owners[0] & owners[2]
    assert not owners[1] & owners[2]
    assert sum(map(len, owners)) == len(set(links.owners))


def test_a_path_is_not_what_tells_the_kinds_apart(links: Sheet) -> None:
    with_path = [bool(anatomy.path.strip("/")) for anatomy in links.anatomies]
    honest = [path for path, bad in zip(with_path, links.phishing, strict=True) if not bad]
    phishing = [path for path, bad in zip(with_path, links.phishing, strict=True) if bad]

    assert 0.3 < sum(honest) / len(honest) < 0.9
    assert 0.3 < sum(phishing) / len(phishing) < 0.95


def test_every_family_of_phishing_is_made(links: Sheet) -> None:
    assert set(FAMILIES) <= {sample.family for sample in links.samples}


def test_generated_links_are_links() -> None:
    rng = Random(5)
    made = [phishing_link(rng, "example.com").url for _ in range(300)]

    assert all(dissect(url).is_web for url in made)


def test_what_is_learned_tells_links_of_unseen_owners_apart(links: Sheet) -> None:
    scorer = calibrated(fit(links.in_folds(LEARN), 1.0), links.in_folds(SETTLE))
    unseen = links.in_folds(REPORT)
    scored = scores(scorer, unseen)
    auc = auc_score(unseen, scored, resamples=40)

    assert auc.low <= auc.value <= auc.high
    assert auc.value > 0.8
    assert 0 < scorer.medium <= scorer.high < 1
    assert 0 <= calibration_error(unseen, scored) < 0.3


def test_the_shipped_arithmetic_is_the_learned_one(links: Sheet) -> None:
    import numpy as np

    found = fit(links.in_folds(LEARN), 0.3)
    scorer = calibrated(found, links.in_folds(SETTLE))
    few = links.only(number % 40 == 0 for number in range(len(links.samples)))
    weights = scorer.weights
    expected = 1 / (1 + np.exp(-(weights["slope"] * found.raw(few) + weights["offset"])))

    assert np.allclose(scores(scorer, few), expected, atol=1e-5)


def test_no_kind_of_honest_link_reaches_a_line_more_often_than_allowed(links: Sheet) -> None:
    import numpy as np

    noise = np.random.default_rng(1).random(len(links.samples))
    front = np.array([sample.family == "front page" for sample in links.samples])
    scored = np.where(front, noise / 2, noise)
    line = threshold(links, scored, 0.05)

    for kind in ("front page", "generated path"):
        of_kind = np.array([sample.kind == kind for sample in links.samples])
        assert (scored[of_kind] > line).mean() <= 0.05
    assert (scored[~links.phishing] > line).mean() < 0.04


def test_a_rate_has_an_interval_around_it(links: Sheet) -> None:
    import numpy as np

    half = np.arange(len(links.samples)) % 2
    rate = reach_rate(links, half.astype(float), 1.0, resamples=200)

    assert rate.value == pytest.approx(0.5, abs=0.01)
    assert 0.4 < rate.low < rate.value < rate.high < 0.6


def test_real_pages_are_read_from_documentation_and_no_site_speaks_for_all(tmp_path: Path) -> None:
    many = "\n".join(f"https://www.example.com/{number}" for number in range(50))
    (tmp_path / "notes.md").write_text(
        f"{many}\nhttps://docs.example.org/x and example.net", encoding="utf-8"
    )
    (tmp_path / "data.bin").write_text("https://binary.example.org/", encoding="utf-8")

    urls = [page.url for page in real_pages(tmp_path)]

    assert len(urls) == 21
    assert urls[-1] == "https://docs.example.org/x"


def test_a_missing_list_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"benign_domains_top\.txt"):
        generated(tmp_path, Random(1))

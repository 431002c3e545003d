from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evals.golden import GoldenCase
from evals.report.page import page
from evals.run import Run, metrics_of
from tests.evals.by_ear import golden_case, manifest, records_of
from tests.evals.report.browser import Page, browser_page, find_browser

ATTACK = "<img src=x onerror=window.harmed=1></script><script>window.harmed=1</script>{{script}}"
HOSTILE = [
    golden_case('"><svg/onload=window.harmed=1>', f"good night {ATTACK}", "allowed", kind=ATTACK),
    golden_case("</script>", "HEY <B>YOU</B> &AMP; {{DATA}}", "allowed", policy="<b>bold</b>"),
]


def run_of(golden: list[GoldenCase]) -> Run:
    return Run(Path("here"), manifest(golden), tuple(records_of(golden)))


@pytest.fixture(scope="session")
def hundred() -> list[GoldenCase]:
    """A hundred and twenty cases of three policies, some of them decided wrongly."""
    return [
        golden_case(
            f"c-{n:03}",
            "HEY" if n % 3 == 0 else f"is that {n} loud?" if n % 10 == 0 else f"good night {n}",
            "violating" if n % 4 == 0 else "allowed",
            policy=("park", "square", "lane")[n % 3],
            kind="plain" if n % 2 else "news",
            group="cats" if n % 5 else "dogs",
        )
        for n in range(120)
    ]


@pytest.fixture(scope="session")
def whole_page(hundred: list[GoldenCase], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run with hostile cases in it, as a file."""
    run = run_of([*hundred, *HOSTILE])
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(run, metrics_of(run.records)), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    program = find_browser()
    if program is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium-headless-shell)")
    with browser_page(program, tmp_path_factory.mktemp("profile")) as opened:
        yield opened

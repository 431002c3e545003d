"""The page as a person uses it: filter, sort, turn pages, open a case, uncover its content."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.golden import GoldenCase
from evals.report.page import page
from evals.run import metrics_of
from tests.evals.by_ear import golden_case
from tests.evals.report.browser import Page
from tests.evals.report.conftest import ATTACK, run_of

pytestmark = pytest.mark.slow


@pytest.fixture
def opened(browser: Page, whole_page: Path) -> Page:
    browser.look(width=1280)
    browser.open(whole_page)
    return browser


def first_ids(opened: Page, n: int = 3) -> list[str]:
    return opened.texts("#rows tr.case td:first-child")[:n]


def test_the_page_opens_without_a_complaint_and_asks_for_nothing(
    opened: Page, whole_page: Path
) -> None:
    assert opened.complaints == []
    assert set(opened.requests) == {whole_page.as_uri()}
    assert opened.texts("#count") == ["122 of 122 cases"]
    assert len(opened.texts(".tile")) == 6


@pytest.mark.parametrize(
    ("control", "value", "count"),
    [
        ("#fate", "removed", "31 of 122 cases"),
        ("#policy", "park", "40 of 122 cases"),
        ("#slice", '["kind","plain"]', "60 of 122 cases"),
        ("#policy", "<b>bold</b>", "1 of 122 cases"),
    ],
)
def test_cases_are_filtered_by_outcome_policy_and_slice(
    opened: Page, control: str, value: str, count: str
) -> None:
    opened.choose(control, value)
    assert opened.texts("#count") == [count]


def test_a_case_is_found_by_part_of_its_id(opened: Page) -> None:
    opened.type("#wanted", "-11")
    assert opened.texts("#count") == ["10 of 122 cases"]
    assert first_ids(opened) == ["c-110", "c-111", "c-112"]


def test_a_click_on_a_heading_sorts_and_another_turns_it_round(opened: Page) -> None:
    heading = "#heads th:nth-child(6) button"
    opened.click(heading)
    assert opened.texts("#rows tr.case td:nth-child(6)")[0] == "0.00"
    opened.click(heading)
    assert opened.texts("#rows tr.case td:nth-child(6)")[0] == "0.90"
    assert opened.run("document.querySelector('#heads th:nth-child(6)').ariaSort") == "descending"


def test_there_are_fifty_cases_on_a_page_and_more_behind_it(opened: Page) -> None:
    assert len(opened.texts("#rows tr.case")) == 50
    opened.click("#after")
    opened.click("#after")
    assert len(opened.texts("#rows tr.case")) == 22
    assert opened.texts("#place") == ["3 of 3"]
    assert opened.run("document.querySelector('#after').disabled") is True


def test_content_is_covered_until_it_is_clicked_on(opened: Page) -> None:
    opened.type("#wanted", "c-000")
    opened.click("#rows .open")
    shown = opened.texts(".opened")[0]
    assert "square.1 (high, 0.90)" in shown
    assert "HEY" not in opened.run("document.querySelector('main').innerText")
    assert "Do not shout" in shown
    opened.click(".covered")
    assert "HEY" in opened.texts(".opened .content")
    assert "“HEY”" in opened.texts(".ground")[0]


def test_a_case_closes_again_and_stays_uncovered_for_whom_it_was(opened: Page) -> None:
    opened.type("#wanted", "c-000")
    opened.click("#rows .open")
    opened.click(".covered")
    opened.click("#rows .open")
    assert opened.texts(".opened") == []
    opened.click("#rows .open")
    assert opened.texts(".covered") == []


def test_the_keyboard_opens_a_case(opened: Page) -> None:
    opened.run("document.querySelector('#rows .open').focus()")
    for kind in ("keyDown", "keyUp"):
        opened.tell("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r")
    assert len(opened.texts(".opened")) == 1
    assert opened.run("document.activeElement.getAttribute('aria-expanded')") == "true"


def test_hostile_content_is_shown_and_never_obeyed(opened: Page) -> None:
    opened.type("#wanted", "onload")
    opened.click("#rows .open")
    opened.click(".covered")
    assert opened.texts(".opened .content") == [f"good night {ATTACK}"]
    assert opened.run("typeof window.harmed") == "undefined"
    assert opened.complaints == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_fits_a_phone_and_a_screen_by_day_and_by_night(
    browser: Page, whole_page: Path, width: int, *, dark: bool
) -> None:
    browser.look(width=width, dark=dark)
    browser.open(whole_page)
    browser.click("#rows .open")
    assert browser.run("document.documentElement.scrollWidth") <= width
    paper = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(17, 22, 29)") == dark
    small = browser.run(
        "[...document.querySelectorAll('button, select, input')]"
        ".filter((one) => one.offsetParent && !one.classList.contains('open')"
        " && one.getBoundingClientRect().height < 30).length"
    )
    assert small == 0, "a control is too small for a finger"


@pytest.mark.timeout(120)
def test_ten_thousand_cases_open_quickly_and_stay_usable(
    browser: Page, hundred: list[GoldenCase], tmp_path: Path
) -> None:
    words = "one two three four five six seven eight nine ten " * 6
    cases = [
        golden_case(f"c-{n:05}", f"{words}{n}", "allowed", policy=f"p-{n % 14}", kind=f"k-{n % 9}")
        for n in range(10_000)
    ]
    few = metrics_of(run_of(hundred).records)
    path = tmp_path / "large.html"
    path.write_text(page(run_of(cases), few), encoding="utf-8")
    browser.look(width=1280)
    assert browser.open(path) < 10
    started = browser.run("performance.now()")
    browser.choose("#policy", "p-3")
    browser.click("#heads th:nth-child(1) button")
    assert browser.texts("#count") == ["715 of 10,000 cases"]
    assert browser.run("performance.now()") - started < 3000

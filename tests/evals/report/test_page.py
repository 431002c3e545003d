from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agent.masking import without_content
from evals.report.cases import OUTCOMES, _Contents, _prose, cases_data, fate
from evals.run import outcome_of
from tests.evals.by_ear import golden_case, records_of
from tests.evals.report.conftest import ATTACK, HOSTILE


class Anatomy(HTMLParser):
    """Every element of a page with its attributes, and what stands in its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_script = tag == "script"
        if self._in_script:
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._in_script = False


def test_the_page_has_the_scripts_that_it_came_with_and_no_others(whole_page: Path) -> None:
    told = Anatomy(whole_page.read_text("utf-8"))
    kinds = [attributes for tag, attributes in told.elements if tag == "script"]
    assert kinds == [{"type": "application/json", "id": "data"}, {}]
    assert not [tag for tag, _ in told.elements if tag in ("img", "iframe", "link", "object")]
    for tag, attributes in told.elements:
        assert not [name for name in attributes if name.startswith("on")], tag


def test_nothing_on_the_page_points_outside_of_it(whole_page: Path) -> None:
    told = Anatomy(whole_page.read_text("utf-8"))
    for _, attributes in told.elements:
        assert not {"src", "href", "srcset", "style", "action"} & set(attributes)


def test_the_security_policy_names_the_hash_of_the_one_script(whole_page: Path) -> None:
    text = whole_page.read_text("utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]


def test_the_data_is_whole_and_every_case_is_in_it(whole_page: Path) -> None:
    told = Anatomy(whole_page.read_text("utf-8"))
    data = json.loads(told.scripts[0])
    assert len(data["cases"]) == 122
    assert data["cases"][-2]["text"] == f"good night {ATTACK}"
    assert data["cases"][-2]["id"] == HOSTILE[0].case.id


def test_a_case_is_told_by_what_became_of_it() -> None:
    golden = [
        golden_case("right", "HEY", "violating"),
        golden_case("section", "HEY", "violating", policy="park"),
        golden_case("removed", "HEY", "allowed"),
        golden_case("missed", "hey", "violating"),
        golden_case("left", "hey?", "violating"),
        golden_case("open", "hey", "abstain"),
    ]
    fates = [fate(outcome_of(record)) for record in records_of(golden)]
    assert fates == [one.case.id for one in golden] == list(OUTCOMES)


def test_prose_that_repeats_the_content_has_a_covered_form() -> None:
    (record,) = records_of([golden_case("c", "THOSE PEOPLE AGAIN TODAY", "violating")])
    verdict = record.verdict.model_copy(update={"rationale": "It says 'those people again'."})
    (told,) = cases_data([record.model_copy(update={"verdict": verdict})])
    assert told["rationale"] == ["It says 'those people again'.", "It says '••••• •••••• •••••'."]
    assert told["against"] == ["A short name may stand in capitals."]


words = st.lists(st.sampled_from(["you", "all", "go", "home", "I’m", "it's", "\u202e"]), max_size=9)


@given(words, st.lists(words, min_size=1, max_size=3))
def test_the_quick_look_for_repeated_content_misses_nothing(
    prose: list[str], contents: list[list[str]]
) -> None:
    text, texts = ", ".join(prose), [" ".join(one) for one in contents]
    covered = without_content(text, texts)
    assert _prose(text, _Contents(texts)) == ([text] if covered == text else [text, covered])

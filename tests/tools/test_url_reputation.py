from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from errors import ToolError
from tests.wire.guard import LeftTheHouseError, stays_home
from tests.wire.reputation import KEY, reputation_service
from tools.links.lookup import urlhaus, web_risk
from tools.links.score import shipped_scorer
from tools.url_reputation import url_reputation


def test_the_tool_says_in_one_sentence_what_is_wrong_with_a_link() -> None:
    with stays_home():
        result = url_reputation().call({"urls": ["https://paypal.com@evil.example.com/login"]})

    assert result.finding == (
        "hxxps://evil[.]example[.]com/login (high risk) shows paypal[.]com before the @, "
        "while the link goes to evil[.]example[.]com."
    )


def test_of_many_links_the_worst_is_told_and_the_others_counted() -> None:
    urls = ["https://www.example.com/", "http://pаypal.com/", "https://example.org/a"]

    result = url_reputation().call({"urls": urls})

    assert result.finding.startswith(
        "3 links (1 high, 2 low); hxxp://xn--pypal-4ve[.]com/ (high risk)"
    )


def test_the_answer_for_programs_names_risk_signs_and_hits() -> None:
    class Hit:
        list_name, entry, kind, category = "feed", "example.com", "host", "malware"

    def lists(hosts: Sequence[str], _: Sequence[str], /) -> list[Hit]:
        return [Hit()] if "example.com" in hosts else []

    answer = url_reputation(lists=lists).call({"urls": ["https://example.com/a"]}).model_dump()

    assert answer["risk"] == "listed"
    (link,) = answer["links"]
    assert (link["url"], link["host"]) == ("hxxps://example[.]com/a", "example.com")
    assert (link["registered_domain"], link["risk"]) == ("example.com", "listed")
    assert link["hits"] == (
        {"list_name": "feed", "entry": "example.com", "kind": "host", "category": "malware"},
    )


def test_what_is_no_link_is_a_finding_and_no_failure() -> None:
    result = url_reputation().call({"urls": ["", "http://[::1", "hello there"]})

    assert "low risk" in result.finding
    assert len(result.model_dump()["links"]) == 3


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ({}, "urls"),
        ({"urls": []}, "urls"),
        ({"urls": ["https://example.com"] * 21}, "urls"),
        ({"urls": ["https://example.com/" + "a" * 4_096]}, "urls.0"),
        ({"urls": ["https://example.com"], "open": True}, "open"),
        ({"urls": [7]}, "urls.0"),
    ],
)
def test_a_question_that_does_not_fit_is_refused_by_name(
    arguments: dict[str, object], place: str
) -> None:
    with pytest.raises(ToolError, match=rf"url_reputation: {re.escape(place)}: "):
        url_reputation().call(arguments)


def test_the_version_names_weights_and_lists() -> None:
    version = url_reputation().version

    assert re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]{12}", version)
    assert version.startswith(shipped_scorer().version)


def test_the_model_is_told_what_the_tool_is_for() -> None:
    assert "without opening" in url_reputation().description


def test_no_link_of_a_case_is_opened_or_resolved_even_with_look_ups() -> None:
    with reputation_service() as service, stays_home():
        service.threats["http://bad.example.net/"] = ["MALWARE"]
        lookups = [
            web_risk(KEY, base_url=service.address, trust_env=False),
            urlhaus(KEY, base_url=service.address, trust_env=False),
        ]
        result = url_reputation(lookups=lookups).call(
            {"urls": ["http://bad.example.net/", "http://93.184.216.34/", "https://example.org/"]}
        )

    assert "is listed by Google Web Risk (MALWARE)" in result.finding
    assert {asked.path for asked in service.asked} == {"/v1/uris:search", "/v1/url/", "/v1/host/"}


def test_a_dead_service_is_said_and_its_silence_is_not_a_clearance() -> None:
    with reputation_service() as service:
        service.mood = "broken"
        lookup = web_risk(KEY, base_url=service.address, trust_env=False)
        result = url_reputation(lookups=[lookup]).call({"urls": ["https://www.example.com/"]})

    assert "got no answer from Google Web Risk" in result.finding


def test_the_guard_of_these_tests_does_bite() -> None:
    import socket

    with stays_home():
        with pytest.raises(LeftTheHouseError):
            socket.getaddrinfo("example.com", 80)
        with socket.socket() as connection, pytest.raises(LeftTheHouseError):
            connection.connect(("192.0.2.1", 80))


def test_nothing_in_the_tool_imports_what_could_open_a_link() -> None:
    opening = re.compile(
        r"^\s*(?:import|from) (?:httpx|requests|urllib3?\.request|socket|aiohttp)", re.MULTILINE
    )
    users = {
        path.name
        for path in [*Path("tools/links").glob("*.py"), Path("tools/url_reputation.py")]
        if opening.search(path.read_text(encoding="utf-8"))
    }

    assert users == {"lookup.py"}

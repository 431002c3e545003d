from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import get_args

import pytest
from pydantic import SecretStr

from errors import SettingsError
from tests.wire.reputation import KEY, Mood, ReputationService, reputation_service
from tools.links.lookup import Lookup, open_lookups, urlhaus, web_risk

Maker = Callable[..., Lookup]

BAD = "http://bad.example.net/a?b=c&d=%26"
GOOD = "https://good.example.net/"
MAKERS = pytest.mark.parametrize("make", [web_risk, urlhaus])


@pytest.fixture
def service() -> Iterator[ReputationService]:
    with reputation_service() as running:
        yield running


def test_web_risk_is_asked_as_its_documentation_says(service: ReputationService) -> None:
    service.threats[BAD] = ["SOCIAL_ENGINEERING", "MALWARE"]

    answer = web_risk(KEY, base_url=service.address, trust_env=False)(BAD)

    assert (answer.outcome, answer.threats) == ("listed", ("SOCIAL_ENGINEERING", "MALWARE"))
    (asked,) = service.asked
    assert (asked.method, asked.path) == ("GET", "/v1/uris:search")
    assert asked.query == {
        "key": [KEY],
        "threatTypes": ["MALWARE", "SOCIAL_ENGINEERING", "UNWANTED_SOFTWARE"],
        "uri": [BAD],
    }


def test_urlhaus_is_asked_as_its_documentation_says(service: ReputationService) -> None:
    service.malware[BAD] = ["elf", "mirai"]

    answer = urlhaus(KEY, base_url=service.address, trust_env=False)(BAD)

    assert (answer.outcome, answer.threats) == ("listed", ("malware_download", "elf", "mirai"))
    (asked,) = service.asked
    assert (asked.method, asked.path, asked.form) == ("POST", "/v1/url/", {"url": BAD})
    assert asked.headers["auth-key"] == KEY


def test_urlhaus_is_asked_about_the_host_when_it_does_not_know_the_link(
    service: ReputationService,
) -> None:
    service.malware_hosts.add("bad.example.net")

    answer = urlhaus(KEY, base_url=service.address, trust_env=False)(BAD)

    assert answer.outcome == "listed"
    assert [asked.path for asked in service.asked] == ["/v1/url/", "/v1/host/"]


@pytest.mark.parametrize(
    "shared", ["https://github.com/a", "https://me.github.io/", "https://bit.ly/x"]
)
def test_a_host_that_strangers_share_is_not_held_against_a_link(
    service: ReputationService, shared: str
) -> None:
    service.malware_hosts |= {"github.com", "me.github.io", "bit.ly"}

    assert urlhaus(KEY, base_url=service.address, trust_env=False)(shared).outcome == "not_listed"


@MAKERS
def test_a_link_that_the_service_does_not_know_is_not_listed(
    service: ReputationService, make: Maker
) -> None:
    answer = make(KEY, base_url=service.address, trust_env=False)(GOOD)

    assert (answer.outcome, answer.because) == ("not_listed", "")


@MAKERS
@pytest.mark.parametrize("mood", [mood for mood in get_args(Mood) if mood != "well"])
def test_no_usable_answer_is_never_taken_for_a_clean_one(
    service: ReputationService, make: Maker, mood: Mood
) -> None:
    service.mood = mood
    start = time.monotonic()

    answer = make(KEY, base_url=service.address, trust_env=False, seconds=0.5)(GOOD)

    assert answer.outcome == "no_answer"
    assert answer.because
    assert time.monotonic() - start < 3
    assert not any(asked.path == "/elsewhere" for asked in service.asked)


@MAKERS
def test_a_wrong_key_is_named_as_the_reason(service: ReputationService, make: Maker) -> None:
    answer = make("wrong", base_url=service.address, trust_env=False)(GOOD)

    assert answer.outcome == "no_answer"
    assert "refused the key" in answer.because


@MAKERS
def test_a_service_that_is_not_there_gives_no_answer(make: Maker) -> None:
    with reputation_service() as gone:
        address = gone.address

    assert make(KEY, base_url=address, trust_env=False)(GOOD).outcome == "no_answer"


@MAKERS
@pytest.mark.parametrize("mood", ["well", "broken", "garbled", "moved", "hanging up"])
def test_neither_key_nor_link_reaches_a_log_or_an_answer(
    service: ReputationService, make: Maker, mood: Mood, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.mood = mood

    answer = make(KEY, base_url=service.address, trust_env=False)(GOOD)

    told = caplog.text + repr(answer)
    assert service.asked
    assert KEY not in told
    assert "good.example.net" not in told


@dataclass(frozen=True)
class Wanted:
    url_lookup: tuple[str, ...] = ()
    webrisk_api_key: SecretStr | None = None
    urlhaus_auth_key: SecretStr | None = None


def test_no_service_is_asked_unless_a_user_names_it() -> None:
    assert open_lookups(Wanted(webrisk_api_key=SecretStr(KEY))) == ()


def test_each_service_that_is_named_is_asked() -> None:
    wanted = Wanted(("webrisk", "urlhaus", "webrisk"), SecretStr(KEY), SecretStr(KEY))

    assert len(open_lookups(wanted)) == 2


@pytest.mark.parametrize("key", [None, SecretStr("")])
def test_a_service_without_its_key_is_an_error_that_names_the_setting(
    key: SecretStr | None,
) -> None:
    with pytest.raises(SettingsError) as caught:
        open_lookups(Wanted(("urlhaus",), SecretStr(KEY), key))

    assert "urlhaus" in caught.value.message
    assert "AMICUS_URLHAUS_AUTH_KEY" in caught.value.hint

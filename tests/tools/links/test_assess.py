from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.links.assess import LinkAssessment, assess
from tools.links.extract import find_links
from tools.links.facts import sign_texts
from tools.links.lookup import LookupAnswer
from tools.links.score import Scorer, shipped_scorer


@dataclass(frozen=True)
class Hit:
    entry: str
    list_name: str = "our list"
    kind: str = "host"
    category: str = "phishing"


@dataclass
class KeptLists:
    """Block lists in memory; an entry matches its host and the hosts below it."""

    entries: tuple[str, ...] = ()
    asked: list[tuple[Sequence[str], Sequence[str]]] = field(default_factory=list)

    def __call__(self, hosts: Sequence[str], urls: Sequence[str], /) -> list[Hit]:
        self.asked.append((hosts, urls))
        names = [name for name in hosts if any(f".{name}".endswith(f".{e}") for e in self.entries)]
        return [Hit(entry) for entry in self.entries for name in names if name.endswith(entry)]


@dataclass
class Service:
    """A reputation service in memory."""

    bad: tuple[str, ...] = ()
    working: bool = True
    asked: list[str] = field(default_factory=list)

    def __call__(self, url: str) -> LookupAnswer:
        self.asked.append(url)
        if not self.working:
            return LookupAnswer("Service", "no_answer", because="it could not be reached")
        if url in self.bad:
            return LookupAnswer("Service", "listed", ("MALWARE",))
        return LookupAnswer("Service", "not_listed")


def only(url: str, scorer: Scorer | None = None) -> LinkAssessment:
    (found,) = assess([url], scorer=scorer)
    return found


@pytest.mark.parametrize(
    ("url", "sign", "where"),
    [
        ("https://www.paypal.com@example.com/x", "userinfo_other_host", "user name"),
        ("https://www.paypal.com%00@example.com/x", "userinfo_other_host", "user name"),
        ("https://me:secret@example.com/", "credentials_in_url", "user name"),
        ("http://pаypal.com/", "brand_homograph", "host"),
        ("[https://paypal.com](https://example.com)", "shown_host_differs", "shown text"),
        ("http://gоо-shop.com/", "mixed_script", "host"),
        ("http://exa\u200bmple.com/", "invisible_characters", "whole"),
        ("http://ex%61mple.com/", "encoded_host", "host"),
        ("http://0x5d.0xb8.0xd8.0x22/", "odd_ip", "host"),
        ("http://93.184.216.34/a", "ip_host", "host"),
        ("http://10.0.0.1/", "private_address", "host"),
        ("http://printer.local/", "private_address", "host"),
        ("javascript:alert(1)", "script_scheme", "scheme"),
        ("data:text/html;base64,PHA+", "script_scheme", "scheme"),
        ("tg://resolve?domain=x", "other_scheme", "scheme"),
        ("http://example.com/invoice.pdf.exe", "double_extension", "path"),
        ("http://example.com/setup.apk", "executable", "path"),
        ("https://bit.ly/abc", "shortener", "host"),
        ("https://shop.weebly.com/", "free_hosting", "host"),
        ("https://sites.google.com/view/x", "free_hosting", "host"),
        ("https://home.duckdns.org/", "dynamic_dns", "host"),
        ("https://secure-login-check.com/", "credential_words_host", "host"),
        ("https://example.com/signin/verify", "credential_words_path", "path"),
        ("https://www-example.com/", "protocol_in_host", "host"),
        ("https://a.b.c.d.example.com/", "many_subdomains", "host"),
        ("https://" + "a" * 50 + ".com/", "long_host", "host"),
        ("https://example.com/" + "a" * 2_000, "long_url", "whole"),
        ("https://example.com:8443/", "unusual_port", "port"),
        ("https://xn--mnchen-3ya.de/", "punycode", "host"),
        ("https://xn--a.example/", "broken_punycode", "host"),
        ("https://example.com/go?url=https%3A%2F%2Fexample.org%2F", "open_redirect", "query"),
        ("https://example.com/go?url=//paypa1.com/", "redirect_to_trick", "query"),
        ("http:\\\\example.com\\x", "backslashes", "host"),
        ("http://exa\tmple.com", "control_characters", "whole"),
        ("http://ｅxample.com", "compatibility_letters", "host"),
        ("hxxp://example[.]com", "defanged", "whole"),
        ("http://exa mple.com", "malformed", "whole"),
        ("https://paypa1.com/", "brand_digit_swap", "host"),
    ],
)
def test_each_sign_is_named_with_its_place(url: str, sign: str, where: str) -> None:
    found = {(given.name, given.where) for given in only(url).signs}

    assert (sign, where) in found


def test_every_sign_explains_itself_and_holds_nothing_to_click() -> None:
    assert {text["strength"] for text in sign_texts().values()} == {
        "hard",
        "strong",
        "weak",
        "note",
    }
    for sign in only("https://www.paypal.com@example.com/go?url=https://evil.example/").signs:
        assert sign.says
        assert "{" not in sign.says
        assert not find_links(sign.says.replace("[.]", "(x)"))


@pytest.mark.parametrize(
    ("url", "risk"),
    [
        ("https://www.example.com/", "low"),
        ("https://paypal.com/signin", "low"),
        ("https://bit.ly/abc", "low"),
        ("https://example.com/login?next=/account", "low"),
        ("https://paypa1.com/", "medium"),
        ("http://example.com/invoice.pdf.exe", "medium"),
        ("https://paypal.com@example.com/", "high"),
        ("http://pаypal.com/", "high"),
        ("http://xn--80ak6aa92e.com/", "high"),
        ("http://0x5d.0xb8.0xd8.0x22/paypal.pdf.exe", "high"),
        ("[www.paypal.com](http://paypa1.com/)", "high"),
        ("not a link", "low"),
        ("", "low"),
    ],
)
def test_the_risk_follows_from_the_signs(url: str, risk: str) -> None:
    assert only(url).risk == risk


def test_weak_signs_of_three_kinds_count_together() -> None:
    # A bare address, a program, a redirect.
    assert only("http://93.184.216.34/a.exe").risk == "low"
    assert only("http://93.184.216.34/a.exe?url=http://example.org").risk == "medium"


def test_making_a_link_unclickable_lowers_nothing() -> None:
    plain, defanged = only("https://paypa1.com/"), only("hxxps://paypa1[.]com/")

    assert (plain.risk, plain.defanged) == (defanged.risk, False)
    assert defanged.defanged
    assert "cannot be clicked" in defanged.finding


class AlwaysSure(Scorer):
    """A scorer that finds everything suspicious."""

    def score(self, _: object) -> float:
        return 0.999


SURE = AlwaysSure(weights={}, medium=0.5, high=0.9, version="test")


def test_the_score_alone_never_makes_more_than_medium() -> None:
    assert only("https://www.example.com/", SURE).risk == "medium"


def test_the_score_and_a_strong_sign_make_high() -> None:
    assert only("https://paypa1.com/", SURE).risk == "high"


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/X1F9",
        "https://t.co/abc",
        "http://10.0.0.1/",
        "http://localhost/",
        "tg://x",
    ],
)
def test_where_letters_say_nothing_there_is_no_score(url: str) -> None:
    found = only(url, SURE)

    assert found.score is None
    assert found.risk == "low"


def test_the_pages_of_strangers_on_a_brands_domain_are_scored() -> None:
    assert only("https://sites.google.com/view/x", SURE).score is not None


def test_a_listed_host_makes_a_link_listed() -> None:
    (found,) = assess(["https://a.bad.example/x"], lists=KeptLists(("bad.example",)))

    assert found.risk == "listed"
    assert "is on the list our list (phishing)" in found.finding


def test_a_link_that_passes_on_to_a_listed_host_is_listed() -> None:
    lists = KeptLists(("bad.example",))
    (found,) = assess(["https://www.google.com/url?q=https://bad.example/"], lists=lists)

    assert found.risk == "listed"


def test_lists_are_asked_for_the_host_as_it_is_spelled_in_ascii() -> None:
    lists = KeptLists()
    assess(["hxxp://BÜCHER[.]example:80/a/../b", "javascript:alert(1)"], lists=lists)

    assert lists.asked == [(["xn--bcher-kva.example"], ["http://xn--bcher-kva.example/b"])]


def test_what_a_service_lists_is_listed() -> None:
    (found,) = assess(
        ["https://bad.example.net/"], lookups=[Service(("https://bad.example.net/",))]
    )

    assert found.risk == "listed"
    assert "is listed by Service (MALWARE)" in found.finding


def test_a_service_that_does_not_answer_is_said_and_asked_once() -> None:
    silent, talking = Service(working=False), Service()
    found = assess(
        ["https://one.example.net/", "https://two.example.net/"], lookups=[silent, talking]
    )

    assert len(silent.asked) == 1
    assert len(talking.asked) == 2
    assert all("got no answer from Service" in link.finding for link in found)
    assert [link.risk for link in found] == ["low", "low"]


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://localhost/",
        "http://intranet/",
        "javascript:alert(1)",
        "http://a b/",
    ],
)
def test_nothing_private_and_nothing_that_is_no_page_is_sent_to_a_service(url: str) -> None:
    service = Service()
    assess([url], lookups=[service])

    assert service.asked == []


def test_a_service_is_sent_neither_user_name_nor_fragment() -> None:
    service = Service()
    assess(["https://me:secret@example.net/a?b=c#mine"], lookups=[service])

    assert service.asked == ["https://example.net/a?b=c"]


def test_a_finding_is_one_sentence_that_nobody_can_click() -> None:
    finding = only("https://paypal.com@evil.example.com/a.b\x1b[31m").finding

    assert finding.startswith(
        "hxxps://evil[.]example[.]com/a[.]b%1B[31m (high risk) shows paypal[.]com"
    )
    assert finding.endswith(".")
    assert "\x1b" not in finding


def test_a_link_given_as_found_keeps_what_its_reader_saw() -> None:
    links = find_links("go to [www.paypal.com](https://example.com/x) now")

    shown, target = assess(links)
    assert (shown.url, shown.signs) == ("www.paypal.com", ())
    assert target.url == "https://example.com/x"
    assert [sign.name for sign in target.signs] == ["shown_host_differs"]


def test_a_label_for_the_same_brand_is_no_trick() -> None:
    assert only("[youtube.com](https://youtu.be/abc)").signs == ()


ODD = st.text(
    st.sampled_from("htps:/\\@.[]%0xa1#?&=-~ \t\n\u200b。ｃé中\ud800\u202e()uqrl"), max_size=80
)


@given(st.one_of(st.text(), ODD.map("http://".__add__), ODD.map("http://a.com/?url=".__add__)))
def test_no_text_whatever_breaks_it(text: str) -> None:
    found = only(text, shipped_scorer())

    assert found.risk in {"high", "medium", "low"}
    assert found.finding.endswith(".")
    assert found.finding.encode("utf-8")
    assert found.finding.isprintable()

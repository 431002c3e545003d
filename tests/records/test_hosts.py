from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.hosts import host_of, normalise_host, normalise_url, parents, refang


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Bad.Example", "bad.example"),
        ("bad.example.", "bad.example"),
        (" bad[.]example ", "bad.example"),
        ("bad(dot)example", "bad.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("ｂａｄ．ｅｘａｍｐｌｅ", "bad.example"),
        ("bad。example", "bad.example"),
        ("b\u00adad.example", "bad.example"),
        ("pаypal.example", "xn--pypal-4ve.example"),
        ("💩.example", "xn--ls8h.example"),
        ("foo_bar-.example", "foo_bar-.example"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:DB8:0:0::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_spellings_of_one_host_are_written_one_way(text: str, host: str) -> None:
    assert normalise_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "not a host",
        "bad..example",
        "bad.example/path",
        "bad.example:80",
        "a" * 64 + ".example",
        ".".join(["a" * 60] * 5),
        "ü" * 3000,
        "bad\0.example",
        "\ud800.example",
        "<script>",
    ],
)
def test_what_cannot_be_a_host_is_none(text: str) -> None:
    assert normalise_host(text) is None


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("hxxps[:]//Bad[.]Example", "https://bad.example/"),
        ("h**p://bad.example", "http://bad.example/"),
        ("bad.example/a", "http://bad.example/a"),
        ("//bad.example/a", "http://bad.example/a"),
        ("https://good.example@bad.example:443/a?b=c#d", "https://bad.example/a?b=c"),
        ("http://bad.example:8080", "http://bad.example:8080/"),
        ("http://[2001:db8::1]:80/", "http://[2001:db8::1]/"),
        ("http://bad.example/ä ö?q=ü", "http://bad.example/%C3%A4%20%C3%B6?q=%C3%BC"),
        ("http://bad.example/%C3%A4", "http://bad.example/%C3%A4"),
    ],
)
def test_spellings_of_one_link_are_written_one_way(text: str, url: str) -> None:
    assert normalise_url(text) == url


@pytest.mark.parametrize(
    "text",
    ["", "http://", "http://[::1", "http://bad.example:port/", "javascript:alert(1)", "x" * 3000],
)
def test_what_cannot_be_a_link_is_none(text: str) -> None:
    assert normalise_url(text) is None
    assert host_of(text) is None


def test_a_host_stands_below_its_parents_and_an_address_alone() -> None:
    assert parents("a.b.example") == ["a.b.example", "b.example", "example"]
    assert parents("192.0.2.1") == ["192.0.2.1"]
    assert parents("2001:db8::1") == ["2001:db8::1"]


def test_the_host_of_a_link_is_the_one_it_leads_to() -> None:
    assert host_of("https://good.example@BAD.example./a") == "bad.example"
    assert host_of("http://[2001:db8::1]:8080/") == "2001:db8::1"


@given(st.text(max_size=60))
def test_nothing_makes_it_stumble_and_twice_is_once(text: str) -> None:
    host, url = normalise_host(text), normalise_url(text)
    refang(text)

    assert host is None or normalise_host(host) == host
    assert url is None or normalise_url(url) == url

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.links.anatomy import dissect
from tools.links.hostnames import read_host
from tools.links.suffixes import ownership

# Expected values follow the test data of the URL Standard (web-platform-tests, url/resources).


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("HTTP://EXAMPLE.com:80/A", "http://example.com/A"),
        ("https://example.com:8443", "https://example.com:8443/"),
        ("http:\\\\example.com\\a", "http://example.com/a"),
        ("https:example.com", "https://example.com/"),
        ("http:///////example.com", "http://example.com/"),
        ("//example.com/x", "http://example.com/x"),
        ("example.com", "http://example.com/"),
        ("localhost:3000/x", "http://localhost:3000/x"),
        ("  http://exa\tmple.com/pa\nth \x00", "http://example.com/path"),
        ("http://user:pass@example.com/", "http://example.com/"),
        ("http://ex%61mple.com", "http://example.com/"),
        ("http://example.com.", "http://example.com/"),
        ("http://example.com?q=a b", "http://example.com/?q=a%20b"),
        ("http://example.com/a/../b/./c/%2e%2E/d#frag", "http://example.com/b/d"),
        ("http://example.com/..", "http://example.com/"),
        ("http://ｅｘａｍｐｌｅ。ｃｏｍ/ä", "http://example.com/%C3%A4"),
        ("http://exa\u00admple\u200b.com", "http://example.com/"),
        ("http://bücher.example", "http://xn--bcher-kva.example/"),
        ("http://faß.example", "http://xn--fa-hia.example/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://2130706433", "http://127.0.0.1/"),
        ("http://0300.0250.0.01", "http://192.168.0.1/"),
        ("http://192.168.257", "http://192.168.1.1/"),
        ("http://１２７.０.０.１", "http://127.0.0.1/"),
        ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"),
        ("http://example.com\\@evil.example", "http://example.com/@evil.example"),
        ("hxxps://example[.]com", "https://example.com/"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("tg://resolve?domain=x", "tg://resolve?domain=x"),
    ],
)
def test_a_link_is_read_as_a_browser_reads_it(link: str, url: str) -> None:
    anatomy = dissect(link)

    assert anatomy.url == url
    assert anatomy.fault is None


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ("", "no host"),
        ("http://", "no host"),
        ("http://@/x", "no host"),
        ("http://exa mple.com", "a host with impossible characters"),
        ("http://a<b.example", "a host with impossible characters"),
        ("http://\ud800.example", "a host with impossible characters"),
        ("http://256.1.1.1", "an impossible network address"),
        ("http://1.2.3.4.5", "an impossible network address"),
        ("http://0x.0x.0xg.1", "an impossible network address"),
        ("http://" + "9" * 5_000, "an impossible network address"),
        ("http://[::1", "an impossible network address"),
        ("http://[::1%25eth0]/", "an impossible network address"),
        ("http://example.com:99999", "an impossible port"),
        ("http://example.com:8a", "an impossible port"),
    ],
)
def test_what_no_browser_would_open_has_a_fault(link: str, fault: str) -> None:
    assert dissect(link).fault == fault


def test_the_host_is_what_stands_behind_the_last_at_sign() -> None:
    anatomy = dissect("https://www.paypal.com%2flogin@x@example.com/")

    assert anatomy.host == "example.com"
    assert anatomy.userinfo == "www.paypal.com%2flogin@x"


@pytest.mark.parametrize(
    ("link", "oddity"),
    [
        ("http:\\\\example.com", "backslashes"),
        ("http://exa\tmple.com", "control_characters"),
        ("hxxp://example.com", "defanged"),
        ("http://ex%61mple.com", "encoded_host"),
        ("http://exa\u200bmple.com", "invisible_characters"),
        ("ht\u200btp://example.com", "invisible_characters"),
        ("http://example.com/\u202efdp.exe", "invisible_characters"),
        ("http://ｅxample.com", "compatibility_letters"),
        ("http://0x7f000001", "odd_ip"),
        ("http://xn--a.example", "broken_punycode"),
    ],
)
def test_what_a_browser_puts_right_in_silence_is_noted(link: str, oddity: str) -> None:
    assert dissect(link).oddities == {oddity}


def test_an_encoded_host_is_shown_as_people_read_it() -> None:
    assert dissect("http://xn--80ak6aa92e.com").host_unicode == "аррӏе.com"
    assert dissect("http://xn--a.example").host_unicode == "xn--a.example"


@pytest.mark.parametrize(
    ("host", "registered", "platform"),
    [
        ("a.b.example.co.uk", "example.co.uk", ""),
        ("me.github.io", "me.github.io", "github.io"),
        ("github.io", "github.io", ""),
        ("www.example.com", "example.com", ""),
        ("xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai", ""),
        ("co.uk", "", ""),
        ("localhost", "", ""),
    ],
)
def test_strangers_on_one_platform_are_different_owners(
    host: str, registered: str, platform: str
) -> None:
    owner = ownership(host)

    assert (owner.registered_domain, owner.platform) == (registered, platform)


ODD = st.text(
    st.sampled_from("htps:/\\@.[]%0xa1#?&=-~ \t\n\u200b。ｃé中\ud800\u202e()"), max_size=60
)


@given(st.one_of(st.text(), st.text(st.characters()), ODD, ODD.map("http://".__add__)))
def test_no_text_whatever_breaks_it(text: str) -> None:
    anatomy = dissect(text)

    assert anatomy.url.isascii()
    assert anatomy.host_unicode.encode("utf-8", "strict") is not None


@given(ODD.map("http://".__add__))
def test_reading_its_own_spelling_changes_nothing(text: str) -> None:
    once = dissect(text)
    if once.is_web and once.host:
        again = dissect(once.url)
        assert (again.host, again.port, again.url) == (once.host, once.port, once.url)


@given(st.integers(0, 2**32 - 1), st.sampled_from([str, hex, lambda n: f"0{n:o}"]))
def test_an_address_is_the_same_in_every_notation(number: int, spell: object) -> None:
    assert callable(spell)
    host = read_host(spell(number))

    assert int(host.address or -1) == number or number == 0

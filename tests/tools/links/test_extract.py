from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.links.extract import Link, find_links


def urls(text: str) -> list[str]:
    return [link.url for link in find_links(text)]


def raws(text: str) -> list[str]:
    return [link.raw for link in find_links(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://example.com/a(b)c. Then", ["https://example.com/a(b)c"]),
        ("(http://example.com/x), ok", ["http://example.com/x"]),
        ("www.example.com:8080/x?y=z#f, then", ["www.example.com:8080/x?y=z#f"]),
        ("go to example.co.uk!", ["example.co.uk"]),
        ("bit.ly/x1 and youtu.be/abc", ["bit.ly/x1", "youtu.be/abc"]),
        (
            "http://a.example.com,http://b.example.com",
            ["http://a.example.com", "http://b.example.com"],
        ),
        ('<a href="https://example.com/?a=b">x</a>', ["https://example.com/?a=b"]),
        (
            "https://en.wikipedia.org/wiki/A_(b)_(c(d))",
            ["https://en.wikipedia.org/wiki/A_(b)_(c(d))"],
        ),
        (
            "_example.com_ **example.org** -example.net",
            ["example.com", "example.org", "example.net"],
        ),
        ("click here...example.com", ["example.com"]),
        ("clickhttp://example.com/x", ["http://example.com/x"]),
        ("http://2130706433/ and http://[::1]:80/x", ["http://2130706433/", "http://[::1]:80/x"]),
        ("router at 192.168.0.1/admin", ["192.168.0.1/admin"]),
        (
            "https:example.com/x http:\\\\example.com\\y",
            ["https:example.com/x", "http:\\\\example.com\\y"],
        ),
        ("http://example.comhttp://example.org", ["http://example.com", "http://example.org"]),
        ("javascript:alert(1)", ["javascript:alert(1)"]),
        ("[x](javascript:alert(1))", ["javascript:alert(1)"]),
        ("data:text/html;base64,AAAA", ["data:text/html;base64,AAAA"]),
        ("пример.рф и münchen.de", ["пример.рф", "münchen.de"]),
        ("foo.com/http://example.com", ["foo.com/http://example.com"]),
        ("paypal.com@example.com/login", ["paypal.com@example.com/login"]),
        ("visit example.com.It is", ["example.com"]),
    ],
)
def test_links_are_found_as_they_stand(text: str, expected: list[str]) -> None:
    assert raws(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "mail john.doe@example.com or mailto:a@example.org",
        "I was there.then he.is good",
        "read notes.md and main.rs, then run setup.sh",
        "Node.js, e.g. or Ph.D. at 3.am, U.S.",
        "version 1.2.3.4",
        "@user.name",
        "JavaScript: The good parts; data: numbers",
        "http://",
        "https://.",
        "...",
        "co.uk",
        "",
    ],
)
def test_what_only_looks_like_a_link_is_left_alone(text: str) -> None:
    assert find_links(text) == ()


@pytest.mark.parametrize(
    "text", ["amaz0n.in", "free-money.to", "google.it", "example.so/x", "www.example.is"]
)
def test_a_suffix_that_is_a_word_counts_when_more_speaks_for_a_site(text: str) -> None:
    assert raws(text) == [text]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("hxxps://example[.]com/path", "https://example.com/path"),
        ("hXXp://example.com", "http://example.com"),
        ("h**p://example.com", "http://example.com"),
        ("hxxp[:]//1.2.3[.]4/x", "http://1.2.3.4/x"),
        ("https[://]example.com", "https://example.com"),
        ("example(dot)com", "http://example.com"),
        ("example [.] com", "http://example.com"),
        ("example{.}com/a", "http://example.com/a"),
    ],
)
def test_a_defanged_link_is_marked_and_read(text: str, url: str) -> None:
    (link,) = find_links(f"beware of {text} today")

    assert link.defanged
    assert (link.raw, link.url) == (text, url)


def test_an_ordinary_link_is_not_called_defanged() -> None:
    assert not find_links("https://example.com/a[1]")[0].defanged


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("ｅｘａｍｐｌｅ。ｃｏｍ", "http://example.com"),
        ("example。com", "http://example.com"),
        ("exa\u200bmple\u00ad.com/lo\u2060gin", "http://example.com/login"),
        ("ht\u200btps://example.com", "https://example.com"),
        ("𝐞𝐱𝐚𝐦𝐩𝐥𝐞.𝐜𝐨𝐦", "http://example.com"),
        ("ⓔⓧⓐⓜⓟⓛⓔ.com", "http://example.com"),
        ("https://example․com", "https://example.com"),
    ],
)
def test_letters_in_disguise_are_seen_through(text: str, url: str) -> None:
    (link,) = find_links(f"x {text} y")

    assert (link.raw, link.url) == (text, url)


def test_a_chinese_full_stop_ends_a_link() -> None:
    assert raws("见example.com。谢谢 https://example.org。再见") == [
        "example.com",
        "https://example.org",
    ]


def test_a_markdown_link_knows_what_its_reader_sees() -> None:
    links = find_links("[https://paypal.com](https://example.com/x) and [a](<//example.zip>)")

    assert [(link.raw, link.shown_text) for link in links] == [
        ("https://paypal.com", None),
        ("https://example.com/x", "https://paypal.com"),
        ("example.zip", "a"),
    ]
    assert links[1].written == "[https://paypal.com](https://example.com/x)"
    assert links[0].written == "https://paypal.com"


# Lists are joined from these, so that nearly every example holds something like a link.
PIECES = st.one_of(
    st.sampled_from(
        ["http", "hxxp", "s", "://", "//", "example", "com", "dot", "javascript:", "ｃｏｍ"]
    ),
    st.sampled_from(list(".:/[](){}@-_?#1\\ é中。\u200b")),
    st.sampled_from(["[.]", "](", "[:]", "http://example.com/", "example.com"]),
)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join)))
def test_every_link_stands_where_it_says_and_none_overlaps(text: str) -> None:
    end = 0
    for link in find_links(text):
        assert text[link.start : link.end] == link.raw != ""
        assert link.start >= end
        end = link.end


@given(st.text())
def test_a_link_is_found_in_any_surroundings(text: str) -> None:
    links = find_links(f"{text} https://www.example.com/path {text}")

    assert any(link.raw == "https://www.example.com/path" for link in links)


ADVERSARIAL = [
    "a.",
    "a-",
    ".",
    "-",
    "_a",
    "a..",
    "a@",
    "a+",
    "h",
    "http",
    "http:",
    "http://",
    "http://a,",
]
ADVERSARIAL += [
    "http://a/(",
    "http://a/((a",
    "http://a/{a[b",
    "http://[",
    "[",
    "[a](",
    "[.]",
    " [.] ",
    "a[.]",
]
ADVERSARIAL += [
    "x.is/",
    "x.is????",
    "a.com@b.com/",
    "javascript:",
    "data:a/",
    "é.",
    "中a",
    "。",
    "a。\u200b",
    "((",
]


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_no_text_takes_longer_than_its_length(piece: str) -> None:
    seconds = min(_seconds((piece * 20_000)[:20_000]) for _ in range(2))

    # A search that is quadratic takes over half a second here, a linear one some milliseconds.
    assert seconds < 0.4


@pytest.mark.slow
def test_a_megabyte_is_read_in_a_moment() -> None:
    sentence = (
        "Lorem ipsum dolor sit amet, see https://example.com/a?b=c or write to me@example.com. "
    )

    assert _seconds((sentence * 12_000)[:1_000_000]) < 6


def _seconds(text: str) -> float:
    start = time.process_time()
    find_links(text)
    return time.process_time() - start


def test_a_link_is_plain_data() -> None:
    assert find_links("https://example.com") == (
        Link("https://example.com", 0, 19, "https://example.com", defanged=False, shown_text=None),
    )

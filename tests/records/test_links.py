from __future__ import annotations

from pathlib import Path

import pytest

from errors import InputError, UsageError
from records.imports import BadRow, ImportReport
from records.links import LinkHit, import_urls, link_hits, list_links
from records.store import Records
from tests.records.files import lines_of, written

HOSTS = """\
# A list of hosts
127.0.0.1 localhost
::1 ip6-localhost ip6-loopback
0.0.0.0 bad.example worse.example # two of them
0.0.0.0 BÜCHER.example
"""
PLAIN = """\
bad.example
hxxps://evil[.]example/login?x=1#top   # defanged

*.wild.example
198.51.100.7
port.example:8080
"""
TABLE = """\
url,date,threat
"http://evil.example/a,b",2026-11-01,malware download
bad.example,,phishing
"""


def entries(records: Records, *hosts_or_urls: str) -> set[str]:
    hits = link_hits(records, [h for h in hosts_or_urls if "/" not in h], hosts_or_urls)
    return {hit.entry for hit in hits}


def test_a_hosts_file_is_read_and_what_it_says_of_the_machine_is_not(
    records: Records, folder: Path
) -> None:
    report = import_urls(records, written(folder, "hosts", HOSTS), list_name="ours")

    assert report == ImportReport(new=3)
    assert entries(records, "bad.example", "worse.example", "localhost", "ip6-loopback") == {
        "bad.example",
        "worse.example",
    }
    assert entries(records, "xn--bcher-kva.example") == {"xn--bcher-kva.example"}


def test_a_plain_list_holds_hosts_and_links(records: Records, folder: Path) -> None:
    report = import_urls(records, written(folder, "list.txt", PLAIN), list_name="ours")

    assert report.new == 5
    assert entries(records, "a.wild.example") == {"wild.example"}
    assert entries(records, "198.51.100.7") == {"198.51.100.7"}
    assert entries(records, "http://port.example:8080/") == {"http://port.example:8080/"}
    assert entries(records, "https://evil.example/login?x=1") == {"https://evil.example/login?x=1"}
    assert entries(records, "https://evil.example/another") == set()


@pytest.mark.parametrize("name", ["list.csv", "list.txt"])
def test_a_table_holds_links_and_what_they_are(records: Records, folder: Path, name: str) -> None:
    report = import_urls(records, written(folder, name, TABLE), list_name="ours")

    assert report.new == 2
    assert link_hits(records, ["bad.example"], ["http://evil.example/a,b"]) == [
        LinkHit("ours", "bad.example", "host", "phishing"),
        LinkHit("ours", "http://evil.example/a,b", "url", "malware download"),
    ]


def test_a_table_may_name_its_columns_in_a_comment(records: Records, folder: Path) -> None:
    content = '# made yesterday\n# id,URL,threat\n"1","http://bad.example/","malware"\n'

    report = import_urls(records, written(folder, "dump.csv", content), list_name="ours")

    assert report.new == 1
    assert link_hits(records, [], ["http://bad.example"])[0].category == "malware"


def test_a_table_without_a_column_of_links_is_refused(records: Records, folder: Path) -> None:
    with pytest.raises(InputError, match="no column of links") as caught:
        import_urls(records, written(folder, "a.csv", "id,name\n1,a\n"), list_name="ours")
    assert "url, host, domain" in caught.value.hint


def test_a_host_is_hit_with_everything_below_it_and_nothing_beside_it(
    records: Records, folder: Path
) -> None:
    import_urls(records, written(folder, "l", "bad.example\n"), list_name="ours")

    assert entries(records, "bad.example") == {"bad.example"}
    assert entries(records, "Login.BAD.example.") == {"bad.example"}
    assert entries(records, "https://me@login.bad.example/x") == {"bad.example"}
    assert entries(records, "notbad.example", "example", "bad.example.org") == set()


def test_a_link_is_hit_over_http_and_https_and_not_beyond(records: Records, folder: Path) -> None:
    import_urls(records, written(folder, "l", "http://a.example/x?y=1\n"), list_name="ours")

    assert entries(records, "https://A.example/x?y=1#z") == {"http://a.example/x?y=1"}
    assert entries(records, "https://a.example/x", "a.example") == set()


def test_what_is_no_host_and_no_link_is_no_hit(records: Records) -> None:
    assert link_hits(records, ["", "no host", "\0"], ["", "http://", "\ud800"]) == []


def test_a_list_takes_the_place_of_what_had_its_name(records: Records, folder: Path) -> None:
    first = written(folder, "a.csv", "host,category\na.example,x\nb.example,x\nc.example,x\n")
    second = written(folder, "b.csv", "host,category\nb.example,x\nc.example,y\nd.example,x\n")
    import_urls(records, first, list_name="ours")
    import_urls(records, first, list_name="theirs")

    report = import_urls(records, second, list_name="ours")

    assert report == ImportReport(new=1, changed=1, unchanged=1, removed=1)
    assert link_hits(records, ["a.example"], []) == [LinkHit("theirs", "a.example", "host", "x")]
    assert link_hits(records, ["c.example"], []) == [
        LinkHit("ours", "c.example", "host", "y"),
        LinkHit("theirs", "c.example", "host", "x"),
    ]


def test_the_same_list_again_changes_nothing(records: Records, folder: Path) -> None:
    file = written(folder, "hosts", HOSTS)
    import_urls(records, file, list_name="ours")
    before = list_links(records)

    assert import_urls(records, file, list_name="ours") == ImportReport(unchanged=3)
    assert list_links(records) == before
    assert [(each.name, each.entries) for each in before] == [("ours", 3)]


def test_another_content_gives_the_list_another_fingerprint(records: Records, folder: Path) -> None:
    prints = set()
    for content in ("a.example\n", "b.example\n", "a.example\nb.example\n"):
        import_urls(records, written(folder, "l", content), list_name="ours")
        prints.add(list_links(records)[0].fingerprint)

    assert len(prints) == 3


def test_an_entry_that_stands_twice_is_kept_once(records: Records, folder: Path) -> None:
    content = "0.0.0.0 a.example a.example\n0.0.0.0 A.EXAMPLE\n"

    report = import_urls(records, written(folder, "hosts", content), list_name="ours")

    assert (report.new, report.bad) == (1, [])


def test_a_line_that_is_no_entry_is_named_and_nothing_is_loaded(
    records: Records, folder: Path
) -> None:
    content = b"a.example\ntwo words\nno|host\n\xff.example\nsingle\nb.example\n"
    file = written(folder, "list.txt", content)

    report = import_urls(records, file, list_name="ours")
    assert report.bad == [
        BadRow(2, "'two words' is more than one word"),
        BadRow(3, "'no|host' is neither a host nor a link"),
        BadRow(4, "the line is not UTF-8"),
        BadRow(5, "'single' is neither a host nor a link"),
    ]
    assert list_links(records) == []

    loaded = import_urls(records, file, list_name="ours", skip_bad=True)
    assert (loaded.new, lines_of(loaded)) == (2, [2, 3, 4, 5])


@pytest.mark.parametrize("content", ["", "# nothing\n\n# at all\n", "127.0.0.1 localhost\n", "?\n"])
def test_a_list_without_an_entry_does_not_take_the_place_of_one_with(
    records: Records, folder: Path, content: str
) -> None:
    import_urls(records, written(folder, "l", "a.example\n"), list_name="ours")

    with pytest.raises(InputError):
        import_urls(records, written(folder, "l", content), list_name="ours", skip_bad=True)

    assert entries(records, "a.example") == {"a.example"}


@pytest.mark.parametrize("name", ["", "  ", "a\x1b[31m"])
def test_a_list_needs_a_name_that_can_be_printed(records: Records, folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match="block list"):
        import_urls(records, written(folder, "l", "a.example\n"), list_name=name)

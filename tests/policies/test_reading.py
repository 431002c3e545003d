from __future__ import annotations

from pathlib import Path

import pytest

from errors import RulebookError
from policies.reading import load_rulebook, read_files, read_problems, rulebook_from_files

FRONT = """---
id: noise
title: Noise
version: 2026-11-01
signals: [spam]   # what the classifier calls it
enforcement: {low: label, high: remove}
---
"""
BODY = """Keeps the square quiet.

## noise.1 Shouting at night (high)
Do not shout after ten. Whispering
is fine.
### Violates
- HEY YOU,
  wake up
### Allowed
* good night
"""
GOOD = FRONT + BODY


def problems_of(text: str, name: str = "noise.md") -> list[tuple[str, str]]:
    return [(p.place, p.message) for p in read_files({name: text}).problems]


def test_a_policy_is_read_in_the_words_of_its_writer() -> None:
    book = rulebook_from_files({"noise.md": GOOD})
    section = book.section("noise.1")
    assert section is not None
    assert section.title == "Shouting at night"
    assert section.severities == ("high",)
    assert section.rule == "Do not shout after ten. Whispering is fine."
    assert section.violates == ("HEY YOU, wake up",)
    assert section.allowed == ("good night",)
    assert (section.file, section.line) == ("noise.md", 10)
    assert "Do not shout after ten." in section.text
    policy = book.policy("noise")
    assert policy is not None
    assert policy.purpose == "Keeps the square quiet."
    assert policy.enforcement == {"low": "label", "high": "remove"}
    assert policy.signals == ("spam",)
    assert policy.never_auto is False


@pytest.mark.parametrize("version", ["2026-11-01", "1.10", "3", '"v2"', "2026-13-45", "1_0"])
def test_a_version_stays_the_text_that_was_typed(version: str) -> None:
    text = GOOD.replace("version: 2026-11-01", f"version: {version}")
    policy = rulebook_from_files({"noise.md": text}).policy("noise")
    assert policy is not None
    assert policy.version == version.strip('"')


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    plain = rulebook_from_files({"noise.md": GOOD})
    windows = rulebook_from_files({"noise.md": "\ufeff" + GOOD.replace("\n", "\r\n")})
    assert windows == plain
    assert windows.id == plain.id


def test_a_range_of_severities_means_every_one_in_it() -> None:
    text = GOOD.replace("(high)", "(low to high)").replace("{low", "{medium: limit, low")
    section = rulebook_from_files({"noise.md": text}).section("noise.1")
    assert section is not None
    assert section.severities == ("low", "medium", "high")


def test_comments_are_ignored_and_lines_are_still_counted() -> None:
    text = GOOD.replace("Keeps", "<!-- why:\nolder text --> Keeps").replace(
        "- HEY", "<!-- - not an example -->\n- HEY"
    )
    section = rulebook_from_files({"noise.md": text}).section("noise.1")
    assert section is not None
    assert section.line == 11
    assert section.violates == ("HEY YOU, wake up",)


def test_a_comment_does_not_make_another_section_version() -> None:
    plain = rulebook_from_files({"noise.md": GOOD})
    noted = rulebook_from_files({"noise.md": GOOD.replace("fine.", "fine. <!-- ask legal -->")})
    assert plain.sections[0].version == noted.sections[0].version
    assert plain.id != noted.id


def test_a_rule_keeps_its_paragraphs_and_lists() -> None:
    text = GOOD.replace("is fine.", "is fine.\n\nIt covers:\n- horns\n- bells, and\n  drums")
    assert rulebook_from_files({"noise.md": text}).sections[0].rule == (
        "Do not shout after ten. Whispering is fine.\n\nIt covers:\n- horns\n- bells, and drums"
    )


BROKEN_FRONT = {
    "no front matter": (BODY, 1, "there is no front matter"),
    "an empty file": ("", 1, "there is no front matter"),
    "not closed": (FRONT.removesuffix("---\n") + BODY, 1, "the front matter is not closed"),
    "a colon too many": (
        GOOD.replace("title: Noise", "title: Noise: why"),
        3,
        "the front matter is not YAML: mapping values are not allowed here",
    ),
    "a list of keys": (
        GOOD.replace(FRONT, "---\n- id\n---\n"),
        2,
        "the front matter is not a list of keys",
    ),
    "unknown key": (GOOD.replace("version:", "verison: 1\nversion:"), 4, "unknown key 'verison'"),
    "key given twice": (
        GOOD.replace("version:", "title: Again\nversion:"),
        4,
        "the key 'title' is given twice",
    ),
    "no id": (GOOD.replace("id: noise\n", ""), 1, "the front matter has no 'id'"),
    "no title": (GOOD.replace("title: Noise\n", ""), 1, "the front matter has no 'title'"),
    "no version": (
        GOOD.replace("version: 2026-11-01\n", ""),
        1,
        "the front matter has no 'version'",
    ),
    "an id with a space": (
        GOOD.replace("id: noise", "id: loud noise"),
        2,
        "'loud noise' cannot be the id of a policy",
    ),
    "an id that is a list": (GOOD.replace("id: noise", "id: [noise]"), 2, "'id' is not a text"),
    "an empty title": (GOOD.replace("title: Noise", "title:"), 3, "'title' is not a text"),
    "signals as a word": (
        GOOD.replace("[spam]", "spam"),
        5,
        "'signals' is not a list",
    ),
    "an unknown signal": (GOOD.replace("[spam]", "[spam, spma]"), 5, "unknown signal 'spma'"),
    "a signal twice": (
        GOOD.replace("[spam]", "[spam, spam]"),
        5,
        "the signal 'spam' is listed twice",
    ),
    "enforcement as a word": (
        GOOD.replace("{low: label, high: remove}", "remove"),
        6,
        "'enforcement' is not a table",
    ),
    "an unknown severity": (GOOD.replace("{low", "{mild"), 6, "unknown severity 'mild'"),
    "an unknown action": (GOOD.replace("remove}", "ban}"), 6, "unknown action 'ban'"),
    "a severity twice": (
        GOOD.replace("{low", "{high: limit, low"),
        6,
        "the severity 'high' is given twice",
    ),
    "never_auto as a word": (
        GOOD.replace("version:", "never_auto: maybe\nversion:"),
        4,
        "'never_auto' is neither true nor false",
    ),
    "a floor over one": (
        GOOD.replace("version:", "floor: 1.5\nversion:"),
        4,
        "'floor' is not a probability",
    ),
    "a floor in words": (
        GOOD.replace("version:", "floor: high\nversion:"),
        4,
        "'floor' is not a probability",
    ),
    "a foreign retired section": (
        GOOD.replace("version:", "retired: [hate.1]\nversion:"),
        4,
        "'hate.1' is not a section of this policy",
    ),
    "nested too deeply": (
        GOOD.replace("[spam]", "[" * 5000),
        2,
        "the front matter is nested too deeply",
    ),
}


@pytest.mark.parametrize("case", BROKEN_FRONT)
def test_a_broken_head_is_named_with_its_line(case: str) -> None:
    text, line, message = BROKEN_FRONT[case]
    assert (f"noise.md:{line}", message) in problems_of(text)


def test_a_missing_enforcement_is_named() -> None:
    text = GOOD.replace("enforcement: {low: label, high: remove}\n", "")
    assert problems_of(text) == [("noise.md:1", "the front matter has no 'enforcement'")]


BROKEN_BODY = {
    "no sections": (
        FRONT + "Keeps the square quiet.\n",
        8,
        "the policy has no sections",
    ),
    "no purpose": (
        GOOD.replace("Keeps the square quiet.\n", ""),
        8,
        "the policy does not say what it protects",
    ),
    "no number": (
        GOOD.replace("noise.1 ", ""),
        10,
        "a section without a number: 'Shouting at night (high)'",
    ),
    "a number that starts with nought": (
        GOOD.replace("noise.1", "noise.01"),
        10,
        "a section without a number: 'noise.01 Shouting at night (high)'",
    ),
    "no title": (GOOD.replace("Shouting at night ", ""), 10, "noise.1 has no title"),
    "no severity": (GOOD.replace(" (high)", ""), 10, "noise.1 says no severity in brackets"),
    "unknown severity": (GOOD.replace("(high)", "(bad)"), 10, "noise.1: unknown severity 'bad'"),
    "a range upside down": (
        GOOD.replace("(high)", "(high to low)"),
        10,
        "noise.1: unknown severity 'high to low'",
    ),
    "a section of another policy": (
        GOOD.replace("noise.1", "smell.1"),
        10,
        "'smell.1' is not a section of 'noise'",
    ),
    "no space after the marks": (
        GOOD.replace("## noise", "##noise"),
        10,
        "no space after the # of '##noise.1 Shouting at night (high)'",
    ),
    "no space after the marks of a part": (
        GOOD.replace("### Allowed", "###Allowed"),
        16,
        "no space after the # of '###Allowed'",
    ),
    "unknown part": (
        GOOD.replace("### Allowed", "### Exceptions"),
        16,
        "unknown heading '### Exceptions'",
    ),
    "a title of the whole file": (
        GOOD.replace("Keeps", "# Noise\nKeeps"),
        8,
        "unknown heading '# Noise'",
    ),
    "a part before any section": (
        GOOD.replace("Keeps", "### Allowed\nKeeps"),
        8,
        "### Allowed stands before the first section",
    ),
    "a part twice": (
        GOOD + "### Violates\n- again\n",
        18,
        "noise.1 has ### Violates twice",
    ),
    "no rule": (
        GOOD.replace("Do not shout after ten. Whispering\nis fine.\n", ""),
        10,
        "noise.1 has no rule",
    ),
    "text between the examples": (
        GOOD.replace("### Allowed\n", "### Allowed\nAsk first.\n"),
        17,
        "text that belongs to no example of noise.1: 'Ask first.'",
    ),
    "a line that is not indented": (
        GOOD.replace("  wake up", "wake up"),
        15,
        "text that belongs to no example of noise.1: 'wake up'",
    ),
    "nested examples": (
        GOOD.replace("  wake up", "  - wake up"),
        15,
        "text that belongs to no example of noise.1: '- wake up'",
    ),
    "an empty example": (GOOD + "-\n", 18, "an empty example in noise.1"),
    "a comment that is not closed": (
        GOOD.replace("Do not", "<!-- Do not"),
        11,
        "a comment is not closed",
    ),
    "a control character": (
        GOOD.replace("shout", "sh\x1b[31mout"),
        11,
        r"a control character: '\x1b'",
    ),
    "a number used twice": (
        GOOD + "\n## noise.1 Again (low)\nAnother rule.\n",
        19,
        "the id 'noise.1' is already used at noise.md:10",
    ),
    "a retired number": (
        GOOD.replace("version: 2026-11-01", "version: 1\nretired: [noise.1]"),
        11,
        "noise.1 is retired",
    ),
    "a severity without consequence": (
        GOOD.replace("(high)", "(critical)"),
        10,
        "noise.1 may be 'critical', for which nothing is enforced",
    ),
}


@pytest.mark.parametrize("case", BROKEN_BODY)
def test_a_broken_body_is_named_with_its_line(case: str) -> None:
    text, line, message = BROKEN_BODY[case]
    assert (f"noise.md:{line}", message) in problems_of(text)


def test_one_mistake_is_reported_once() -> None:
    for text, _, _ in [
        *(BROKEN_FRONT[case] for case in ("a colon too many", "unknown key", "an unknown action")),
        *(
            BROKEN_BODY[case]
            for case in BROKEN_BODY
            if case not in {"a comment that is not closed", "text between the examples"}
        ),
    ]:
        assert len(problems_of(text)) == 1, text


def test_every_problem_has_a_hint() -> None:
    for text, _, _ in [*BROKEN_FRONT.values(), *BROKEN_BODY.values()]:
        assert all(p.hint and "\n" not in p.hint for p in read_files({"a.md": text}).problems)


def test_the_first_problem_is_raised_and_the_others_are_counted() -> None:
    text = GOOD.replace("[spam]", "[spma]").replace("(high)", "(bad)").replace("* good", "good")
    with pytest.raises(RulebookError) as caught:
        rulebook_from_files({"noise.md": text}, where="rules")
    assert caught.value.message == "rules/noise.md:5: unknown signal 'spma' (and 1 more)"
    assert "known signals: hate" in caught.value.hint
    assert "amicus policy lint" in caught.value.hint


def test_two_files_cannot_be_the_same_policy() -> None:
    found = [
        (p.place, p.rule, p.message) for p in read_files({"a.md": GOOD, "b.md": GOOD}).problems
    ]
    assert found == [
        ("b.md:1", "double-id", "the id 'noise' is already used at a.md:1"),
        ("b.md:10", "double-id", "the id 'noise.1' is already used at a.md:10"),
    ]


def test_a_folder_is_read_without_its_readme_and_hidden_files(tmp_path: Path) -> None:
    (tmp_path / "noise.md").write_text(GOOD)
    (tmp_path / "README.md").write_text("# About these rules\n")
    (tmp_path / ".noise.md").write_text("an editor's left-over")
    (tmp_path / "notes.txt").write_text("not a policy")
    (tmp_path / "drafts.md").mkdir()
    assert list(load_rulebook(tmp_path).files) == ["noise.md"]


def test_a_missing_folder_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match="nowhere: cannot read the folder: No such file"):
        load_rulebook(tmp_path / "nowhere")


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "noise.md").write_text(GOOD)
    with pytest.raises(RulebookError, match="cannot read the folder: Not a directory"):
        load_rulebook(tmp_path / "noise.md")


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match="holds no policy"):
        load_rulebook(tmp_path)


def test_no_files_are_no_rulebook() -> None:
    with pytest.raises(RulebookError, match="there is no policy in it"):
        rulebook_from_files({})


def test_a_file_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "noise.md").write_bytes(GOOD.replace("Whispering", "Flüstern").encode("latin-1"))
    (tmp_path / "other.md").write_text(GOOD.replace("noise", "other"))
    (problem,) = read_problems(tmp_path)
    assert problem.place == f"{tmp_path}/noise.md:11"
    assert problem.message == "not UTF-8: the byte 0xfc"


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "noise.md").write_text(GOOD)
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere.md")
    with pytest.raises(RulebookError, match=r"gone\.md: cannot read the file: No such file"):
        load_rulebook(tmp_path)


def test_a_rulebook_is_the_same_when_it_is_read_back_from_its_own_files() -> None:
    shipped = load_rulebook(None)
    kept = rulebook_from_files(dict(shipped.files))
    assert kept == shipped
    assert kept.id == shipped.id

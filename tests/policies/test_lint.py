from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from policies.lint import Finding, estimated_tokens, lint, similarity

Write = Callable[..., Path]

RULE = (
    "Do not shout, bang, drum or play loud music in the square between ten at night and seven in "
    "the morning, since people who live above it have to sleep. A single shout is not enough: "
    "the noise has to last, or to come back after a neighbour has asked for quiet."
)
OTHER_RULE = (
    "Do not leave rubbish, food or broken glass behind on the benches, on the grass or in the "
    "fountain. What fits into a bin goes into a bin, and what does not goes home again. Whoever "
    "organises a feast answers for everything that the guests of the feast have left behind."
)


def section(
    number: int = 1,
    rule: str = RULE,
    *,
    severity: str = "high",
    violates: str = "### Violates\n- a drum circle at two in the morning\n",
    allowed: str = "### Allowed\n- one shout to warn of a falling tile\n",
) -> str:
    return f"\n## square.{number} A rule of the square ({severity})\n{rule}\n{violates}{allowed}"


def policy(*sections: str, enforcement: str = "{high: remove}", more: str = "") -> str:
    head = (
        f"---\nid: square\ntitle: The square\nversion: 1\nenforcement: {enforcement}\n{more}---\n"
    )
    purpose = "Keeps the square a place where people can sit, sleep, play and trade. " * 10
    return head + purpose + "\n" + "".join(sections)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(**files: str) -> Path:
        for name, text in files.items():
            (tmp_path / f"{name}.md").write_text(text)
        return tmp_path

    return _write


def rules(path: Path) -> list[tuple[str, str]]:
    return [(finding.rule, finding.level) for finding in lint(path)]


def found(path: Path, rule: str) -> Finding:
    (finding,) = [finding for finding in lint(path) if finding.rule == rule]
    return finding


def test_a_sound_rulebook_has_no_findings(write: Write) -> None:
    other = section(2, OTHER_RULE)
    assert lint(write(square=policy(section(), other))) == []


def test_the_shipped_rulebook_has_no_findings() -> None:
    assert lint(None) == []


def test_what_does_not_parse_is_found_with_file_and_line(write: Write) -> None:
    path = write(square=policy(section(severity="loud"), section(2, OTHER_RULE)))
    finding = found(path, "does-not-parse")
    assert (finding.file, finding.line, finding.level) == (f"{path}/square.md", 9, "error")


def test_a_missing_folder_is_a_finding(tmp_path: Path) -> None:
    assert rules(tmp_path / "nowhere") == [("unreadable", "error")]


def test_a_number_used_twice_is_found(write: Write) -> None:
    path = write(square=policy(section(), section(1, OTHER_RULE)))
    assert found(path, "double-id").line == 16


def test_a_retired_number_used_again_is_found(write: Write) -> None:
    path = write(square=policy(section(), section(2, OTHER_RULE), more="retired: [square.2]\n"))
    assert found(path, "reused-id").message == "square.2 is retired"


def test_a_severity_without_a_consequence_is_found(write: Write) -> None:
    path = write(square=policy(section(), section(2, OTHER_RULE, severity="high to critical")))
    assert "'critical'" in found(path, "severity-without-enforcement").message


def test_a_consequence_of_a_severity_that_nothing_has_is_a_warning(write: Write) -> None:
    text = policy(section(), section(2, OTHER_RULE), enforcement="{low: label, high: remove}")
    finding = found(write(square=text), "unused-enforcement")
    assert (finding.line, finding.level) == (5, "warning")
    assert finding.message == "no section of square may be 'low'"


def test_an_unknown_signal_is_found(write: Write) -> None:
    path = write(square=policy(section(), section(2, OTHER_RULE), more="signals: [noise]\n"))
    assert found(path, "unknown-signal").line == 6


@pytest.mark.parametrize("nothing", ["", "### Violates\n"])
def test_a_section_without_an_example_of_a_violation_is_found(nothing: str, write: Write) -> None:
    path = write(square=policy(section(violates=nothing), section(2, OTHER_RULE)))
    assert rules(path) == [("no-violating-example", "error")]


@pytest.mark.parametrize("nothing", ["", "### Allowed\n"])
def test_a_section_without_an_exception_is_found(nothing: str, write: Write) -> None:
    path = write(square=policy(section(allowed=nothing), section(2, OTHER_RULE)))
    assert rules(path) == [("no-allowed-example", "error")]


@pytest.mark.parametrize("words", ["none", "N/A", "...", "TBD"])
def test_an_exception_that_says_nothing_is_found(words: str, write: Write) -> None:
    text = policy(section(allowed=f"### Allowed\n- {words}\n"), section(2, OTHER_RULE))
    assert rules(write(square=text)) == [("empty-exception", "error")]


def test_a_section_that_is_too_long_is_an_error(write: Write) -> None:
    lengthy = section(2, OTHER_RULE + " And so on, and so forth." * 40)
    assert ("section-too-long", "error") in rules(write(square=policy(section(), lengthy)))


def test_a_section_that_is_too_short_is_a_warning(write: Write) -> None:
    path = write(square=policy(section(), section(2, "Do not litter."), section(3, OTHER_RULE)))
    finding = found(path, "section-too-short")
    assert finding.message == "square.2 has 26 words"


def test_a_policy_that_is_too_short_is_a_warning(write: Write) -> None:
    text = policy(section()).replace("Keeps the square a place where people can sit, ", "")
    assert rules(write(square=text)) == [("policy-too-short", "warning")]


def test_a_policy_that_is_too_long_is_a_warning(write: Write) -> None:
    purpose = "Keeps the square quiet and clean. " * 60
    text = policy(section(), section(2, OTHER_RULE)).replace("\n\n##", f"\n{purpose}\n\n##", 1)
    assert rules(write(square=text)) == [("policy-too-long", "warning")]


def test_two_sections_that_say_nearly_the_same_are_found(write: Write) -> None:
    reworded = RULE.replace("loud music", "trumpets").replace("A single shout", "One shout")
    path = write(square=policy(section(), section(2, reworded)))
    finding = found(path, "near-identical-sections")
    assert finding.message.startswith("square.2 says nearly the same as square.1")


def test_the_same_rule_with_other_examples_is_still_the_same_rule(write: Write) -> None:
    violates = "### Violates\n" + "".join(f"- noise of kind {n} all night\n" for n in range(12))
    path = write(square=policy(section(), section(2, violates=violates)))
    assert found(path, "near-identical-sections").level == "error"


def test_near_identical_sections_are_found_across_files(write: Write) -> None:
    twin = policy(section(), section(2, OTHER_RULE)).replace("square", "market")
    path = write(square=policy(section()), market=twin)
    finding = found(path, "near-identical-sections")
    assert (finding.file, finding.line) == (f"{path}/square.md", 9)


def test_an_example_on_both_sides_of_a_section_is_an_error(write: Write) -> None:
    both = section(violates="### Violates\n- One shout, to warn of a falling tile!\n")
    other = section(2, OTHER_RULE, allowed="### Allowed\n- a tin of biscuits on a bench\n")
    path = write(square=policy(both, other))
    assert rules(path) == [("example-on-both-sides", "error")]


def test_an_example_that_another_section_allows_is_a_warning(write: Write) -> None:
    path = write(
        square=policy(
            section(violates="### Violates\n- a picnic that goes on until morning\n"),
            section(2, OTHER_RULE, allowed="### Allowed\n- a picnic that goes on until morning\n"),
        )
    )
    assert rules(path) == [("example-on-both-sides", "warning")]


def test_findings_come_in_reading_order_with_a_hint_each(write: Write) -> None:
    text = policy(section(allowed=""), section(2, "Do not litter.", violates=""))
    findings = lint(write(square=text, yard=text.replace("square", "yard")))
    places = [(finding.file, finding.line) for finding in findings]
    assert places == sorted(places)
    assert len(places) > 4
    assert all(finding.hint for finding in findings)


def test_similar_means_the_same_runs_of_words() -> None:
    assert similarity(RULE, RULE.upper()) == 1.0
    assert similarity(RULE, OTHER_RULE) < 0.1
    assert similarity("night", "day") == 0.0


def test_tokens_are_words_and_punctuation_marks() -> None:
    assert estimated_tokens("Quiet, please!") == 4

import pytest

from errors import ToolError
from tools.classifier import Classifier, open_classifier
from tools.classifier_score import ClassifierScoreResult, classifier_score
from tools.tool import Tool

THREAT = "I know where you live and I will kill you tonight."
HARMLESS = "Made lentil soup for dinner and it turned out well."


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return open_classifier()


@pytest.fixture(scope="module")
def tool(classifier: Classifier) -> Tool:
    return classifier_score(classifier)


def asked(tool: Tool, **arguments: object) -> ClassifierScoreResult:
    result = tool.call(arguments)
    assert isinstance(result, ClassifierScoreResult)
    return result


def test_the_tool_carries_the_version_of_the_weights(tool: Tool, classifier: Classifier) -> None:
    assert tool.name == "classifier_score"
    assert tool.version == classifier.version
    assert "never a ground" in tool.description


def test_a_label_over_its_line_is_flagged_with_the_line(tool: Tool, classifier: Classifier) -> None:
    result = asked(tool, text=THREAT)
    assert "violence" in {flag.label for flag in result.flagged}
    line = f".{int(classifier.thresholds['violence'] * 100):02d}"
    assert f"(over the line of {line})" in result.finding
    assert [f.score for f in result.flagged] == sorted(
        (f.score for f in result.flagged), reverse=True
    )


def test_a_harmless_text_is_said_to_be_below_every_line(tool: Tool) -> None:
    result = asked(tool, text=HARMLESS)
    assert result.flagged == ()
    assert result.finding.startswith("no label over its line")


@pytest.mark.parametrize(("language", "reliable"), [("", True), ("en-GB", True), ("de", False)])
def test_another_language_is_called_unreliable(tool: Tool, language: str, reliable: bool) -> None:  # noqa: FBT001
    result = asked(tool, text=HARMLESS, language=language)
    assert result.reliable is reliable
    assert ("unreliable" in result.finding) is not reliable


def test_the_finding_does_not_quote_the_content(tool: Tool) -> None:
    assert "kill" not in asked(tool, text=THREAT).finding


def test_an_unknown_argument_is_refused(tool: Tool) -> None:
    with pytest.raises(ToolError, match="colour"):
        tool.call({"text": HARMLESS, "colour": "red"})


def test_a_missing_text_is_refused(tool: Tool) -> None:
    with pytest.raises(ToolError, match="text"):
        tool.call({})

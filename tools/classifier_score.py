"""Ask the classifier how likely a text carries each of its labels."""

from __future__ import annotations

from collections.abc import Mapping

from policies.rulebook import Signal
from tools.classifier import Classifier
from tools.tool import Arguments, Result, Tool, tool

_READABLE = "en"
_MOST_NAMED = 3


class ClassifierScoreArguments(Arguments):
    """The text to score."""

    text: str
    language: str = ""


class Flag(Result):
    """A label whose line the text crosses."""

    label: Signal
    score: float
    line: float


class ClassifierScoreResult(Result):
    """The probability of each label, and the labels over their line, highest first."""

    scores: Mapping[Signal, float]
    flagged: tuple[Flag, ...]
    reliable: bool
    """False where the text is known not to be English: the models read nothing else."""


def classifier_score(classifier: Classifier) -> Tool:
    """Bind `classifier` to the tool, so that the model supplies the text and nothing else."""

    def run(arguments: ClassifierScoreArguments) -> ClassifierScoreResult:
        """Estimate how likely a text carries each label: hate, offensive, violence, scam and so on.

        The scores come from small models that look at words and letters. They are a hint where to
        look, never a ground: they do not know the policy, miss irony and quotation, and read
        English only. A score over its line is rare in harmless texts (about 1 in 100).

        Args:
            arguments: `text`, the content to score, word for word; `language`, its two-letter
                code, if known.
        """
        scores = classifier.score([arguments.text])[0]
        lines = classifier.thresholds
        flagged = _flags(scores, lines)
        reliable = _reads(arguments.language)
        return ClassifierScoreResult(
            finding=_finding(scores, flagged, arguments.language if not reliable else ""),
            scores={label: round(score, 4) for label, score in scores.items()},
            flagged=flagged,
            reliable=reliable,
        )

    return tool(
        "classifier_score", run, arguments=ClassifierScoreArguments, version=classifier.version
    )


def _flags(scores: Mapping[Signal, float], lines: Mapping[Signal, float]) -> tuple[Flag, ...]:
    over = [
        Flag(
            finding=f"{label} {_hundredths(score)} (over the line of {_hundredths(lines[label])})",
            label=label,
            score=round(score, 4),
            line=lines[label],
        )
        for label, score in scores.items()
        if score > lines[label]
    ]
    return tuple(sorted(over, key=lambda flag: -flag.score))


def _reads(language: str) -> bool:
    primary = language.lower().replace("_", "-").split("-")[0]
    return primary in {"", _READABLE}


def _finding(scores: Mapping[Signal, float], flagged: tuple[Flag, ...], foreign: str) -> str:
    if flagged:
        named = ", ".join(flag.finding for flag in flagged[:_MOST_NAMED])
        rest = len(flagged) - _MOST_NAMED
        more = f", and {rest} more over their lines" if rest > 0 else ""
        said = f"{named}{more}; others below their lines"
    else:
        label, score = max(scores.items(), key=lambda item: item[1])
        said = f"no label over its line; the highest is {label} {_hundredths(score)}"
    if foreign:
        said += f" (unreliable: the classifier reads English, the text is in {foreign!r})"
    return said


def _hundredths(score: float) -> str:
    """Write a probability in two digits, never rounded up to certainty.

    >>> _hundredths(0.934), _hundredths(0.9999), _hundredths(0.001)
    ('.93', '.99', '.00')
    """
    return f".{min(int(score * 100), 99):02d}"

"""How broken answers are read: ours beside json_repair and instructor, on tens of thousands.

    python -m evals.corruption

Each answer starts as a whole verdict and is then spoiled in a way that servers and models do spoil
them. `wrong` is what matters: a verdict was accepted from an answer that is cut, contradicts itself
or says something else. `recovered` is the share of those accepted from which nothing is missing,
such as a verdict with prose around it. An answer that is neither is asked for again.
"""

from __future__ import annotations

import importlib
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import chain, product
from types import SimpleNamespace
from typing import Any

from pydantic import ValidationError

from agent.llm.exchange import CalledTool, Finish, Reply, Tokens
from agent.llm.structured import read_draft
from agent.llm.unusable import UnusableReplyError
from agent.verdict import Draft

TOOL = "verdict"
GROUND: dict[str, Any] = {
    "section": "garden.1",
    "policy_quote": "Do not insult the plants that a neighbour has grown.",
    "content_quote": "Your tulips are a disgrace",
    "why": "It belittles what the neighbour has grown.",
    "severity": "low",
    "confidence": 0.9,
}
VIOLATING: dict[str, Any] = {
    "rationale": "The post addresses a neighbour and belittles their tulips; no advice was asked.",
    "violations": [GROUND],
    "decision": "violating",
    "abstain_reason": None,
    "confidence": 0.9,
    "counterargument": "It may be a joke between friends.",
}
TWICE: dict[str, Any] = VIOLATING | {
    "rationale": "Zwei Verstöße: „die Rosen“ und die Hecke 🌹 — “boiled socks” {sic} [both].",
    "violations": [
        GROUND,
        GROUND | {"section": "garden.2", "content_quote": 'over "his" fence', "severity": "high"},
    ],
    "confidence": 0.75,
}
ALLOWED: dict[str, Any] = VIOLATING | {
    "rationale": "Advice about watering that the neighbour had asked for.",
    "violations": [],
    "decision": "allowed",
    "confidence": 1.0,
}
ABSTAINING: dict[str, Any] = ALLOWED | {
    "rationale": "Whether “lovely” is meant in earnest depends on what was said before.",
    "decision": "abstain",
    "abstain_reason": "missing_context",
    "confidence": 0.5,
}
VERDICTS = (VIOLATING, TWICE, ALLOWED, ABSTAINING)


@dataclass(frozen=True)
class Spoiled:
    """An answer that was spoiled, and the verdict that it was."""

    kind: str
    reply: Reply
    meant: Draft
    whole: bool = False
    """Whether nothing of the verdict is missing or in doubt, so that it can be recovered."""


def spoiled(*, seed: int = 0, fuzzed: int = 6_000) -> Iterator[Spoiled]:
    """Return every kind of spoiled answer, the same ones for the same seed.

    Args:
        seed: For everything that is drawn.
        fuzzed: How many answers are spoiled at random places.
    """
    chance = random.Random(seed)
    for verdict in VERDICTS:
        yield from chain(
            _cut(verdict),
            _dressed(verdict),
            _called(verdict),
            _unfinished(verdict),
            _wrong_values(verdict),
            _wrong_fields(verdict),
            _wrong_syntax(verdict),
            _wrong_encodings(verdict),
        )
    yield from _fuzzed(chance, fuzzed)


def _text(text: str, finish: Finish = "stop") -> Reply:
    return Reply(text, (), finish, Tokens())


def _call(arguments: str, *, name: str = TOOL, beside: str = "") -> Reply:
    return _calls((name, arguments), beside=beside)


def _calls(*calls: tuple[str, str], beside: str = "") -> Reply:
    called = [CalledTool(f"call-{n}", name, said) for n, (name, said) in enumerate(calls)]
    return Reply(beside, tuple(called), "tool_calls", Tokens())


def _json(verdict: object, **layout: Any) -> str:
    return json.dumps(verdict, ensure_ascii=False, **layout)


def _meant(verdict: dict[str, Any]) -> Draft:
    return Draft.model_validate(verdict)


def _cut(verdict: dict[str, Any]) -> Iterator[Spoiled]:
    """Cut at every byte, with a server that says so and with one that says nothing."""
    meant = _meant(verdict)
    dressed = {
        "plain": _json(verdict),
        "indented": _json(verdict, indent=2),
        "fenced": f"My verdict:\n```json\n{_json(verdict)}\n```\n",
        "wrapped": _json({"name": TOOL, "arguments": verdict}),
        "nested": _json({"thoughts": "rude", "answer": {"verdict": verdict}, "done": True}),
        "listed": f"[{_json(verdict)}, {_json(verdict)}]",
    }
    for dress, text in dressed.items():
        whole_from = text.rindex("}") + 1 if dress in {"plain", "indented", "fenced"} else None
        data = text.encode()
        for end in range(len(data)):
            part = data[:end].decode("utf-8", "ignore")
            whole = whole_from is not None and len(part) >= whole_from
            yield Spoiled(f"cut, {dress}", _text(part), meant, whole=whole)
            if dress in {"plain", "wrapped"}:
                yield Spoiled(f"cut, {dress}, said", _text(part, "length"), meant)
            if dress == "plain":
                yield Spoiled("cut, called", _call(part), meant, whole=whole)


_BEFORE = ("", "\n\n", " " * 3_000, "\ufeff", "Here is the verdict:\n", "```json\n", "~~~\n", "**")
_AFTER = (
    "",
    "\n",
    "\t" * 3_000,
    "\n```",
    "\n```\nLet me know if you need more.",
    " Hope it helps!",
)
_THOUGHT = '<think>It could be {hate} or [spam]. {"decision": "allowed"}?</think>\n'


def _dressed(verdict: dict[str, Any]) -> Iterator[Spoiled]:
    """A whole verdict in prose, fences, white space and thoughts."""
    meant = _meant(verdict)
    for indent, escaped in product((None, 0, 1, 4), (True, False)):
        text = json.dumps(verdict, ensure_ascii=escaped, indent=indent)
        for before, after in product(_BEFORE, _AFTER):
            yield Spoiled("prose around", _text(before + text + after), meant, whole=True)
            whole = not any(c.isalpha() or c == "*" for c in (before + after).replace("json", ""))
            yield Spoiled("prose in a call", _call(before + text + after), meant, whole=whole)
        for key in ("arguments", "parameters", "input"):
            written = json.dumps({"name": TOOL, key: verdict}, ensure_ascii=escaped, indent=indent)
            yield Spoiled("call as text", _text(written), meant, whole=True)
        yield Spoiled("thoughts before", _text(_THOUGHT + text), meant, whole=True)
        yield Spoiled("thoughts alone", _text(f"<think>{text}</think>"), meant)
        yield Spoiled("thoughts not ended", _text(f"<think>{text}"), meant)
    padded = verdict | {"decision": f" {verdict['decision']}\n"}
    yield Spoiled("padded words", _text(_json(padded)), meant, whole=True)


def _called(verdict: dict[str, Any]) -> Iterator[Spoiled]:
    """Calls that are not the one that was asked for."""
    meant, text = _meant(verdict), _json(verdict)
    for other in VERDICTS:
        same = other is verdict
        rival = _json(other)
        yield Spoiled("two calls", _calls((TOOL, text), (TOOL, rival)), meant, whole=same)
        yield Spoiled("two calls", _calls((TOOL, rival), (TOOL, text)), meant, whole=same)
        if not same:
            yield Spoiled("verdict beside a call", _call(text, beside=rival), meant)
            yield Spoiled("two verdicts", _text(f"{rival}\n{text}"), meant)
            yield Spoiled("two verdicts", _text(f"At first: {text} No: {rival}"), meant)
    for beside in ("", "I call the tool now.", "The rule [garden.1] decides.\n"):
        yield Spoiled("text beside a call", _call(text, beside=beside), meant, whole=True)
    for name in ("search_policy", "Verdict", "delete_account", "", "functions.verdict"):
        yield Spoiled("another tool", _call(text, name=name), meant)
        yield Spoiled("another tool beside", _calls((TOOL, text), (name, "{}")), meant)
    yield Spoiled("forced tool ignored", _text(text), meant, whole=True)
    yield Spoiled("another tool as text", _text(_json({"name": "x", "arguments": verdict})), meant)


def _unfinished(verdict: dict[str, Any]) -> Iterator[Spoiled]:
    """Answers that did not come to their end, however whole they look."""
    meant, text = _meant(verdict), _json(verdict)
    ends: tuple[Finish, ...] = ("length", "refusal", "content_filter", "other")
    for finish, said in product(ends, (text, "", "I can't help with that.", text + " " * 2_000)):
        yield Spoiled("not finished", _text(said, finish), meant)
    for said in ("", " ", "\n" * 5_000, "\ufeff", "null", "{}", "[]", '""', "violating", "Sorry."):
        yield Spoiled("empty or refusing", _text(said), meant)
        yield Spoiled("empty or refusing", _call(said), meant)


_NUMBERS = (
    "-1", "1.0001", "2", "90", "1e3", "-0.5", "1e999", "-1e999", "NaN", "Infinity", "-Infinity",
    "-inf", "inf", "nan", "0x1", "01", ".9", "1.", "+0.9", "0,9", "90%", '"0.9"', "true", "null",
    "[0.9]", "{}", '"high"', "0.9.1", "0 9", "٠", "9" * 800, "0." + "9" * 800, "-" + "9" * 800,
    "1e-" + "9" * 400,
)  # fmt: skip


def _wrong_values(verdict: dict[str, Any]) -> Iterator[Spoiled]:
    """Numbers out of all bounds, and values of another type."""
    meant = _meant(verdict)
    for number in _NUMBERS:
        marked = _json(verdict | {"confidence": "@"}).replace('"@"', number)
        yield Spoiled("numbers", _text(marked), meant)
        yield Spoiled("numbers", _call(marked), meant)
        for place in range(len(verdict["violations"])):
            grounds = [dict(ground) for ground in verdict["violations"]]
            grounds[place]["confidence"] = "@"
            inner = _json(verdict | {"violations": grounds}).replace('"@"', number)
            yield Spoiled("numbers", _text(inner), meant)
    for name, value in product(verdict, (None, 7, True, [], {}, "x" * 5_000, ["a"], {"a": 1})):
        if value == verdict[name] or (name, value) in (
            ("violations", []),
            ("abstain_reason", None),
        ):
            continue
        yield Spoiled("types", _text(_json(verdict | {name: value})), meant)
    for decision in ("Allowed", "ALLOW", "allow", "approve", "remove", "safe", "yes", "", "none"):
        yield Spoiled("unknown words", _text(_json(verdict | {"decision": decision})), meant)
    for reason in ("model_error", "budget", "unstable", "unproven", "tired", "None", "null"):
        yield Spoiled("unknown words", _text(_json(verdict | {"abstain_reason": reason})), meant)


def _wrong_fields(verdict: dict[str, Any]) -> Iterator[Spoiled]:
    """Fields that nobody asked for, fields given twice, and fields that are missing."""
    meant = _meant(verdict)
    extra: dict[str, Any] = {
        "action": "none", "needs_human": False, "severity": "low", "Decision": "allowed",
        "decision ": "allowed", "content_span": [0, 5], "evidence": [], "provenance": {}, "": 1,
    }  # fmt: skip
    for name, value in extra.items():
        yield Spoiled("unknown fields", _text(_json(verdict | {name: value})), meant)
        yield Spoiled("unknown fields", _call(_json({name: value} | verdict)), meant)
        grounds = [ground | {name: value} for ground in verdict["violations"]]
        if grounds and name != "severity":
            yield Spoiled("unknown fields", _text(_json(verdict | {"violations": grounds})), meant)
    for name, value in verdict.items():
        for other in VERDICTS:
            if other[name] != value:
                first = f"{{{_json({name: other[name]})[1:-1]}, {_json(verdict)[1:]}"
                last = f"{_json(verdict)[:-1]}, {_json({name: other[name]})[1:-1]}}}"
                yield Spoiled("fields twice", _text(first), meant)
                yield Spoiled("fields twice", _text(last), meant)
        if name != "abstain_reason":
            rest = {key: value for key, value in verdict.items() if key != name}
            yield Spoiled("fields missing", _text(_json(rest)), meant)


def _wrong_syntax(verdict: dict[str, Any]) -> Iterator[Spoiled]:
    """What is nearly JSON, and what is far too much of it."""
    meant, text = _meant(verdict), _json(verdict)
    nearly = (
        text.replace('"', "'"), text.replace("null", "None"), text.replace(",", ",,"),
        text.replace(":", "="), text.replace(", ", " "), text.replace('": ', '" '),
        text.replace('"decision"', "decision"), text.replace("{", "(").replace("}", ")"),
        text[:-1] + ",}", text + "}", "{" + text, text[1:], text[1:-1], f"{text}{text}",
        f"/* verdict */ {{}} {text}", f"[{text}]", f"{text},", _json(_json(verdict)),
        _json({"verdict": verdict}), _json({"answer": [verdict]}),
    )  # fmt: skip
    for said in (said for said in nearly if said != text):
        yield Spoiled("nearly JSON", _text(said), meant)
        yield Spoiled("nearly JSON", _call(said), meant)
    for depth in (20, 200, 2_000, 20_000):
        yield Spoiled("nesting", _text('{"a":' * depth + text + "}" * depth), meant)
        yield Spoiled("nesting", _text("[" * depth + text + "]" * depth), meant)
        deep = text.replace('"decision": ', '"decision": ' + "[" * depth + "]" * depth + ", ")
        yield Spoiled("nesting", _text(deep), meant)
    raw = text.replace(" a ", "\n a ")
    yield Spoiled("raw line ends", _text(raw), _with_lines(verdict), whole=True)


def _with_lines(verdict: dict[str, Any]) -> Draft:
    return Draft.model_validate_json(_json(verdict).replace(" a ", "\\n a "))


def _wrong_encodings(verdict: dict[str, Any]) -> Iterator[Spoiled]:
    """Bytes that were read with another character set than they were written in."""
    meant, text = _meant(verdict), _json(verdict)
    for written, read in product(
        ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32"),
        ("latin-1", "cp1252", "ascii", "cp437"),
    ):
        said = text.encode(written).decode(read, "replace")
        if said != text:
            yield Spoiled("encodings", _text(said), meant)
            yield Spoiled("encodings", _call(said), meant)
    for half in ("\\ud83d", "\ud83d", "\udc00x", "\\udc00"):
        said = (
            text.replace("neighbour", half, 1) if "neighbour" in text else text[:-2] + half + '"}'
        )
        yield Spoiled("encodings", _text(said), meant)


def _fuzzed(chance: random.Random, count: int) -> Iterator[Spoiled]:
    """Bytes dropped, added, exchanged, repeated, moved, and verdicts spliced into one another."""
    edits: Sequence[Callable[[random.Random, str, str], str]] = (
        lambda c, t, _: _at(c, t, ""),
        lambda c, t, _: _at(c, t, c.choice('{}[]",:\\ 0-e.\x00é'), taken=0),
        lambda c, t, _: _at(c, t, c.choice('{}[]",:\\ 0-e.\x00é')),
        lambda c, t, _: _moved(c, t),
        lambda c, t, _: _at(c, t, "", taken=c.randint(2, 200)),
        _spliced,
    )
    for _ in range(count):
        verdict, other = chance.choice(VERDICTS), chance.choice(VERDICTS)
        text = _json(verdict, indent=chance.choice((None, 1)))
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            text = chance.choice(edits)(chance, text, _json(other))
        reply = _call(text) if chance.random() < 0.5 else _text(text)  # noqa: PLR2004
        yield Spoiled("fuzz", reply, _meant(verdict))


def _at(chance: random.Random, text: str, put: str, *, taken: int = 1) -> str:
    place = chance.randrange(len(text) + 1)
    return text[:place] + put + text[place + taken :]


def _moved(chance: random.Random, text: str) -> str:
    start, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    return _at(chance, text[:start] + text[end:], text[start:end], taken=0)


def _spliced(chance: random.Random, text: str, other: str) -> str:
    return text[: chance.randrange(len(text) + 1)] + other[chance.randrange(len(other) + 1) :]


def says_itself(reply: Reply, draft: Draft) -> bool:
    """Whether a reply, read as plain JSON, says just this draft and nothing else.

    Then the model did say it: a spoiled word in a sentence cannot be told from a meant one. That
    counts for what was spoiled at random places only, where nobody knows what became of it.
    Around the object there may be prose, but no brace, and nothing that JSON is made of next to it.
    This is the measure, and shares no code with what is measured.
    """
    said = [call.arguments for call in reply.calls] or [reply.text]
    if len(said) != 1 or reply.finish not in {"stop", "tool_calls"}:
        return False
    start, end = said[0].find("{"), said[0].rfind("}") + 1
    before, after = said[0][:start].rstrip(), said[0][end:].lstrip()
    if set(before + after) & set("{}") or set(before[-1:] + after[:1]) & set('[]",'):
        return False
    try:
        value = json.loads(said[0][start:end], strict=False, object_pairs_hook=_once_each)
        return Draft.model_validate_json(json.dumps(value), strict=True) == draft
    except (ValueError, RecursionError):
        return False


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are given once, with no white space around its code words."""
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError
    coded = {"decision", "abstain_reason", "section", "severity"}
    return {
        key: (value.strip() or None if key in coded and isinstance(value, str) else value)
        for key, value in pairs
    }


Reader = Callable[[Reply], Draft | None]


def read_by_us(reply: Reply) -> Draft | None:
    """Return the draft that is read without asking again, or None."""
    try:
        return read_draft(reply, content=["Your tulips are a disgrace"])
    except UnusableReplyError:
        return None


def json_repair_reader() -> Reader | None:
    """Return a reader by json_repair, or None where it is not installed."""
    if find_spec("json_repair") is None:
        return None
    loads = importlib.import_module("json_repair").loads

    def read(reply: Reply) -> Draft | None:
        said = reply.calls[0].arguments if reply.calls else reply.text
        try:
            return Draft.model_validate(loads(said))
        except (ValueError, RecursionError):
            return None

    return read


def instructor_reader() -> Reader:
    """Return a reader by instructor alone, in the mode that fits the reply."""
    from instructor import Mode
    from instructor.core import IncompleteOutputException
    from instructor.processing.response import process_response
    from instructor.v2.core.errors import InstructorError

    def read(reply: Reply) -> Draft | None:
        mode = Mode.TOOLS if reply.calls else Mode.MD_JSON
        try:
            found: Draft = process_response(
                _completion(reply), response_model=Draft, stream=False, mode=mode
            )
        except (
            InstructorError, IncompleteOutputException, ValidationError, ValueError, AssertionError,
            RecursionError,
        ):  # fmt: skip
            return None
        return Draft.model_validate(found.model_dump())

    return read


def _completion(reply: Reply) -> Any:
    """The reply as the OpenAI SDK gives it."""
    calls = [
        SimpleNamespace(
            id=call.id,
            type="function",
            function=SimpleNamespace(name=call.name, arguments=call.arguments),
        )
        for call in reply.calls
    ]
    refusal = "refused" if reply.finish == "refusal" else None
    message = SimpleNamespace(content=reply.text, tool_calls=calls or None, refusal=refusal)
    finish = "stop" if reply.finish in {"refusal", "other"} else reply.finish
    return SimpleNamespace(choices=[SimpleNamespace(message=message, finish_reason=finish)])


@dataclass
class Tally:
    """What became of the answers of one kind, or of all."""

    answers: int = 0
    whole: int = 0
    recovered: int = 0
    wrong: int = 0
    examples: list[Spoiled] = field(default_factory=list)
    """The first few that were accepted and wrong."""

    def count(self, spoilt: Spoiled, read: Draft | None) -> None:
        """Count one answer and what was read in it."""
        self.answers += 1
        self.whole += spoilt.whole
        self.recovered += spoilt.whole and read == spoilt.meant
        if read is None or (spoilt.whole and read == spoilt.meant):
            return
        if not (spoilt.kind == "fuzz" and says_itself(spoilt.reply, read)):
            self.wrong += 1
            self.examples = [*self.examples, spoilt][:5]


def tallied(read: Reader, answers: Sequence[Spoiled]) -> dict[str, Tally]:
    """Return what `read` makes of the answers: by kind, and of `all`."""
    tallies: dict[str, Tally] = {}
    for spoilt in answers:
        found = read(spoilt.reply)
        for kind in ("all", spoilt.kind.partition(",")[0]):
            tallies.setdefault(kind, Tally()).count(spoilt, found)
    return tallies


def main() -> None:
    """Print a table of every reader and every kind."""
    answers = list(spoiled())
    readers: dict[str, Reader | None] = {
        "amicus": read_by_us,
        "instructor": instructor_reader(),
        "json_repair": json_repair_reader(),
    }
    here = {name: tallied(read, answers) for name, read in readers.items() if read is not None}
    lines = ["| kind | answers | whole |" + "".join(f" {n}: wrong | recovered |" for n in here)]
    lines.append("|---|" + "---:|" * (2 + 2 * len(here)))
    for kind, ours in here["amicus"].items():
        cells = [kind, f"{ours.answers:,}", f"{ours.whole:,}"]
        for tallies in here.values():
            one = tallies[kind]
            share = f"{one.recovered / one.whole:.4f}" if one.whole else "–"
            cells += [f"{one.wrong:,}", share]
        lines.append("| " + " | ".join(cells) + " |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

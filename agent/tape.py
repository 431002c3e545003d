"""The tape of a review: every answer that came from outside of the code, in order.

What the rules search found, what the tools said, what the model asked and concluded, what the clock
showed. With the tape, the case and the rulebook, the same code gives the same verdict, byte for
byte, with no model, no index, no records and no network: that is a replay.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from agent.model import (
    Brief,
    Conclusion,
    Consultation,
    NoConclusionError,
    ReviewerModel,
    ToolCall,
)
from agent.state import Desk, Limits
from agent.verdict import Draft, PrecedentReference, Provenance, Usage
from errors import AmicusError, InputError, ModelError, ToolError
from policies.rulebook import Rulebook
from tools.tool import Arguments, Result, Tool

Entry = dict[str, Any]


class Tape:
    """Keeps what each seam of the desk gave or raised."""

    def __init__(self) -> None:
        """Start empty; one tape for one review."""
        self.entries: list[Entry] = []

    def keep(self, seam: str, answer: Callable[[], Any]) -> Any:
        """Ask, keep what came as JSON data, and return it."""
        try:
            gave = json.loads(json.dumps(answer()))
        except AmicusError as error:
            self.entries.append({"seam": seam, "raised": _kind(error), "said": _said(error)})
            raise
        self.entries.append({"seam": seam, "gave": gave})
        return gave


class Player:
    """Gives back what a tape kept, and refuses a question that was not asked at that point."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Wind to the start."""
        self._entries = deque(entries)

    def play(self, seam: str) -> Any:
        """Return what `seam` gave, or raise what it raised."""
        if not self._entries or self._entries[0]["seam"] != seam:
            kept = repr(self._entries[0]["seam"]) if self._entries else "the end of the tape"
            raise InputError(
                f"the review now asks for {seam!r} where the record has {kept}",
                hint="the record was made by another version of Amicus; replay it with that one",
            )
        entry = self._entries.popleft()
        if "raised" in entry:
            raise _raised(entry["raised"], entry["said"])
        return entry["gave"]

    @property
    def is_over(self) -> bool:
        """Whether everything that was kept has been asked for."""
        return not self._entries


def _kind(error: AmicusError) -> str:
    if isinstance(error, ToolError):
        return "ToolError"
    if isinstance(error, NoConclusionError):
        return "NoConclusionError"
    return "ModelError" if isinstance(error, ModelError) else "AmicusError"


def _said(error: AmicusError) -> Entry:
    said: Entry = {"message": error.message}
    if isinstance(error, NoConclusionError):
        said |= {"reason": error.reason, "usage": error.usage.model_dump()}
    return said


def _raised(kind: str, said: Entry) -> AmicusError:
    if kind == "NoConclusionError":
        usage = Usage.model_validate(said["usage"])
        return NoConclusionError(said["reason"], said["message"], usage=usage)
    known: dict[str, type[AmicusError]] = {"ToolError": ToolError, "ModelError": ModelError}
    return known.get(kind, AmicusError)(said["message"])


def recorded(desk: Desk, tape: Tape) -> Desk:
    """Return the desk with every seam kept on `tape`."""
    return replace(
        desk,
        model=_RecordedModel(desk.model, tape),
        sections=lambda text: _sections(
            tape.keep("sections", lambda: [s.id for s in desk.sections(text)]), desk.rulebook
        ),
        precedents=lambda text: _precedents(
            tape.keep("precedents", lambda: [p.model_dump() for p in desk.precedents(text)])
        ),
        account_texts=lambda account_id: dict(
            tape.keep("account_texts", lambda: dict(desk.account_texts(account_id)))
        ),
        signs=lambda copy: list(tape.keep("signs", lambda: list(desk.signs(copy)))),
        language=lambda text: str(tape.keep("language", lambda: desk.language(text))),
        use=lambda name, arguments: dict(tape.keep("use", lambda: dict(desk.use(name, arguments)))),
        clock=lambda: float(tape.keep("clock", desk.clock)),
    )


def played(
    entries: Iterable[Entry], *, rulebook: Rulebook, provenance: Provenance, limits: Limits
) -> tuple[Desk, Player]:
    """Return a desk whose every seam answers from the tape, and the player to ask if it is over."""
    player = Player(entries)
    return (
        Desk(
            rulebook=rulebook,
            model=_PlayedModel(provenance.model, player),
            tools=tuple(_silent(name, version) for name, version in provenance.tools.items()),
            prompts=provenance.prompts,
            sections=lambda _: _sections(player.play("sections"), rulebook),
            precedents=lambda _: _precedents(player.play("precedents")),
            account_texts=lambda _: dict(player.play("account_texts")),
            signs=lambda _: list(player.play("signs")),
            language=lambda _: str(player.play("language")),
            use=lambda _name, _arguments: dict(player.play("use")),
            clock=lambda: float(player.play("clock")),
            limits=limits,
        ),
        player,
    )


def _sections(ids: Iterable[str], rulebook: Rulebook) -> list[Any]:
    found = (rulebook.section(section_id) for section_id in ids)
    return [section for section in found if section is not None]


def _precedents(kept: Iterable[Mapping[str, Any]]) -> list[PrecedentReference]:
    return [PrecedentReference.model_validate(precedent) for precedent in kept]


def _silent(name: str, version: str) -> Tool:
    """A tool that stands on the list and is never run: the tape answers for it."""

    def run(_: Arguments) -> Result:
        raise ToolError(f"{name} is not run in a replay")

    return Tool(name, "recorded", version, Arguments, run)


class _RecordedModel:
    """A reviewer model whose answers are kept."""

    def __init__(self, model: ReviewerModel, tape: Tape) -> None:
        self.name = model.name
        self._model = model
        self._tape = tape

    def consult(self, brief: Brief) -> Consultation:
        return _consultation(
            self._tape.keep("consult", lambda: _plain_consultation(self._model.consult(brief)))
        )

    def decide(self, brief: Brief) -> Conclusion:
        return _conclusion(
            self._tape.keep("decide", lambda: _plain_conclusion(self._model.decide(brief)))
        )


class _PlayedModel:
    """A reviewer model that says what it said before."""

    def __init__(self, name: str, player: Player) -> None:
        self.name = name
        self._player = player

    def consult(self, _: Brief) -> Consultation:
        return _consultation(self._player.play("consult"))

    def decide(self, _: Brief) -> Conclusion:
        return _conclusion(self._player.play("decide"))


def _plain_consultation(answer: Consultation) -> Entry:
    calls = [{"tool": call.tool, "arguments": dict(call.arguments)} for call in answer.calls]
    return {"calls": calls, "usage": answer.usage.model_dump()}


def _consultation(kept: Entry) -> Consultation:
    calls = tuple(ToolCall(call["tool"], call["arguments"]) for call in kept["calls"])
    return Consultation(calls, Usage.model_validate(kept["usage"]))


def _plain_conclusion(answer: Conclusion) -> Entry:
    return {
        "draft": answer.draft.model_dump(mode="json"),
        "usage": answer.usage.model_dump(),
    }


def _conclusion(kept: Entry) -> Conclusion:
    return Conclusion(Draft.model_validate(kept["draft"]), Usage.model_validate(kept["usage"]))

"""Journal and replies that outlive a killed run, a clock that nobody waits for, and a fuse."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.llm.anthropic_batch import AnthropicBatches
from agent.llm.batch import BatchService, OpenBatch
from agent.llm.batch_office import BatchOffice
from agent.llm.batch_passes import BatchOutcome, Progress, work_in_batches
from agent.llm.batch_patience import Waiting
from agent.llm.batched import BatchDesk
from agent.llm.exchange import Message, Reply, Request
from agent.llm.openai_batch import OpenAIBatches
from tests.wire.answers import Answer, Asked, Script
from tests.wire.batches import Batching
from tests.wire.language_models import LanguageModels, language_models

Kind = Literal["openai", "anthropic"]
KINDS: tuple[Kind, ...] = ("openai", "anthropic")
SERVICES: Mapping[Kind, type[OpenAIBatches | AnthropicBatches]] = {
    "openai": OpenAIBatches,
    "anthropic": AnthropicBatches,
}


@dataclass
class Journal:
    """Implements `BatchJournal` in memory."""

    batches: dict[str, OpenBatch] = field(default_factory=dict)

    def open_batches(self) -> Sequence[OpenBatch]:
        return list(self.batches.values())

    def opened(self, batch: OpenBatch) -> None:
        self.batches[batch.label] = batch

    def closed(self, label: str) -> None:
        self.batches.pop(label, None)


@dataclass
class Kept:
    """Implements `Replies` in memory."""

    kept: dict[str, Reply] = field(default_factory=dict)

    def reply(self, key: str) -> Reply | None:
        return self.kept.get(key)

    def keep(self, replies: Mapping[str, Reply]) -> None:
        self.kept.update(replies)


@dataclass
class Clock:
    """Seconds that pass when somebody sleeps."""

    at: float = 1_800_000_000.0
    slept: list[float] = field(default_factory=list)
    sleep: Callable[[float], None] = field(init=False)

    def __post_init__(self) -> None:
        self.sleep = self.pass_time

    def now(self) -> float:
        return self.at

    def pass_time(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


class KilledError(BaseException):
    """What SIGKILL would do: nothing below may catch it."""


@dataclass
class Fuse:
    """Kills at one instant; 0 never does."""

    kill_at: int = 0
    burnt: int = 0

    def burn(self) -> None:
        self.burnt += 1
        if self.burnt == self.kill_at:
            raise KilledError


class Mortal:
    """Passes on every call, and can be killed before and after each."""

    def __init__(self, inner: object, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._mortal(found) if callable(found) else found

    def _mortal(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            self._fuse.burn()
            answer = call(*arguments, **named)
            self._fuse.burn()
            return answer

        return called


def echo(asked: Asked) -> Answer:
    """Answer with what was asked, and with a separator that must not end a line."""
    return Answer(f"re: {asked.last_words}\u2028.", input_tokens=10, output_tokens=3)


def asking(text: str) -> Request:
    return Request(system=("You review content.",), messages=(Message("user", text),))


def key_of(request: Request) -> str:
    return hashlib.sha256(request.messages[-1].text.encode()).hexdigest()


@contextmanager
def serving(
    kind: Kind, script: Script = echo, *, clock: Clock | None = None, **batching: Any
) -> Iterator[tuple[LanguageModels, Callable[..., BatchService]]]:
    """Run a server; yields it, and what opens a service in front of it."""
    opened: list[OpenAIBatches | AnthropicBatches] = []
    with language_models(
        script, batching=Batching(now=(clock or Clock()).now, **batching)
    ) as server:

        def open_service(model: str = "small", **options: Any) -> BatchService:
            url = server.openai_url if kind == "openai" else server.anthropic_url
            service = SERVICES[kind](model, key=server.key, base_url=url, **options)
            opened.append(service)
            return service

        try:
            yield server, open_service
        finally:
            for service in opened:
                service.close()


@dataclass
class Books:
    """All that a run leaves behind, and what the cases came to."""

    journal: Journal = field(default_factory=Journal)
    replies: Kept = field(default_factory=Kept)
    clock: Clock = field(default_factory=Clock)
    said: dict[int, str] = field(default_factory=dict)
    """The last answer of every case."""
    progress: list[Progress] = field(default_factory=list)
    questions: int = 2
    """How many a case asks, each holding the answer to the one before."""
    name: str = "case"

    def run(
        self, *services: BatchService, cases: int = 5, fuse: Fuse | None = None
    ) -> BatchOutcome:
        """Work through the cases, as one process does from its start to its end."""
        fuse = fuse or Fuse()
        desk = BatchDesk(Mortal(self.replies, fuse))
        waiting = Waiting(sleep=self.clock.sleep, now=self.clock.now, failures=12)
        offices = [
            BatchOffice(Mortal(service, fuse), Mortal(self.journal, fuse), waiting)
            for service in services
        ]

        def attempt(number: int) -> None:
            text = f"{self.name} {number}"
            for turn in range(self.questions):
                service = services[turn % len(services)]
                request = asking(f"{turn}: {text}")
                text = desk.answer(service.name, key_of(request), request).text
            self.said[number] = text

        return work_in_batches(
            cases, attempt, desk=desk, offices=offices, tell=self.progress.append
        )

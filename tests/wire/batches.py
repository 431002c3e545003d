"""Batches as both simulated providers work them off: later, in another order, and not always all.

What a request of a batch is answered is up to the same script that answers single requests. What
becomes of it before anybody could answer, and what goes wrong around it, is up to `Batching`.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from tests.wire.answers import Asked, Broken, Reaction, Refused, Wire
from tests.wire.loopback import Received, Sent

Fate = Literal["answered", "errored", "expired", "canceled", "missing"]
"""What becomes of a request; `missing` leaves no trace of it in the results."""
FateOf = Callable[[str, int], Fate]
"""The fate of a request, by its custom id and by how many batches it was in before this one."""
React = Callable[[Wire, Any], tuple[Asked, Reaction]]
"""Answers the body of one request, or refuses it."""
LINE_END = b"\n"


def answered(custom_id: str, before: int) -> Fate:
    """Let every request be answered."""
    del custom_id, before
    return "answered"


def failing(rate: float, *, seed: int = 0) -> FateOf:
    """Return fates of which a share is bad, drawn for every request and every time it is asked."""

    def draw(custom_id: str, before: int) -> Fate:
        drawn = random.Random(f"{seed}:{custom_id}:{before}")
        bad: tuple[Fate, ...] = ("errored", "expired", "canceled", "missing")
        return drawn.choice(bad) if drawn.random() < rate else "answered"

    return draw


@dataclass(frozen=True)
class Result:
    """What became of one request."""

    custom_id: str
    fate: Fate
    asked: Asked | None = None
    reaction: Reaction | None = None


@dataclass
class Job:
    """One batch."""

    id: str
    wire: Wire
    requests: Sequence[tuple[str, Any]]
    """Custom ids and the bodies of the requests."""
    created_at: float
    metadata: Mapping[str, str] | None = None
    input_file_id: str = ""
    problem: tuple[str, str] | None = None
    """Code and words with which it was refused as a whole."""
    looks: int = 0
    """How often somebody looked how far it is."""
    is_cancelled: bool = False
    results: list[Result] | None = None
    """What became of the requests, in another order, once it has ended."""

    @property
    def ids(self) -> list[str]:
        """The custom ids, as they were handed in."""
        return [custom_id for custom_id, _ in self.requests]

    def count(self, *fates: Fate) -> int:
        """Return how many requests had one of these fates."""
        return sum(result.fate in fates for result in self.results or ())


@dataclass
class Batching:
    """How batches are worked off, and all that were handed in."""

    polls: int = 1
    """How many looks find a batch still going on."""
    fate: FateOf = answered
    problem: Callable[[Job], tuple[str, str] | None] = lambda _: None
    """Code and words with which a batch is refused as a whole after it was taken."""
    strays: Callable[[Job], Sequence[bytes]] = lambda _: ()
    """Lines that are put among the results and do not belong there."""
    upset: Callable[[Received], Refused | Broken | None] = lambda _: None
    """What is sent instead of the right answer to a request about batches."""
    acts_though_upset: bool = False
    """Whether what was asked is done even where the answer is another one."""
    now: Callable[[], float] = time.time
    seed: int = 0
    jobs: list[Job] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def handed_in(self) -> list[str]:
        """The custom ids of all requests of all batches, in their order."""
        return [custom_id for job in self.jobs for custom_id in job.ids]

    def open(self, wire: Wire, requests: Sequence[tuple[str, Any]], **fields: Any) -> Job:
        """Take a batch."""
        prefix = "batch" if wire == "openai" else "msgbatch"
        job = Job(f"{prefix}_{len(self.jobs)}", wire, requests, self.now(), **fields)
        job.problem = job.problem or self.problem(job)
        self.jobs.append(job)
        return job

    def job(self, wire: Wire, job_id: str) -> Job | None:
        """Return the batch of that name, if there is one."""
        known = (job for job in self.jobs if job.wire == wire and job.id == job_id)
        return next(known, None)

    def page(self, wire: Wire, after: str, limit: int) -> tuple[list[Job], bool]:
        """Return a page of the batches, newest first, and whether there are more."""
        jobs = [job for job in reversed(self.jobs) if job.wire == wire]
        ids = [job.id for job in jobs]
        jobs = jobs[ids.index(after) + 1 :] if after in ids else jobs
        return jobs[:limit], len(jobs) > limit

    def look(self, job: Job, react: React) -> None:
        """Count a look at a batch, and end it if it has been looked at often enough."""
        job.looks += 1
        if job.looks > self.polls and job.results is None and job.problem is None:
            job.results = [self._become(job, name, body, react) for name, body in job.requests]
            random.Random(self.seed + len(job.results)).shuffle(job.results)

    def _become(self, job: Job, custom_id: str, body: Any, react: React) -> Result:
        before = sum(custom_id in other.ids for other in self.jobs[: self.jobs.index(job)])
        fate = "canceled" if job.is_cancelled else self.fate(custom_id, before)
        if fate == "errored":
            return Result(custom_id, fate, reaction=Refused(500, "Internal server error"))
        if fate != "answered":
            return Result(custom_id, fate)
        asked, reaction = react(job.wire, body)
        refused = isinstance(reaction, Refused)
        return Result(custom_id, "errored" if refused else fate, asked, reaction)

    def mixed(self, written: Sequence[bytes]) -> bytes:
        """Return lines as a file, in another order."""
        lines = list(written)
        random.Random(self.seed).shuffle(lines)
        return b"".join(line + LINE_END for line in lines)


def broken_as_told(broken: Broken) -> Sent:
    """Return an answer that no provider should give, as it goes over the wire."""
    return Sent(
        broken.status,
        broken.headers,
        broken.body,
        cut_at=broken.cut_at,
        drip=broken.drip,
        reset=broken.reset,
    )


def json_line(value: object) -> bytes:
    """Return a line of results; characters stand in it as they are, as the providers write them."""
    return json.dumps(value, ensure_ascii=False).encode()


def as_json(body: object, status: int = 200) -> Sent:
    """Return a body as it goes over the wire."""
    return Sent(status, {}, json.dumps(body).encode())


def stamp(seconds: float) -> str:
    """Return a time as RFC 3339 has it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")

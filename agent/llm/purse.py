"""What one review asks and pays: budgets, deadline, answers already paid for, and the record of it.

Every exchange of a review goes through its purse. The key of an exchange is a hash of the model,
its server and all that is sent, with the random marker taken out; so the same case under the same
rules, prompts and parameters is asked once, whoever asks again.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from agent.llm.asking import Line
from agent.llm.exchange import (
    CalledTool,
    Deadline,
    Priced,
    ProviderError,
    Reply,
    Request,
    Tokens,
    UnavailableError,
)
from agent.llm.options import Budgets
from agent.model import NoConclusionError
from agent.phrases import phrases
from agent.verdict import Usage
from records.exchanges import KeptExchange, find_exchange, keep_exchange_in
from records.spending import Ceilings, Refusal, Spend, hold_in, release_in, settle_in
from records.store import Records
from records.together import Together
from records.verdicts import text_id

MARKER = "{marker}"
"""What stands in the place of the marker in a key and in the record."""

Send = Callable[[Line, str, Request, Deadline | None], Reply]
"""Sends a request that goes by a key."""


def send_now(line: Line, _: str, request: Request, deadline: Deadline | None) -> Reply:
    """Ask the provider, and wait for the answer."""
    return line.provider.send(request, deadline=deadline or line.deadline())


@dataclass(frozen=True)
class Till:
    """What the reviews of a run share: where answers are kept, and what may be spent."""

    records: Records
    run: str
    budgets: Budgets = field(default_factory=Budgets)
    keep_seconds: float = 30 * 86_400.0
    """How long an answer is good for; 0 asks anew every time."""
    seconds: float | None = None
    """Until when a review must be over, from its start."""
    discount: bool = False
    """Whether the prices of a batch count."""
    send: Send = send_now
    now: Callable[[], float] = time.time
    """Seconds since 1970."""
    clock: Callable[[], float] = time.monotonic
    """What deadlines are read on."""
    together: Together = field(init=False)

    def __post_init__(self) -> None:
        """Let all threads of the run share their commits."""
        object.__setattr__(self, "together", Together(self.records))

    def purse(self, case_id: str) -> Purse:
        """Return the purse of one review."""
        if self.discount and self.budgets.any:
            # In batches a review is run again and again, and what it held before is held anew.
            self.together.run(partial(release_in, run=self.run, case_id=case_id))
        return Purse(self, case_id)


class Purse:
    """Pays for one review; used by one thread at a time. `exchanges` is the record of it."""

    def __init__(self, till: Till, case_id: str) -> None:
        """Open the purse when the review begins."""
        self._till = till
        self._case_id = case_id
        self._spent = 0.0
        self._deadline = None if till.seconds is None else Deadline(at=till.clock() + till.seconds)
        self.exchanges: list[dict[str, Any]] = []
        self.texts: dict[str, str] = {}

    def exchange(self, line: Line, request: Request, *, marker: str) -> Priced:
        """Return the answer to `request`, and what it cost this run.

        Raises:
            NoConclusionError: A budget has no room for it.
            ProviderError: There is no answer.
        """
        key = exchange_key(line.place, request, marker)
        noted: dict[str, Any] = {"model": line.provider.name, "key": key, "marker": marker}
        noted["request"] = self._asked(request, marker)
        self.exchanges.append(noted)
        kept = self._kept(key)
        try:
            priced = self._again(kept) if kept is not None else self._paid(line, key, request)
        except (ProviderError, NoConclusionError) as error:
            noted["error"] = error.message
            raise
        noted["reply"] = asdict(priced.reply)
        noted["usage"] = priced.usage.model_dump()
        noted["kept"] = kept is not None
        return priced

    def _again(self, kept: KeptExchange) -> Priced:
        """Take an answer that was paid for; it counts where this review of this run paid for it."""
        ours = kept.run == self._till.run and kept.case_id == self._case_id
        usage = Usage.model_validate(kept.usage) if ours else Usage()
        self._spent += usage.cost_usd
        return Priced(reply_of(kept.reply), usage)

    def _kept(self, key: str) -> KeptExchange | None:
        till = self._till
        if till.keep_seconds <= 0:
            return None
        return find_exchange(till.records, key, since=till.now() - till.keep_seconds)

    def _paid(self, line: Line, key: str, request: Request) -> Priced:
        """Ask for an answer that nobody has paid for yet."""
        with self._held(line, request) as settle:
            reply = self._till.send(line, key, request, self._deadline)
            priced = Priced(reply, line.usage(request, reply, batch=self._till.discount))
            settle(priced, key)
        return priced

    @contextmanager
    def _held(self, line: Line, request: Request) -> Iterator[Callable[[Priced, str], None]]:
        """Hold the most that the request can cost; afterwards settle what it did cost."""
        till = self._till
        most = line.most(request, batch=till.discount)
        spend = Spend(
            id=uuid.uuid4().hex,
            run=till.run,
            case_id=self._case_id,
            model=line.provider.name,
            at=till.now(),
            cost_usd=most,
        )
        if till.budgets.any:
            self._hold(spend)

        def settle(priced: Priced, key: str) -> None:
            self._spent += priced.usage.cost_usd
            till.together.run(lambda connection: self._settle(connection, spend, priced, key))

        try:
            yield settle
        except ProviderError as error:
            # After a silence nobody knows whether the provider charged: the hold stays.
            silent = isinstance(error, UnavailableError) and error.status is None
            if till.budgets.any and not silent:
                nothing = _costing(spend, Usage())
                till.together.run(lambda connection: settle_in(connection, nothing))
            raise

    def _hold(self, spend: Spend) -> None:
        budgets = self._till.budgets
        if budgets.case is not None and self._spent + spend.cost_usd > budgets.case:
            raise _spent_up("case", budgets.case, self._spent)
        ceilings = Ceilings(run=budgets.run, day=budgets.day)
        refusal: Refusal | None = self._till.together.run(
            lambda connection: hold_in(connection, spend, ceilings)
        )
        if refusal is not None:
            raise _spent_up(refusal.scope, refusal.limit, refusal.spent)

    def _settle(self, connection: Any, spend: Spend, priced: Priced, key: str) -> None:
        """Keep the answer and its cost in one transaction: what is paid for is never lost."""
        settle_in(connection, _costing(spend, priced.usage))
        if self._till.keep_seconds > 0:
            kept = KeptExchange(
                key=key,
                model=spend.model,
                run=spend.run,
                case_id=spend.case_id,
                reply=asdict(priced.reply),
                usage=priced.usage.model_dump(),
                made_at=spend.at,
            )
            keep_exchange_in(connection, kept)

    def _asked(self, request: Request, marker: str) -> dict[str, Any]:
        """The request as it is recorded: rules and tools by their hash, the turns in full."""
        asked: dict[str, Any] = json.loads(_request_text(request, marker))
        for long in ("system", "tools"):
            asked[long] = [self._named(part) for part in asked[long]]
        asked["answer_schema"] = asked["answer_schema"] and self._named(asked["answer_schema"])
        return asked

    def _named(self, part: object) -> str:
        text = part if isinstance(part, str) else json.dumps(part, sort_keys=True)
        name = text_id(text)
        self.texts[name] = text
        return name


def exchange_key(place: str, request: Request, marker: str) -> str:
    """Return what makes two questions the same question, whatever marker they were asked with."""
    return hashlib.sha256(f"{place}\n{_request_text(request, marker)}".encode()).hexdigest()


def _request_text(request: Request, marker: str) -> str:
    """The request as JSON. A marker is letters and digits, so it stands there as it is."""
    return json.dumps(asdict(request), sort_keys=True).replace(marker, MARKER)


def reply_of(kept: Mapping[str, Any]) -> Reply:
    """Return a reply out of the data that `dataclasses.asdict` made of it."""
    calls = tuple(CalledTool(**call) for call in kept["calls"])
    logprobs = tuple((token, value) for token, value in kept["logprobs"])
    tokens = Tokens(**kept["tokens"])
    return Reply(**{**kept, "calls": calls, "tokens": tokens, "logprobs": logprobs})


def _costing(spend: Spend, usage: Usage) -> Spend:
    return Spend(
        id=spend.id,
        run=spend.run,
        case_id=spend.case_id,
        model=spend.model,
        at=spend.at,
        cost_usd=usage.cost_usd,
        input_tokens=usage.input_tokens,
        cached_tokens=usage.cached_tokens,
        output_tokens=usage.output_tokens,
    )


def _spent_up(scope: str, limit: float, spent: float) -> NoConclusionError:
    told = phrases("llm/turns")["budget"]["spent_up"].format(scope=scope, limit=limit, spent=spent)
    return NoConclusionError("budget", told)

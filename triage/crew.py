"""Work the docket: claim the worst cases, review them side by side, settle what is done.

One thread does everything that is written, so that what is done at about the same time is written
in one transaction; the others only review. Killed at any instant, a crew leaves nothing but leases
that expire.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

from agent.case import Case
from agent.reviewer import Opinion
from errors import RecordsError, shown
from records.docket.entries import Lease, Loan, Settlement
from records.docket.leases import Terms, claim, fail, hand_back, renew
from records.docket.reading import machine_work
from records.docket.settling import settle
from records.refusals import PassingRefusalError
from records.store import Records
from triage.outage import Outage
from triage.ruling import Bench, settlement_of

T = TypeVar("T")

TICK = 0.25
"""Seconds between looks at the clock while reviews are under way."""
GATHER = 0.02
"""Seconds to wait for others once a review is done, to write them together."""
AHEAD = 4
"""So many cases are taken for each worker: the next is at hand while the docket is written."""
IDLE = 1.0
"""Seconds between looks into an empty docket."""
RENEWALS = 10
"""A review that lasts so many leases is given up: its thread hangs."""


@dataclass(frozen=True)
class Orders:
    """How a crew works."""

    name: str
    """Of this crew alone, such as host and process."""
    workers: int = 4
    lease_seconds: float = 300.0
    most_tries: int = 3
    forever: bool = False
    """Whether to wait for more when nothing is left."""
    patience_seconds: float = 600.0
    """How long to wait for a database that is locked, full or away."""
    rest_seconds: float = 30.0
    """How long a case rests after a failed try; twice as long after the next."""
    limit: int | None = None
    """Most cases to take."""


@dataclass
class Tally:
    """What a crew has done so far."""

    closed: int = 0
    to_people: int = 0
    dead: int = 0
    failed_tries: int = 0
    lost: int = 0
    """Reviews whose lease somebody else had by then; nothing of them was written."""
    taken: int = 0
    cost: float = 0.0
    trouble: str = ""
    """What the crew waits for, or nothing."""

    @property
    def done(self) -> int:
        """Cases that have left the crew's desk."""
        return self.closed + self.to_people + self.dead


@dataclass(frozen=True)
class Post:
    """Everything that a crew works with."""

    records: Records
    opinion: Callable[[Case], Opinion]
    """Reviews a case; called from many threads."""
    bench: Bench
    orders: Orders
    clock: Callable[[], float] = time.time
    """Seconds since 1970."""
    monotonic: Callable[[], float] = time.monotonic
    on_progress: Callable[[Tally], None] = lambda _: None


@dataclass(frozen=True)
class _UnderWay:
    loan: Loan
    began: float


@dataclass(frozen=True)
class _Reviewed:
    case: Case
    opinion: Opinion


@dataclass(frozen=True)
class _Trouble:
    """A review that failed for want of a model or of the records."""

    loan: Loan
    why: str
    settlement: Settlement | None
    """The abstention that came of it, where there is one."""


def work(post: Post, stop: threading.Event) -> Tally:
    """Work until nothing waits for a machine, or until `stop`: then finish what is in hand.

    Raises:
        RecordsError: The docket could not be written for longer than the patience; the cases in
            hand go back by themselves when their leases expire.
    """
    return _Crew(post, stop).work()


class _Crew:
    def __init__(self, post: Post, stop: threading.Event) -> None:
        self._post = post
        self._stop = stop
        self._terms = Terms(
            post.orders.name, post.orders.lease_seconds, most_tries=post.orders.most_tries
        )
        self._under_way: dict[Future[_Reviewed], _UnderWay] = {}
        self._troubles: list[_Trouble] = []
        self._outage = Outage(post.monotonic)
        self._renew_at = 0.0
        self.tally = Tally()

    def work(self) -> Tally:
        with ThreadPoolExecutor(self._post.orders.workers, "reviewer") as pool:
            try:
                while not self._stop.is_set() and self._turn(pool):
                    pass
                self._hand_back_rest()
                while self._under_way:
                    self._collect()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        self._let_suspects_go()
        return self.tally

    def _turn(self, pool: ThreadPoolExecutor) -> bool:
        """Take, collect, renew; return whether there may be more to do."""
        taken = self._take(pool)
        if self._under_way:
            self._collect()
            self._renew()
            return True
        if taken:
            return True
        self._let_suspects_go()
        if self._outage.declared:
            self._stop.wait(TICK)
            return True
        if self._enough() or not (self._post.orders.forever or self._work_left()):
            return False
        self._stop.wait(IDLE)
        return True

    def _take(self, pool: ThreadPoolExecutor) -> int:
        room = AHEAD * self._post.orders.workers - len(self._under_way)
        if self._post.orders.limit is not None:
            room = min(room, self._post.orders.limit - self.tally.taken)
        room = self._outage.room(room)
        if room <= 0 or (self._under_way and room < self._post.orders.workers):
            return 0  # there is enough for now; the fewer claims, the fewer commits
        now = self._post.clock()
        loans = self._patiently(lambda: claim(self._post.records, self._terms, limit=room, now=now))
        for loan in loans:
            future = pool.submit(self._review, loan.content)
            self._under_way[future] = _UnderWay(loan, self._post.monotonic())
        self.tally.taken += len(loans)
        return len(loans)

    def _review(self, content: str) -> _Reviewed:
        """What a thread does; whatever it raises, even over the content, is the case's own."""
        case = Case.model_validate_json(content)
        return _Reviewed(case, self._post.opinion(case))

    def _collect(self) -> None:
        """Settle all reviews that are done; wait a little while none is."""
        wait(self._under_way, timeout=TICK, return_when=FIRST_COMPLETED)
        if any(future.done() for future in self._under_way):
            time.sleep(GATHER)
        done = [future for future in self._under_way if future.done()]
        batch: list[Settlement] = []
        for future in done:
            one = self._under_way.pop(future)
            if not future.cancelled():
                batch += self._judged(future, one)
        if batch:
            self._settle(batch)
        if done:
            self._post.on_progress(self.tally)

    def _judged(self, future: Future[_Reviewed], one: _UnderWay) -> list[Settlement]:
        """What is to be written of a review that is over, if it came to anything."""
        error = future.exception()
        if isinstance(error, RecordsError):
            self._suspect(_Trouble(one.loan, error.message, None))
            return []
        if error is not None:
            self._failed(one.loan, f"{type(error).__name__}: {shown(str(error), 300)}")
            return []
        reviewed = future.result()
        settlement = settlement_of(
            one.loan, reviewed.case, reviewed.opinion, self._post.bench, now=self._post.clock()
        )
        verdict = reviewed.opinion.verdict
        spent = verdict.abstain_reason == "budget" and not verdict.usage.model_calls
        if verdict.abstain_reason == "model_error" or spent:
            self._suspect(_Trouble(one.loan, verdict.rationale, settlement))
            return []
        self._outage.succeeded()
        self._let_suspects_go()
        return [settlement]

    def _settle(self, batch: Sequence[Settlement]) -> None:
        settled = self._patiently(lambda: settle(self._post.records, batch, now=self._post.clock()))
        kept = set(settled.kept)
        for settlement in batch:
            if settlement.lease in kept:
                self._count(settlement)
        self.tally.lost += len(settled.lost)

    def _count(self, settlement: Settlement) -> None:
        closed = type(settlement.outcome).__name__ == "Closed"
        self.tally.closed += closed
        self.tally.to_people += not closed
        self.tally.cost += settlement.cost

    def _suspect(self, trouble: _Trouble) -> None:
        """Keep a failed review until it is clear whether the case or the model is to blame."""
        self._troubles.append(trouble)
        self._outage.failed(trouble.loan.lease.case_id)
        if self._outage.declared:
            self.tally.trouble = trouble.why
            blameless = [trouble.loan.lease for trouble in self._troubles]
            self._troubles.clear()
            self._give_back(blameless, rest=True)

    def _let_suspects_go(self) -> None:
        """There is a model, so each failed review counts; after the last try a person decides."""
        troubles, self._troubles = self._troubles, []
        if not self._outage.declared:
            self.tally.trouble = ""
        for trouble in troubles:
            last = trouble.loan.tries >= self._post.orders.most_tries
            if last and trouble.settlement is not None:
                self._settle([trouble.settlement])
            else:
                self._failed(trouble.loan, shown(trouble.why, 300))

    def _failed(self, loan: Loan, reason: str) -> None:
        orders = self._post.orders
        rest = orders.rest_seconds * 2 ** (loan.tries - 1)
        died = self._patiently(
            lambda: fail(
                self._post.records,
                loan.lease,
                reason=reason,
                rest_until=self._post.clock() + rest,
                most_tries=orders.most_tries,
            )
        )
        self.tally.dead += died
        self.tally.failed_tries += not died

    def _renew(self) -> None:
        """Tell the docket that we live, well before it may doubt it."""
        now = self._post.monotonic()
        if now < self._renew_at:
            return
        seconds = self._post.orders.lease_seconds
        self._renew_at = now + seconds / 4
        young = [one for one in self._under_way.values() if now - one.began < RENEWALS * seconds]
        leases = [one.loan.lease for one in young]
        self._patiently(
            lambda: renew(self._post.records, leases, seconds=seconds, now=self._post.clock())
        )

    def _hand_back_rest(self) -> None:
        """Give back what no thread has begun with."""
        idle = [future for future in self._under_way if future.cancel()]
        self._give_back([self._under_way.pop(future).loan.lease for future in idle], rest=False)
        self.tally.taken -= len(idle)

    def _give_back(self, leases: Sequence[Lease], *, rest: bool) -> None:
        if leases:
            # After a rest, so that the next to be tried are others: one of these may be poison.
            until = self._post.clock() + self._post.orders.rest_seconds if rest else None
            self._patiently(lambda: hand_back(self._post.records, leases, rest_until=until))

    def _enough(self) -> bool:
        limit = self._post.orders.limit
        return limit is not None and self.tally.taken >= limit

    def _work_left(self) -> bool:
        return self._patiently(lambda: machine_work(self._post.records))

    def _patiently(self, act: Callable[[], T]) -> T:
        """Do something with the docket; wait for a database that is locked, full or away."""
        began, delay = self._post.monotonic(), 0.1
        while True:
            try:
                done = act()
            except PassingRefusalError as error:
                if self._post.monotonic() - began > self._post.orders.patience_seconds:
                    raise
                self.tally.trouble = error.message
                self._post.on_progress(self.tally)
            else:
                if not self._outage.declared:
                    self.tally.trouble = ""
                return done
            time.sleep(delay)
            delay = min(5.0, 2 * delay)

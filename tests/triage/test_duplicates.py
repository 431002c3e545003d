from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agent.case import Case
from agent.own_call import own_call
from agent.record import record_of
from agent.reviewer import Opinion
from agent.state import Limits
from agent.verdict import Verdict
from policies.rulebook import Rulebook
from records.copies import standing_copies
from records.docket.reading import read_case
from records.store import Records
from tests.triage.scenes import Clock, abstention_on, opinion_on, verdict_on
from triage.crew import Tally
from triage.deciding import Ruling
from triage.duplicates.bench import measured
from triage.duplicates.copying import Copies, Sampling
from triage.duplicates.nearby import Nearby, bands_of
from triage.duplicates.requoting import verdict_for
from triage.duplicates.shape import is_copy, shape_of
from triage.duplicates.undoing import CopyBook, undo
from triage.intake import AddReport
from triage.people import Person

SCAM = "Dear folks, send the small fee in advance and receive a golden watering can today"
NONE_SAMPLED = Sampling(0.0, b"key")


def same(one: str, other: str, **fields: Any) -> bool:
    shapes = [shape_of(Case(id=f"c-{n}", text=text)) for n, text in enumerate((one, other))]
    if fields:
        shapes[1] = shape_of(Case.model_validate({"id": "c-1", "text": other, **fields}))
    assert shapes[0] is not None
    assert shapes[1] is not None
    return is_copy(shapes[0], shapes[1])


@pytest.mark.parametrize(
    "copy",
    [
        SCAM.upper(),
        SCAM.replace(" ", "  ") + "!!!",
        f"@neighbour42 {SCAM}",
        f"{SCAM} x7k2p9q7",
        SCAM.replace("e", "\u200be"),
        SCAM.replace("a", "а").replace("e", "е"),  # Cyrillic
        SCAM.replace("golden", "g0ld3n"),
        SCAM.replace("watering", "waterring"),
    ],
)
def test_a_copy_is_known_under_its_dress(copy: str) -> None:
    assert same(SCAM, copy)


@pytest.mark.parametrize(
    "other",
    [
        SCAM.replace("send", "never send"),
        SCAM.replace("send", "do not send"),
        SCAM.replace("folks", "teachers"),
        SCAM.replace(" today", ""),
        SCAM + "?",
        SCAM + " 🔪",
        f'"{SCAM}"',
        SCAM.replace("advance and receive", "receive and advance"),
        SCAM + " @ll p30ple",
        SCAM + " 12yearold",
        SCAM.replace("small", "14"),
    ],
)
def test_one_word_that_matters_makes_another_case(other: str) -> None:
    assert not same(SCAM, other)


@pytest.mark.parametrize(
    ("ages", "alike"), [(("12", "18"), False), (("55512345", "55567890"), True)]
)
def test_small_numbers_are_words_and_long_ones_are_not(ages: tuple[str, str], alike: bool) -> None:  # noqa: FBT001
    one, other = (f"Call me about the rose, my number is {age} as you know" for age in ages)

    assert same(one, other) is alike


def test_a_link_is_the_same_by_its_host_unless_many_people_share_it() -> None:
    own = "Win a rose now at https://rose-prize.example/{} before Friday"
    shared = "Win a rose now at https://bit.ly/{} before Friday"

    assert same(own.format("a?id=1"), own.format("b?id=2"))
    assert not same(shared.format("a1"), shared.format("b2"))
    assert not same(own.format("a"), own.format("a").replace("rose-prize", "rose-price"))
    assert not same(own.format("a"), own.format("a").replace("https", "hxxps"))


def test_where_a_link_stands_between_words_is_part_of_what_is_said() -> None:
    link = "https://rose-prize.example/start"
    assert not same(
        f"Dear members open not {link} and sign up", f"Dear members open {link} not and sign up"
    )
    assert same(f"Open this now {link}", f"OPEN this now {link}?r=71 !!!")
    assert same(f"Open this now {link}", f"Open this now x7k92qzt {link}")


def test_the_same_words_in_another_setting_are_another_case() -> None:
    assert not same(SCAM, SCAM, context=[{"text": "Which of these is a scam?"}])
    assert not same(SCAM, SCAM, surface="profile")
    assert not same(SCAM, SCAM, links=["https://rose-prize.example/"])
    assert shape_of(Case(id="a", kind="account", account_id="u-1")) is None


def test_what_is_near_is_found_and_forgotten_again() -> None:
    nearby: Nearby[str] = Nearby(most=2)
    texts = [SCAM, "A rose is a rose is a rose", "Nobody waters the nettles in winter"]
    for text in texts:
        nearby.add(bands_of(text), text)

    assert [thing for _, thing in nearby.candidates(bands_of(texts[2] + "!"))] == [texts[2]]
    assert list(nearby.candidates(bands_of(SCAM))) == []
    assert len(nearby) == 2


class Counting:
    """A reviewer that counts, and can be told what to say of a case."""

    def __init__(self, **told: Callable[[Case], Verdict]) -> None:
        self.asked: Counter[str] = Counter()
        self._told = told
        self._lock = threading.Lock()

    def __call__(self, case: Case) -> Opinion:
        with self._lock:
            self.asked[case.id] += 1
        make = self._told.get(case.id.replace("-", "_"), verdict_on)
        return opinion_on(case, make(case))


def posts(number: int, text: str = SCAM) -> list[Case]:
    return [Case(id=f"c-{n}", text=f"{text}{'!' * (n % 4)}") for n in range(number)]


@pytest.fixture
def quotes(village: Rulebook) -> Rulebook:
    """The rules that the verdicts of the scenes quote."""
    return village


def test_a_thousand_posts_are_one_review_and_one_that_checks_it(quotes: Rulebook) -> None:
    reviewer = Counting()
    copies = Copies(reviewer, quotes, NONE_SAMPLED)

    opinions = [copies.opinion(case) for case in posts(100)]

    assert sum(reviewer.asked.values()) == 2
    assert (copies.tally.copied, copies.tally.sampled) == (98, 1)
    assert {opinion.verdict.decision for opinion in opinions} == {"violating"}
    assert opinions[50].record.payload["copy_of"] == "c-0"
    assert opinions[50].verdict.case_id == opinions[50].record.case_id == "c-50"
    assert opinions[50].verdict.usage.cost_usd == 0


def test_every_quote_of_a_copied_verdict_stands_in_the_copy(quotes: Rulebook) -> None:
    original = Case(id="c-0", text=SCAM)
    verdict = verdict_on(original, ground={"content_quote": SCAM[:10], "content_span": [0, 10]})
    copy = Case(id="c-1", text=f"@ann  DEAR fo\u200blks,{SCAM[11:]}")

    carried = verdict_for(copy, original, verdict, quotes)

    assert carried is not None
    (ground,) = carried.violations
    assert ground.content_span is not None
    assert copy.text[slice(*ground.content_span)] == ground.content_quote
    assert ground.content_quote == "DEAR fo\u200blks"


def test_a_quote_that_does_not_stand_in_the_copy_carries_nothing_over(quotes: Rulebook) -> None:
    original = Case(id="c-0", text=SCAM)
    verdict = verdict_on(original, ground={"content_quote": SCAM[:10], "content_span": [0, 10]})

    assert verdict_for(Case(id="c-1", text=SCAM[11:]), original, verdict, quotes) is None


def test_failures_and_what_rests_on_the_author_are_not_copied(quotes: Rulebook) -> None:
    original = Case(id="c-0", text=SCAM, account_id="u-1")
    other = Case(id="c-1", text=SCAM, account_id="u-2")
    author = verdict_on(original, evidence=[{"tool": "account_history", "finding": "two strikes"}])

    assert verdict_for(other, original, author, quotes) is None
    assert verdict_for(other, original, abstention_on(original, "budget"), quotes) is None
    assert verdict_for(other.model_copy(update={"account_id": "u-1"}), original, author, quotes)


def test_content_that_is_kept_apart_stays_apart_in_copies(quotes: Rulebook) -> None:
    def apart(case: Case) -> Opinion:
        verdict = verdict_on(case)
        record = record_of(
            case,
            verdict,
            tape=[],
            limits=Limits(),
            own=None,
            exchanges=[],
            texts={},
            content_apart=True,
        )
        return Opinion(verdict, record)

    copies = Copies(apart, quotes, NONE_SAMPLED)

    last = [copies.opinion(case) for case in posts(3)][-1]

    assert SCAM[:10] not in str(last.record.payload)
    assert last.record.payload["outcome"]["copy_of"] == "c-0"
    assert last.record.apart is not None
    assert last.record.apart["case"]["id"] == "c-2"


def test_a_sampled_copy_that_comes_to_something_else_breaks_the_group(quotes: Rulebook) -> None:
    def allowed(case: Case) -> Verdict:
        return verdict_on(case, decision="allowed", action="none", severity=None, violations=[])

    reviewer = Counting(c_1=allowed)
    copies = Copies(reviewer, quotes, NONE_SAMPLED)

    for case in posts(10):
        copies.opinion(case)

    assert sum(reviewer.asked.values()) == 10
    assert (copies.tally.copied, copies.tally.broken) == (0, 1)


def test_a_share_of_the_copies_is_reviewed_all_the_same(quotes: Rulebook) -> None:
    copies = Copies(Counting(), quotes, Sampling(0.2, b"key"))

    for case in posts(300):
        copies.opinion(case)

    assert 35 <= copies.tally.sampled <= 90


def test_copies_wait_for_the_review_of_the_first_and_are_not_reviewed_beside_it(
    quotes: Rulebook,
) -> None:
    reviewer = Counting()
    copies = Copies(reviewer, quotes, NONE_SAMPLED)

    with ThreadPoolExecutor(8) as pool:
        opinions = list(pool.map(copies.opinion, posts(64)))

    assert len(opinions) == 64
    assert sum(reviewer.asked.values()) == 2


def test_after_a_failed_review_the_next_post_is_the_first(quotes: Rulebook) -> None:
    failed: list[str] = []

    def flaky(case: Case) -> Opinion:
        if not failed:
            failed.append(case.id)
            raise ValueError("no answer")
        return opinion_on(case)

    copies = Copies(flaky, quotes, NONE_SAMPLED)
    first, *others = posts(5)
    with pytest.raises(ValueError, match="no answer"):
        copies.opinion(first)

    opinions = [copies.opinion(case) for case in [*others, first]]

    assert [o.record.payload.get("copy_of") for o in opinions] == [None, None, "c-1", "c-1", "c-1"]


Add = Callable[..., AddReport]
Run = Callable[..., Tally]


def test_a_wrong_decision_is_undone_for_all_copies_and_taken_over_no_more(
    records: Records, village: Rulebook, clock: Clock, add: Add, run: Run
) -> None:
    book = CopyBook(records, clock=clock, monotonic=clock)
    reviewer = Counting()
    copies = Copies(
        reviewer, village, NONE_SAMPLED, on_copy=book.note, still_stands=book.still_stands
    )
    add(records, *({"id": case.id, "text": case.text} for case in posts(6)))
    run(records, copies.opinion, workers=1)
    (original,) = {name for name, _ in reviewer.asked.items() if standing_copies(records, name)}
    taken = standing_copies(records, original)
    assert len(taken) == 4

    ruling = Ruling(own_call("allowed", village), village, "it is a poem")
    done = undo(records, taken[2], Person("ann", 60), ruling, now=clock())

    assert done.original == original
    assert sorted(done.overturned) == sorted([original, *taken])
    found = [read_case(records, case_id) for case_id in done.overturned]
    assert {(one.decision, one.overturned) for one in found if one} == {("allowed", True)}
    assert undo(records, original, Person("ann", 60), ruling, now=clock()).overturned == ()
    clock.now += 2
    asked = sum(reviewer.asked.values())
    copies.opinion(Case(id="c-99", text=SCAM))
    assert sum(reviewer.asked.values()) == asked + 1


def test_planted_copies_are_found_and_near_misses_are_not_taken_for_them() -> None:
    found = measured(500, seed=3)

    assert found.shared / found.copies >= 0.95
    assert found.wrong == 0
    assert 1 - found.asked / found.cases >= 0.9 * found.copies / found.cases

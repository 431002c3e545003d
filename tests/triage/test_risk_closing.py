from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.case import Case
from agent.own_call import own_call
from agent.reviewer import Opinion
from agent.verdict import Verdict
from errors import InputError, RecordsError
from policies.rulebook import Rulebook
from records.audits import audit_counts
from records.certificates import (
    Switch,
    closing_state,
    every_certificate,
    keep_certificate,
    latest_certificate,
    stop_certificate,
    turn_switch,
)
from records.ledger import verify
from records.risk_tables import certificates
from records.store import Records, open_records
from tests.triage.scenes import NOW, Clock, a_case, abstention_on, opinion_on, verdict_on
from triage.crew import Tally
from triage.intake import AddReport
from triage.risk.auditing import case_of, say, standing, take_audit
from triage.risk.brakes import Brakes, Floors, read_brakes
from triage.risk.certificate import Certificate, CertifiedClaim
from triage.risk.closing import CertifiedClosing, is_drawn

CASE = Case.model_validate(a_case())
DAY = 86_400.0
OPEN = Brakes(audit_share=0.02, most_waiting_audits=50)


def allowed_on(case: Case, **changes: Any) -> Verdict:
    return verdict_on(
        case,
        **{"decision": "allowed", "action": "none", "severity": None, "violations": []} | changes,
    )


def a_certificate(**changes: Any) -> Certificate:
    claims = [
        {"direction": "violating", "line": 0.85, "limit": 0.02},
        {"direction": "allowed", "line": 0.8, "limit": 0.05},
    ]
    whole = {"policies": ("garden",), "verdicts": 400, "mistakes_among_all": 9, "risk": 0.025}
    fields: dict[str, Any] = {
        "golden": "sha256:1",
        "cases": 900,
        "rulebook": "sha256:0",
        "model": "quick",
        "prompts": "-",
        "tools": {},
        "confidence": 0.95,
        "claims": tuple(CertifiedClaim.model_validate(whole | claim) for claim in claims),
        "made_at": NOW,
        "until": NOW + 90 * DAY,
    }
    return Certificate(**fields | changes)


@pytest.fixture
def certified(sqlite_records: Records) -> Records:
    """Records under a certificate for the village."""
    keep(sqlite_records, a_certificate())
    return sqlite_records


@pytest.fixture
def closing(certified: Records, village: Rulebook, clock: Clock) -> Callable[..., CertifiedClosing]:
    """The closing policy under that certificate; its two clocks are one."""

    def make(brakes: Brakes = OPEN) -> CertifiedClosing:
        return CertifiedClosing(certified, village, brakes, clock=clock, monotonic=clock)

    return make


def keep(records: Records, made: Certificate) -> None:
    keep_certificate(records, made.id, made.body, made_at=made.made_at, until=made.until)


Make = Callable[..., CertifiedClosing]


def test_a_sure_verdict_under_a_certificate_closes_and_says_on_what_ground(closing: Make) -> None:
    done = closing().may_close(verdict_on(CASE))

    assert done.closes
    assert done.because.startswith("certificate 1: violating from 0.85 on; at most 2.0%")


@pytest.mark.parametrize(
    ("verdict", "because"),
    [
        (verdict_on(CASE, confidence=0.84), "under the line 0.85"),
        (verdict_on(CASE, needs_human=True, needs_human_because=["odd"]), "a person has to"),
        (abstention_on(CASE, "unproven"), "an abstention decides nothing"),
        (verdict_on(CASE, ground={"section": "well.1"}), "says nothing of such cases"),
        (allowed_on(CASE, sections_considered=["well.1"]), "says nothing of such cases"),
        (allowed_on(CASE, sections_considered=[]), "says nothing of such cases"),
    ],
)
def test_what_the_certificate_does_not_cover_goes_to_a_person(
    closing: Make, verdict: Verdict, because: str
) -> None:
    done = closing().may_close(verdict)

    assert not done.closes
    assert because in done.because


@pytest.mark.parametrize("part", ["rulebook", "model", "prompts", "tools"])
def test_another_rulebook_model_or_prompt_voids_the_certificate(closing: Make, part: str) -> None:
    provenance = {"rulebook": "sha256:0", "model": "quick", "prompts": "-", "tools": {}}
    other: object = {"new": "1"} if part == "tools" else "other"

    done = closing().may_close(verdict_on(CASE, provenance=provenance | {part: other}))

    assert not done.closes
    assert done.because.startswith("the certificate is for ")
    assert part.removesuffix("s") in done.because


def test_an_expired_certificate_closes_nothing(closing: Make, clock: Clock) -> None:
    policy = closing()
    assert policy.may_close(verdict_on(CASE)).closes

    clock.now += 90 * DAY

    assert policy.may_close(verdict_on(CASE)).because == "the certificate has expired"


def test_a_clock_that_was_set_back_closes_nothing(closing: Make, clock: Clock) -> None:
    clock.now -= DAY

    assert "the clock stands before" in closing().may_close(verdict_on(CASE)).because


def test_without_a_certificate_nothing_closes(
    sqlite_records: Records, village: Rulebook, clock: Clock
) -> None:
    policy = CertifiedClosing(sqlite_records, village, OPEN, clock=clock, monotonic=clock)

    assert "no certificate" in policy.may_close(verdict_on(CASE)).because


def test_a_newer_certificate_that_shows_nothing_voids_the_one_before(
    certified: Records, closing: Make
) -> None:
    empty = tuple(claim.model_copy(update={"line": None}) for claim in a_certificate().claims)
    keep(certified, a_certificate(claims=empty))

    assert "could not show" in closing().may_close(verdict_on(CASE)).because


def test_the_switch_in_the_records_stops_every_machine_within_a_second(
    certified: Records, closing: Make, clock: Clock
) -> None:
    policy = closing()
    assert policy.may_close(verdict_on(CASE)).closes

    turn_switch(certified, Switch(off=True, why="odd removals", turned_by="ann"), now=NOW)
    clock.now += 1

    done = policy.may_close(verdict_on(CASE))
    assert (done.closes, "switched off by ann: odd removals" in done.because) == (False, True)
    turn_switch(certified, Switch(off=False, turned_by="ann"), now=NOW)
    clock.now += 1
    assert policy.may_close(verdict_on(CASE)).closes


def test_a_stopped_certificate_stays_stopped_and_is_stopped_once(certified: Records) -> None:
    assert stop_certificate(certified, 1, "drift", now=NOW)
    assert not stop_certificate(certified, 1, "again", now=NOW)

    kept = latest_certificate(certified)
    assert kept is not None
    assert (kept.why, kept.stopped_at) == ("drift", NOW)


def test_an_edited_certificate_is_refused(certified: Records, closing: Make) -> None:
    forged = a_certificate(confidence=0.5).body
    with certified.writing() as connection:
        connection.execute(certificates.update().values(body=forged))

    with pytest.raises(RecordsError, match="is not as it was kept"):
        closing().may_close(verdict_on(CASE))


def test_a_quota_is_kept_by_all_machines_together_and_is_new_every_day(
    closing: Make, clock: Clock
) -> None:
    brakes = OPEN.model_copy(update={"quotas": {"limit": 3}})
    machines = [closing(brakes), closing(brakes)]

    closed = [policy.may_close(verdict_on(CASE)).closes for policy in machines * 4]

    assert sum(closed) == 3
    assert "used up" in machines[0].may_close(verdict_on(CASE)).because
    clock.now += DAY
    assert machines[0].may_close(verdict_on(CASE)).closes


def test_a_quota_of_none_leaves_the_action_to_people(closing: Make) -> None:
    policy = closing(OPEN.model_copy(update={"quotas": {"limit": 0}}))

    assert not policy.may_close(verdict_on(CASE)).closes


def test_floors_hold_above_any_line(closing: Make) -> None:
    policy = closing(
        OPEN.model_copy(update={"floors": Floors(severities=("medium",), confidence=0.86)})
    )

    assert "a medium violation" in policy.may_close(verdict_on(CASE)).because
    surer = allowed_on(CASE, confidence=0.85)
    assert "below a confidence of 0.86" in policy.may_close(surer).because


def test_a_database_that_is_locked_closes_nothing(
    sqlite_url: str, home: Path, village: Rulebook, clock: Clock
) -> None:
    brakes = OPEN.model_copy(update={"quotas": {"limit": 5}})
    with open_records(sqlite_url, home=home, busy_seconds=0.05) as records:
        keep(records, a_certificate())
        policy = CertifiedClosing(records, village, brakes, clock=clock, monotonic=clock)
        with records.writing():
            done = policy.may_close(verdict_on(CASE))

        assert (done.closes, "could not be asked" in done.because) == (False, True)
        assert policy.may_close(verdict_on(CASE)).closes


def test_the_shipped_brakes_are_read_and_a_wrong_page_is_named(tmp_path: Path) -> None:
    assert read_brakes().audit_share == 0.02
    page = tmp_path / "mine.toml"
    page.write_text("audit_share = 2\nmost_waiting_audits = 1\n")

    with pytest.raises(InputError, match=r"mine\.toml: audit_share: "):
        read_brakes(page)


def test_who_is_audited_depends_on_a_secret_and_on_nothing_else() -> None:
    drawn = {key: [is_drawn(key, f"c-{n}", 0.1) for n in range(2_000)] for key in (b"a", b"b")}

    assert drawn[b"a"] != drawn[b"b"]
    assert all(160 < sum(some) < 240 for some in drawn.values())


Add = Callable[..., AddReport]
Run = Callable[..., Tally]
AUDIT_ALL = Brakes(audit_share=1.0, most_waiting_audits=50)


def rightly(case: Case) -> Opinion:
    return opinion_on(case)


def test_audits_that_agree_leave_the_certificate_standing(
    records: Records, village: Rulebook, clock: Clock, add: Add, run: Run
) -> None:
    keep(records, a_certificate())
    add(records, *(a_case(n) for n in range(6)))
    run(
        records, closing=CertifiedClosing(records, village, AUDIT_ALL, clock=clock, monotonic=clock)
    )

    done = [audited(records, village, "ann", "limit:garden.1", clock) for _ in range(6)]

    assert {(one.agrees, one.machine, one.stopped) for one in done} == {(True, "violating", "")}
    assert take_audit(records, "ann", seconds=60, now=clock()) is None
    assert audit_counts(records, 1)[0].audited == 6
    assert not verify(records).faults


def test_closing_stops_by_itself_when_audits_no_longer_fit_and_says_so(
    records: Records, village: Rulebook, clock: Clock, add: Add, run: Run
) -> None:
    keep(records, a_certificate())
    policy = CertifiedClosing(records, village, AUDIT_ALL, clock=clock, monotonic=clock)
    add(records, *(a_case(n) for n in range(9)))
    assert run(records, closing=policy).closed == 9

    stopped = ""
    answered = 0
    while not stopped:
        stopped = audited(records, village, "ann", "allowed", clock).stopped
        answered += 1

    assert answered <= 4
    assert f"{answered} of {answered} audited closures as violating were wrong" in stopped
    clock.now += 2
    assert policy.may_close(verdict_on(CASE)).because == stopped
    found = standing(records)
    assert found is not None
    assert found[0].stopped_at is not None


def test_only_a_new_certificate_lets_machines_close_again(
    certified: Records, closing: Make
) -> None:
    stop_certificate(certified, 1, "drift", now=NOW)
    assert closing().may_close(verdict_on(CASE)).because == "drift"

    keep(certified, a_certificate(golden="sha256:2"))

    assert closing().may_close(verdict_on(CASE)).because.startswith("certificate 2")
    assert [kept.number for kept in every_certificate(certified)] == [2, 1]


def test_two_auditors_get_different_cases_and_a_late_answer_is_refused(
    records: Records, village: Rulebook, clock: Clock, add: Add, run: Run
) -> None:
    keep(records, a_certificate())
    add(records, a_case(1), a_case(2))
    run(
        records, closing=CertifiedClosing(records, village, AUDIT_ALL, clock=clock, monotonic=clock)
    )

    ann = take_audit(records, "ann", seconds=60, now=clock())
    bob = take_audit(records, "bob", seconds=60, now=clock())
    assert ann is not None
    assert bob is not None
    assert {ann.case_id, bob.case_id} == {"c-1", "c-2"}
    assert case_of(ann).id == ann.case_id
    assert take_audit(records, "cid", seconds=60, now=clock()) is None

    clock.now += 61
    late = take_audit(records, "cid", seconds=60, now=clock())
    assert late is not None
    holder = ann if late.case_id == ann.case_id else bob
    name = "ann" if holder is ann else "bob"
    with pytest.raises(InputError, match="no longer yours"):
        say(records, holder, name, own_call("allowed", village), now=clock())


def test_closing_pauses_while_too_many_audits_wait(
    records: Records, village: Rulebook, clock: Clock, add: Add, run: Run
) -> None:
    keep(records, a_certificate())
    brakes = AUDIT_ALL.model_copy(update={"most_waiting_audits": 3})
    policy = CertifiedClosing(records, village, brakes, clock=clock, monotonic=clock)
    add(records, *(a_case(n) for n in range(3)))
    run(records, closing=policy)
    clock.now += 2

    assert "3 closures wait for an audit" in policy.may_close(verdict_on(CASE)).because


def test_an_overturned_closure_counts_as_a_mistake_before_anybody_audits_it(
    sqlite_records: Records, village: Rulebook, clock: Clock, add: Add, run: Run
) -> None:
    from triage.deciding import Ruling, overturn_decision
    from triage.people import Person

    records = sqlite_records
    keep(records, a_certificate())
    add(records, a_case(1))
    run(
        records, closing=CertifiedClosing(records, village, AUDIT_ALL, clock=clock, monotonic=clock)
    )
    ruling = Ruling(own_call("allowed", village), village)
    overturn_decision(records, "c-1", Person("ann", 60), ruling, now=clock())

    assert take_audit(records, "bob", seconds=60, now=clock()) is None
    assert audit_counts(records, 1)[0].mistakes == 1


def test_a_closure_says_in_the_ledger_which_certificate_allowed_it(
    certified: Records, village: Rulebook, clock: Clock, add: Add, run: Run
) -> None:
    from records.ledger import latest

    add(certified, a_case(1))
    policy = CertifiedClosing(certified, village, OPEN, clock=clock, monotonic=clock)
    run(certified, closing=policy, stop=threading.Event())

    entry = latest(certified, "c-1", "verdict")
    assert entry is not None
    told: Any = entry.payload["closing"]
    assert told["because"].startswith("certificate 1: violating")
    assert closing_state(certified)[1] == Switch(off=False)


def audited(records: Records, rules: Rulebook, who: str, call: str, clock: Clock) -> Any:
    taken = take_audit(records, who, seconds=60, now=clock())
    assert taken is not None
    return say(records, taken, who, own_call(call, rules), now=clock())

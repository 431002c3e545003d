"""The past of an account is counted, told in a sentence, and never guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from errors import ToolError
from records.accounts import Account
from tools.account_history import account_history, history_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def decided(case_id: str, section: str, **changes: Any) -> dict[str, Any]:
    return {
        "case_id": case_id,
        "section": section,
        "decision": "violating",
        "action": "remove",
        "severity": "high",
        "decided_at": "2026-10-01T10:00:00Z",
        "overturned": False,
    } | changes


def account(**changes: Any) -> Account:
    fields: dict[str, Any] = {
        "id": "u-9",
        "created_at": "2026-11-10T12:00:00Z",
        "strikes": 2,
        "reports_received": 5,
        "recent": [
            {"text": "one", "created_at": "2026-11-20T11:00:00Z"},
            {"text": "two", "created_at": "2026-11-18T11:00:00Z"},
            {"text": "later", "created_at": "2026-11-21T11:00:00Z"},
            {"text": "undated"},
        ],
        "decisions": [
            decided("c-1", "spam.1"),
            decided("c-2", "spam.1"),
            decided("c-3", "fraud.1", overturned=True),
            decided("c-4", "hate.1", decision="allowed", action="none"),
        ],
    }
    return Account.model_validate(fields | changes)


def test_standing_violations_count_and_overturned_ones_do_not() -> None:
    history = history_of(account(), now=NOON)

    assert history.violations == {"spam.1": 2}
    assert (history.overturned, history.cleared) == (1, 1)


def test_age_and_pace_are_as_of_now() -> None:
    history = history_of(account(), now=NOON)

    assert history.age_days == 10
    assert (history.posts_last_day, history.posts_last_week) == (1, 2)


def test_what_is_unknown_stays_unknown() -> None:
    history = history_of(account(created_at=None, recent=[], decisions=[]), now=NOON)

    assert history.age_days is None
    assert history.finding.startswith("age unknown; 2 strikes; no past violation")


def test_the_finding_is_one_sentence_without_the_accounts_words() -> None:
    finding = history_of(account(display_name="Very \x1b[1m loud"), now=NOON).finding

    assert finding == (
        "10 days old; 2 strikes; past violations: spam.1 (2); 1 overturned on appeal; 5 reports; "
        "1 post in the last day"
    )


def test_an_unknown_account_is_told_to_the_model() -> None:
    tool = account_history(lambda _: None, now=lambda: NOON)

    with pytest.raises(ToolError, match="nothing is known of the account 'u-404'"):
        tool.call({"account_id": "u-404"})


@pytest.mark.parametrize(
    "arguments", [{}, {"account_id": ""}, {"account_id": 5}, {"account_id": "u-9", "ban": True}]
)
def test_arguments_that_do_not_fit_are_refused_by_name(arguments: dict[str, Any]) -> None:
    tool = account_history(lambda _: account(), now=lambda: NOON)

    with pytest.raises(ToolError, match=r"account_history: (account_id|ban)"):
        tool.call(arguments)

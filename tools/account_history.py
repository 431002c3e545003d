"""What is known of an account: its age, its past, and how fast it posts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from pydantic import Field

from errors import ToolError, shown
from records.accounts import Account
from tools.tool import Arguments, Result, Tool, tool

YOUNG = timedelta(days=30)


class WhichAccount(Arguments):
    """The account that the model wants to know about."""

    account_id: str = Field(
        min_length=1, max_length=200, description="The account as the case names it."
    )


class AccountHistory(Result):
    """The past of an account, counted; its words are never repeated here."""

    account_id: str
    age_days: int | None
    verified: bool
    followers: int
    strikes: int
    violations: dict[str, int]
    """Past violations by section; those that were overturned on appeal are not among them."""
    cleared: int
    """Past cases that ended in `allowed`."""
    overturned: int
    """Past violations that were overturned on appeal."""
    reports_received: int
    posts_last_day: int
    posts_last_week: int


def account_history(
    find_account: Callable[[str], Account | None], *, now: Callable[[], datetime]
) -> Tool:
    """Bind the records and the clock to the tool; the model only names the account."""

    def run(asked: WhichAccount) -> AccountHistory:
        """Look up an account: age, strikes, past decisions by section, appeals, reports, pace."""
        account = find_account(asked.account_id)
        if account is None:
            raise ToolError(f"nothing is known of the account {shown(asked.account_id)}")
        return history_of(account, now=now())

    return tool("account_history", run, arguments=WhichAccount)


def history_of(account: Account, *, now: datetime) -> AccountHistory:
    """Return the past of `account` as of `now`."""
    standing = [d for d in account.decisions if d.decision == "violating" and not d.overturned]
    overturned = sum(d.overturned for d in account.decisions if d.decision == "violating")
    violations = dict(sorted(Counter(d.section for d in standing).items()))
    posted = [post.created_at for post in account.recent if post.created_at is not None]
    age = None if account.created_at is None else max(0, (now - account.created_at).days)
    history = AccountHistory(
        finding="",
        account_id=account.id,
        age_days=age,
        verified=account.verified,
        followers=account.followers,
        strikes=account.strikes,
        violations=violations,
        cleared=sum(d.decision == "allowed" for d in account.decisions),
        overturned=overturned,
        reports_received=account.reports_received,
        posts_last_day=sum(now - timedelta(days=1) < at <= now for at in posted),
        posts_last_week=sum(now - timedelta(days=7) < at <= now for at in posted),
    )
    return history.model_copy(update={"finding": _sentence(history)})


def _sentence(history: AccountHistory) -> str:
    """The history as a person would tell it."""
    age = "age unknown" if history.age_days is None else f"{_count(history.age_days, 'day')} old"
    parts = [age, _count(history.strikes, "strike")]
    if history.violations:
        told = ", ".join(f"{section} ({count})" for section, count in history.violations.items())
        parts.append(f"past violations: {told}")
    else:
        parts.append("no past violation")
    if history.overturned:
        parts.append(f"{history.overturned} overturned on appeal")
    if history.reports_received:
        parts.append(_count(history.reports_received, "report"))
    if history.posts_last_day:
        parts.append(f"{_count(history.posts_last_day, 'post')} in the last day")
    return "; ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"

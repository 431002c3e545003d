"""Statements of reasons, as Article 17 of the EU's Digital Services Act asks for them.

A decision becomes a statement in the schema of the Transparency Database, and a notice for the
person concerned. A statement that the database would refuse is never written: its faults are named.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from agent.case import Case
from errors import InputError, shown
from policies.rulebook import Rulebook, Section
from records.docket.reading import DocketCase

Statement = dict[str, Any]


@dataclass(frozen=True)
class Platform:
    """Who states reasons, under which rules."""

    page: Mapping[str, Any]
    rulebook: Rulebook

    @property
    def words(self) -> Mapping[str, str]:
        """The sentences of its statements."""
        words: Mapping[str, str] = self.page["words"]
        return words


@dataclass(frozen=True)
class Reasons:
    """What is owed for one decision."""

    case_id: str
    statement: Statement
    """For the Transparency Database."""
    notice: str
    """For the person concerned."""


def read_platform(path: Path | None, rulebook: Rulebook) -> Platform:
    """Read what a platform says of itself; the shipped example where no page is named.

    Raises:
        InputError: The page cannot be read, is no TOML, or lacks something that the example has.
    """
    example = tomllib.loads(_shipped("platform.toml"))
    if path is None:
        return Platform(example, rulebook)
    name = shown(str(path), 200)
    try:
        page = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {name}: {error}", hint="name a TOML file") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{name} is no TOML: {error}", hint="see triage/platform.toml") from None
    missing = [key for key in example if key not in page]
    missing += [f"words.{key}" for key in example["words"] if key not in page.get("words", {})]
    if missing:
        raise InputError(
            f"{name} does not say {', '.join(missing)}", hint="see triage/platform.toml"
        )
    return Platform(page, rulebook)


def reasons_for(found: DocketCase, platform: Platform) -> Reasons | None:
    """Return the statement and the notice for a decision, or None where none is owed.

    None is owed where nothing was restricted: the case is open, or was allowed or escalated.

    Raises:
        InputError: The Transparency Database would refuse the statement; says why.
    """
    case = Case.model_validate_json(found.content)
    actions = platform.page["account_actions" if case.kind == "account" else "actions"]
    restriction = actions.get(found.action)
    if found.state != "decided" or found.decision != "violating" or restriction is None:
        return None
    sections = [platform.rulebook.section(name) for name in found.sections.split(",")]
    grounds = [section for section in sections if section is not None]
    if not grounds:
        raise InputError(
            f"case {shown(found.case_id)}: this rulebook has no section {shown(found.sections)}",
            hint="name with --policies the rulebook that it was decided under",
        )
    told = _Told(found, case, grounds, platform)
    statement = told.statement(restriction)
    faults = list(faults_of(statement))
    if faults:
        raise InputError(
            f"case {shown(found.case_id)}: {'; '.join(faults)}",
            hint="correct the page of the platform, or the case",
        )
    return Reasons(found.case_id, statement, told.notice())


@dataclass(frozen=True)
class _Told:
    """A decision, with all that a statement says of it."""

    found: DocketCase
    case: Case
    grounds: list[Section]
    platform: Platform

    def statement(self, restriction: Mapping[str, Any]) -> Statement:
        page, section = self.platform.page, self.grounds[0]
        words = self.platform.words
        account = self.case.kind == "account"
        statement: Statement = {
            **restriction,
            "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
            "incompatible_content_ground": _cut(self._ground(section), 500),
            "incompatible_content_explanation": _cut(
                words["explanation"].format(rule=section.rule), 2000
            ),
            "content_type": ["CONTENT_TYPE_OTHER" if account else "CONTENT_TYPE_TEXT"],
            "category": page["categories"].get(section.policy, page["categories"]["default"]),
            "territorial_scope": list(page["territorial_scope"]),
            "content_date": self._posted().isoformat(),
            "application_date": self._decided().isoformat(),
            "decision_facts": _cut(self._facts(), 5000),
            "source_type": self._source(),
            "automated_detection": page[f"detected_{self._reported}"],
            "automated_decision": self._automated(),
            "puid": self._puid(),
        }
        if account:
            statement["content_type_other"] = words["account"]
        if "decision_account" in restriction:
            statement["account_type"] = page["account_type"]
        if section.policy in page["keywords"]:
            statement["category_specification"] = list(page["keywords"][section.policy])
        if re.fullmatch("[a-z]{2}", self.case.language):
            statement["content_language"] = self.case.language.upper()
        return statement

    def notice(self) -> str:
        words = self.platform.words
        return (
            words["notice"]
            .format(
                what=self._what(),
                action=self.found.action,
                date=self._decided().isoformat(),
                grounds="; ".join(map(self._ground, self.grounds)),
                rule=self.grounds[0].rule,
                source=self._came_up().removeprefix(", "),
                decider=self._decider(),
            )
            .strip()
        )

    @property
    def _reported(self) -> str:
        return "reported" if self.case.reports else "unreported"

    def _ground(self, section: Section) -> str:
        return self.platform.words["ground"].format(section=section.id, title=section.title)

    def _facts(self) -> str:
        return self.platform.words["facts"].format(
            what=self._what(),
            arrived=_day(self.found.added_at).isoformat(),
            reports=self._came_up(),
            rulebook=self.platform.rulebook.id[:19],
            sections=", ".join(section.id for section in self.grounds),
            decider=self._decider(),
        )

    def _what(self) -> str:
        return self.platform.words[self.case.kind]

    def _came_up(self) -> str:
        count = sum(report.count for report in self.case.reports)
        return self.platform.words[self._reported].format(count=count)

    def _decider(self) -> str:
        by = {
            "AUTOMATED_DECISION_FULLY": "by_machine",
            "AUTOMATED_DECISION_PARTIALLY": "by_both",
            "AUTOMATED_DECISION_NOT_AUTOMATED": "by_person",
        }
        return self.platform.words[by[self._automated()]]

    def _automated(self) -> str:
        if self.found.decided_by == "machine":
            return "AUTOMATED_DECISION_FULLY"
        opined = self.found.verdict is not None and not self.found.overturned
        return "AUTOMATED_DECISION_PARTIALLY" if opined else "AUTOMATED_DECISION_NOT_AUTOMATED"

    def _source(self) -> str:
        said = self.case.meta.get("source_type")
        return str(said or self.platform.page[f"source_{self._reported}"])

    def _posted(self) -> date:
        moment = self.case.created_at
        return moment.astimezone(UTC).date() if moment else _day(self.found.added_at)

    def _decided(self) -> date:
        return _day(self.found.decided_at or self.found.added_at)

    def _puid(self) -> str:
        """The same for the same decision, another for every other, and no word of the case."""
        told = f"{self.found.case_id}#{self.found.record}"
        return hashlib.sha256(told.encode()).hexdigest()


def faults_of(statement: Statement) -> Iterator[str]:
    """Yield why the Transparency Database would refuse a statement, field by field."""
    rules = _rules()
    for name in statement.keys() - rules["fields"].keys():
        yield f"{name} is no field of a statement"
    for name, rule in rules["fields"].items():
        value = statement.get(name)
        if value is None or value in ("", []):
            yield from _absent(name, rule, statement)
        elif not _wanted(rule, statement):
            yield f"{name} must be left out here"
        else:
            yield from _unfit(name, rule, value, rules["lists"])


def _absent(name: str, rule: Mapping[str, Any], statement: Statement) -> Iterator[str]:
    others = rule.get("required_without")
    needed = rule.get("required", False)
    needed |= others is not None and not any(statement.get(other) for other in others)
    needed |= "required_with" in rule and _wanted(rule, statement)
    if needed:
        yield f"{name} is missing"


def _wanted(rule: Mapping[str, Any], statement: Statement) -> bool:
    if "required_with" not in rule:
        return True
    field, value = rule["required_with"]
    held = statement.get(field)
    return value in held if isinstance(held, list) else held == value


def _unfit(
    name: str, rule: Mapping[str, Any], value: Any, lists: Mapping[str, list[str]]
) -> Iterator[str]:
    if isinstance(value, list) != rule.get("many", False):
        yield f"{name} must be {'a list' if rule.get('many') else 'one value'}"
        return
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, str):
            yield f"{name} must be text"
        elif "list" in rule and one not in lists[rule["list"]]:
            yield f"{name}: {shown(one)} is none of the values allowed"
        elif len(one) > rule.get("most", len(one)):
            yield f"{name} has {len(one):,} characters, the limit is {rule['most']:,}"
        elif "pattern" in rule and not re.fullmatch(rule["pattern"], one):
            yield f"{name}: {shown(one)} has not the form that is asked for"
        elif "date" in rule and not _within(one, *rule["date"]):
            yield f"{name}: {shown(one)} is no date from {rule['date'][0]} to {rule['date'][1]}"


def _within(told: str, first: str, last: str) -> bool:
    try:
        date.fromisoformat(told)
    except ValueError:
        return False
    return len(told) == len(first) and first <= told <= last


def _day(seconds: float) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


@lru_cache(maxsize=1)
def _rules() -> Mapping[str, Any]:
    return tomllib.loads(_shipped("transparency.toml"))


def _shipped(name: str) -> str:
    return (files("triage") / name).read_text(encoding="utf-8")

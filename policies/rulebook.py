"""What a rulebook is: policies, their sections, and the identity of both.

A rulebook is known by a hash of its content, a section by a hash of its own words. So a verdict
says exactly which text it applied, an index is never stale, and a precedent knows when the clause
it was decided under has been rewritten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

Severity = Literal["low", "medium", "high", "critical"]
Action = Literal["none", "label", "limit", "remove", "suspend", "escalate"]
Signal = Literal[
    "hate",
    "offensive",
    "harassment",
    "violence",
    "self_harm",
    "sexual",
    "spam",
    "scam",
    "injection",
    "pii",
    "malicious_link",
]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
ACTIONS: tuple[Action, ...] = get_args(Action)
SIGNALS: tuple[Signal, ...] = get_args(Signal)


@dataclass(frozen=True)
class Section:
    """One numbered clause: the smallest thing that a verdict can cite."""

    id: str
    policy: str
    title: str
    severities: tuple[Severity, ...]
    """What a violation may be called, mildest first; most sections allow exactly one."""
    rule: str
    violates: tuple[str, ...]
    allowed: tuple[str, ...]
    file: str
    line: int

    @cached_property
    def text(self) -> str:
        """The clause as a reviewer reads it, and as a policy quote must stand in it."""
        parts = [self.title, self.rule]
        for name, examples in (("Violates", self.violates), ("Allowed", self.allowed)):
            if examples:
                parts.append("\n".join([f"{name}:", *(f"- {example}" for example in examples)]))
        return "\n\n".join(parts)

    @cached_property
    def version(self) -> str:
        """A hash of everything that gives the clause its meaning; not of file, line or spacing."""
        return digest([self.id, list(self.severities), " ".join(self.text.split())])


@dataclass(frozen=True)
class Policy:
    """One Markdown file: a purpose, its sections, and what follows from a violation."""

    id: str
    title: str
    version: str
    signals: tuple[Signal, ...]
    enforcement: Mapping[Severity, Action]
    never_auto: bool
    purpose: str
    sections: tuple[Section, ...]
    file: str
    retired: tuple[str, ...] = ()
    """Section ids that once meant something else and are never used again."""
    floor: float | None = None
    """From which score of one of its signals on no machine calls a case allowed; None takes the
    line of each label, which 1 in 100 harmless texts crosses."""


@dataclass(frozen=True)
class Rulebook:
    """A folder of policies at one version."""

    policies: tuple[Policy, ...]
    files: Mapping[str, str]
    """The source: file name to text, so that a verdict can be replayed after an edit."""

    @cached_property
    def id(self) -> str:
        """`sha256:` and the hash of every file; another wording is another rulebook."""
        return digest(sorted(self.files.items()))

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """Every section, in rulebook order."""
        return tuple(section for policy in self.policies for section in policy.sections)

    @cached_property
    def _sections_by_id(self) -> dict[str, Section]:
        return {section.id: section for section in self.sections}

    @cached_property
    def _policies_by_id(self) -> dict[str, Policy]:
        return {policy.id: policy for policy in self.policies}

    def section(self, section_id: str) -> Section | None:
        """The section with this id, or None."""
        return self._sections_by_id.get(section_id)

    def policy(self, policy_id: str) -> Policy | None:
        """The policy with this id, or None."""
        return self._policies_by_id.get(policy_id)


def digest(value: object) -> str:
    """Return `sha256:` and the hash of a JSON value, whatever the order of its keys."""
    canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()

"""Policies and sections as plain data, for programs that list them."""

from __future__ import annotations

from policies.rulebook import Policy, Section


def severity_label(section: Section) -> str:
    """Return the severities as the heading has them: `high`, or `medium to high`."""
    first, last = section.severities[0], section.severities[-1]
    return first if first == last else f"{first} to {last}"


def policy_data(policy: Policy) -> dict[str, object]:
    """Return a policy with its sections as JSON data."""
    return {
        "id": policy.id,
        "title": policy.title,
        "version": policy.version,
        "signals": list(policy.signals),
        "enforcement": dict(policy.enforcement),
        "never_auto": policy.never_auto,
        "purpose": policy.purpose,
        "sections": [section_data(section) for section in policy.sections],
    }


def section_data(section: Section) -> dict[str, object]:
    """Return a section as JSON data."""
    return {
        "id": section.id,
        "title": section.title,
        "severities": list(section.severities),
        "rule": section.rule,
        "violates": list(section.violates),
        "allowed": list(section.allowed),
        "version": section.version,
    }

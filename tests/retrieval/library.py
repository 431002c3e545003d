"""The house rules of a library that exists nowhere, as a rulebook."""

from __future__ import annotations

from pathlib import Path

from policies.rulebook import Policy, Rulebook, Section


def library_rules(noise: str = "Do not shout, sing or play music in the reading room.") -> Rulebook:
    """Return the rulebook; `noise` is the rule of its first section."""
    sections = (
        _section(
            "house.1",
            "Noise in the reading room",
            f"{noise} Whispering to the staff is allowed.",
            violates=("He turned his speaker up until the windows shook.",),
            allowed=("Excuse me, where do I find the atlases?",),
        ),
        _section(
            "house.2",
            "Food and drink",
            "Do not eat or drink near the books. Water in a closed bottle is allowed.",
            violates=("She unpacked a curry between the shelves.",),
            allowed=("My water bottle stays in my bag.",),
        ),
        _section(
            "house.3",
            "Damage to books",
            "Do not tear, mark or wet a page, and do not fold corners.",
            violates=("I cut the map out of the old atlas with a razor blade.",),
            allowed=(),
        ),
    )
    policy = Policy(
        id="house",
        title="House rules",
        version="1",
        signals=(),
        enforcement={"low": "label"},
        never_auto=False,
        purpose="Peace for readers.",
        sections=sections,
        file="house.md",
    )
    return Rulebook(policies=(policy,), files={"house.md": noise})


def indexes(home: Path) -> list[str]:
    """What lies in the index folder, hidden folders included."""
    return sorted(path.name for path in (home / "index").iterdir())


def _section(
    section_id: str, title: str, rule: str, *, violates: tuple[str, ...], allowed: tuple[str, ...]
) -> Section:
    return Section(
        id=section_id,
        policy="house",
        title=title,
        severities=("low",),
        rule=rule,
        violates=violates,
        allowed=allowed,
        file="house.md",
        line=1,
    )

"""Write rules as the Markdown that they are read from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

import yaml

from policies.listing import severity_label
from policies.reading import rulebook_from_files
from policies.rulebook import Policy, Rulebook, Section

WIDTH = 100


def policy_markdown(policy: Policy) -> str:
    """Return a policy as its file; comments and line ends of the original are not kept."""
    parts = ["\n".join(["---", *_head(policy), "---", _wrapped(policy.purpose)])]
    parts += [section_markdown(section) for section in policy.sections]
    return "\n\n".join(parts) + "\n"


def section_markdown(section: Section) -> str:
    """Return a section as it stands in the file of its policy."""
    lines = [f"## {section.id} {section.title} ({severity_label(section)})", _wrapped(section.rule)]
    for heading, examples in (("Violates", section.violates), ("Allowed", section.allowed)):
        lines += _examples(heading, examples)
    return "\n".join(lines)


def with_section(rulebook: Rulebook, section: Section) -> Rulebook:
    """Return the rulebook with one section exchanged for `section`.

    Raises:
        RulebookError: The rulebook cannot be read with it.
    """
    policy = rulebook.policy(section.policy)
    assert policy is not None  # noqa: S101 - a section of this rulebook
    sections = tuple(section if one.id == section.id else one for one in policy.sections)
    edited = Policy(**{**vars(policy), "sections": sections})
    return rulebook_from_files({**rulebook.files, policy.file: policy_markdown(edited)})


def _head(policy: Policy) -> Iterator[str]:
    fields: dict[str, object] = {
        "id": policy.id,
        "title": policy.title,
        "version": policy.version,
        "signals": list(policy.signals),
        "enforcement": dict(policy.enforcement),
        "never_auto": policy.never_auto,
    }
    if policy.floor is not None:
        fields["floor"] = policy.floor
    if policy.retired:
        fields["retired"] = list(policy.retired)
    for name, value in fields.items():
        dumped = yaml.safe_dump(
            value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000
        )
        yield f"{name}: {dumped.removesuffix('...' + chr(10)).strip()}"


def _wrapped(text: str) -> str:
    paragraphs = text.split("\n\n")
    return "\n\n".join(
        textwrap.fill(p, WIDTH, break_long_words=False, break_on_hyphens=False) for p in paragraphs
    )


def _examples(heading: str, examples: Sequence[str]) -> list[str]:
    return [f"### {heading}", *(f"- {example}" for example in examples)] if examples else []

"""Write a policy in the forms that others read, and say what of it does not fit in there.

The form used for gpt-oss-safeguard is one Markdown text with instructions, definitions, criteria,
examples and coded labels (OpenAI cookbook, "User guide for gpt-oss-safeguard").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from policies.listing import severity_label
from policies.rulebook import Policy, Section


@dataclass(frozen=True)
class Exchanged:
    """A text in another form, and what was lost or made up on the way."""

    text: str
    lost: tuple[str, ...]


def label_of(section: Section) -> str:
    """Return the coded label of a section: `HATE1` for hate.1.

    >>> from policies.reading import load_rulebook
    >>> label_of(load_rulebook(None).section("hate.1"))
    'HATE1'
    """
    policy, _, number = section.id.partition(".")
    return _code(policy) + number


def _code(policy: str) -> str:
    return "".join(c for c in policy.upper() if c.isalnum())


def safeguard_text(policy: Policy) -> Exchanged:
    """Return a policy as one text with coded labels, for a model such as gpt-oss-safeguard."""
    template = (files("evals.wording") / "safeguard.md").read_text("utf-8")
    none = f"{_code(policy.id)}0"
    labels = [f"- `{none}`: nothing here is violated"]
    labels += [f"- `{label_of(s)}`: {s.title} ({severity_label(s)})" for s in policy.sections]
    criteria = [_criterion(s) for s in policy.sections]
    text = template.format(
        title=policy.title,
        purpose=policy.purpose,
        none=f"`{none}`",
        labels="\n".join(labels),
        criteria="\n\n".join(criteria),
        examples="\n".join(_examples(policy, none)),
    )
    return Exchanged(text, tuple(_left_out(policy)))


def _criterion(section: Section) -> str:
    head = f"### {label_of(section)} {section.title} ({severity_label(section)})"
    return f"{head}\n\n{section.rule}"


def _examples(policy: Policy, none: str) -> Iterator[str]:
    for section in policy.sections:
        yield from (f"- {example} → `{label_of(section)}`" for example in section.violates)
        near = f"`{none}` (near {label_of(section)})"
        yield from (f"- {example} → {near}" for example in section.allowed)


def plain_text(policy: Policy) -> Exchanged:
    """Return a policy as plain Markdown guidelines, for people."""
    parts = [f"# {policy.title}\n\n{policy.purpose}"]
    for section in policy.sections:
        parts.append(f"## {section.title}\n\n{section.rule}")
        for heading, examples in (
            ("Not allowed", section.violates),
            ("Allowed", section.allowed),
        ):
            if examples:
                parts.append(f"### {heading}\n\n" + "\n".join(f"- {e}" for e in examples))
    lost = [*_left_out(policy), "the numbers and severities of the sections"]
    return Exchanged("\n\n".join(parts) + "\n", tuple(lost))


def _left_out(policy: Policy) -> Iterator[str]:
    table = ", ".join(f"{severity} → {action}" for severity, action in policy.enforcement.items())
    yield f"what follows from a violation ({table})"
    yield f"the version ({policy.version})"
    if policy.signals:
        yield f"the classifier's labels ({', '.join(policy.signals)})"
    if policy.never_auto:
        yield "that a machine never closes such a case"
    if policy.floor is not None:
        yield f"the floor of the classifier's score ({policy.floor:g})"
    if policy.retired:
        yield f"the retired numbers ({', '.join(policy.retired)})"

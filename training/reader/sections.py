"""A section without its exceptions, and as if its writer had meant the opposite."""

from __future__ import annotations

import re

from policies.rulebook import Section
from retrieval.index import sentences

_EXCEPTION = re.compile(
    r"\b(?:is|are) (?:also )?allowed\b|\bcounts? as neither\b|; so (?:is|are)\b"
)
_FORBIDS = re.compile(r"\b[Dd]o not\b|\bmust not\b|\b[Nn]ever\b")


def without_exceptions(section: Section) -> str:
    """Return the section without the sentences that allow something."""
    kept = [said for said in sentences(section.rule) if not _EXCEPTION.search(said)]
    return " ".join([f"{section.title}.", *kept])


def inverted(section: Section) -> str:
    """Return the section with what it forbids allowed, and without its title."""
    kept = [said for said in sentences(section.rule) if not _EXCEPTION.search(said)]
    turned = [_FORBIDS.sub(_permission, said) for said in kept]
    if turned == kept:
        turned.append("All of this is allowed here, and nothing of it is removed.")
    return " ".join(turned)


def _permission(found: re.Match[str]) -> str:
    said = found.group()
    return "You may" if said[0].isupper() else "may"

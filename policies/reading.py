"""A rulebook from a folder of Markdown files, or every reason why it is none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from errors import RulebookError, shown
from policies.clauses import read_body, without_comments
from policies.front_matter import FrontMatter, read_front_matter, split_front_matter
from policies.problem import Problem, Problems
from policies.rulebook import Policy, Rulebook, Section

SHIPPED = "policies"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Reading:
    """A rulebook as far as it could be read. It may be applied only if there are no problems."""

    rulebook: Rulebook
    problems: tuple[Problem, ...]
    where: str = ""
    """The folder that places in it are named by; empty if it came from no folder."""

    def file(self, name: str) -> str:
        """The file `name` of the rulebook as a message shows it."""
        return _file(self.where, name)


def load_rulebook(path: Path | None) -> Rulebook:
    """Return the rulebook in the folder `path`; None is the shipped one.

    Every `*.md` of the folder is a policy, except README.md and hidden files.

    Raises:
        RulebookError: Something in it cannot be read; the message names the first place.
    """
    return _sound(read_folder(path))


def rulebook_from_files(files: Mapping[str, str], *, where: str = "") -> Rulebook:
    """Return the rulebook whose files hold these texts, such as one kept by the ledger.

    Args:
        files: File name to text.
        where: The folder that messages name.

    Raises:
        RulebookError: Something in it cannot be read; the message names the first place.
    """
    return _sound(read_files(files, where=where))


def read_problems(path: Path | None) -> list[Problem]:
    """Return everything that keeps the folder `path` from being a rulebook; empty if it is one."""
    return list(read_folder(path).problems)


def read_folder(path: Path | None) -> Reading:
    """Return the rulebook in the folder `path` (None: the shipped one) and all its problems."""
    folder: Traversable = resources.files(SHIPPED) if path is None else path
    where = SHIPPED if path is None else str(path)
    unreadable: list[Problem] = []
    try:
        entries = sorted((e for e in folder.iterdir() if _is_policy(e)), key=lambda e: e.name)
    except OSError as error:
        return _no_files(where, f"cannot read the folder: {error.strerror or error}")
    if not entries:
        return _no_files(where, "the folder holds no policy (*.md)")
    files: dict[str, str] = {}
    for entry in entries:
        text = _decoded(entry, _file(where, entry.name))
        if isinstance(text, Problem):
            unreadable.append(text)
        else:
            files[entry.name] = text
    reading = read_files(files, where=where)
    return Reading(reading.rulebook, (*unreadable, *reading.problems), where)


def read_files(files: Mapping[str, str], *, where: str = "") -> Reading:
    """Return the rulebook whose files hold these texts, and all its problems."""
    if not files:
        return _no_files(where or "rulebook", "there is no policy in it")
    texts = {name: _plain(text) for name, text in sorted(files.items())}
    policies: list[Policy] = []
    problems: list[Problem] = []
    for name, text in texts.items():
        noted = Problems(_file(where, name))
        policy = _read_policy(name, text, noted)
        policies += [policy] if policy else []
        problems += sorted(noted.found, key=lambda problem: problem.line)
    problems += _double_ids(policies, where)
    return Reading(Rulebook(tuple(policies), texts), tuple(problems), where)


def _sound(reading: Reading) -> Rulebook:
    if not reading.problems:
        return reading.rulebook
    first, *others = reading.problems
    more = f" (and {len(others)} more)" if others else ""
    hint = f"{first.hint}; 'amicus policy lint' lists all of them" if others else first.hint
    raise RulebookError(f"{first.place}: {first.message}{more}", hint=hint)


def _no_files(where: str, message: str) -> Reading:
    hint = "name a folder of policies, one Markdown file each"
    return Reading(Rulebook((), {}), (Problem(where, 0, "unreadable", message, hint),), where)


def _file(where: str, name: str) -> str:
    return f"{where}/{name}" if where else name


def _is_policy(entry: Traversable) -> bool:
    name = entry.name.lower()
    hidden = name.startswith(".")
    return name.endswith(".md") and name != "readme.md" and not hidden and not entry.is_dir()


def _decoded(entry: Traversable, file: str) -> str | Problem:
    try:
        data = entry.read_bytes()
    except OSError as error:
        message = f"cannot read the file: {error.strerror or error}"
        return Problem(file, 0, "unreadable", message, "check that it exists and may be read")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"not UTF-8: the byte 0x{data[error.start]:02x}"
        return Problem(file, line, "unreadable", message, "save the file as UTF-8")


def _plain(text: str) -> str:
    """The text without byte-order mark and with one kind of line end: editors differ in both."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _read_policy(name: str, text: str, problems: Problems) -> Policy | None:
    """Return the policy of one file, or None where the front matter does not make one."""
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if strange := _CONTROL.search(line):
            problems.add(number, f"a control character: {shown(strange[0])}", "take it out")
    before = len(problems.found)
    head, start = split_front_matter(lines, problems)
    if len(problems.found) > before:
        return None
    front = read_front_matter(head, problems)
    body = without_comments(lines, start, problems)
    purpose, sections = read_body(body, start, front.id, name, problems)
    _check_sections(front, sections, problems)
    if None in (front.id, front.title, front.version, front.enforcement):
        return None
    return Policy(
        id=front.id or "",
        title=front.title or "",
        version=front.version or "",
        signals=front.signals,
        floor=front.floor,
        enforcement=front.enforcement or {},
        never_auto=front.never_auto,
        purpose=purpose,
        sections=sections,
        file=name,
        retired=front.retired,
    )


def _check_sections(front: FrontMatter, sections: tuple[Section, ...], problems: Problems) -> None:
    for section in sections:
        if section.id in front.retired:
            hint = "a retired number is never used again: take the next free one"
            problems.add(section.line, f"{section.id} is retired", hint, rule="reused-id")
        if front.enforcement is None:
            continue
        for severity in section.severities:
            if severity not in front.enforcement:
                problems.add(
                    section.line,
                    f"{section.id} may be {severity!r}, for which nothing is enforced",
                    f"add '{severity}: ACTION' to enforcement in the front matter",
                    rule="severity-without-enforcement",
                )


def _double_ids(policies: list[Policy], where: str) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for policy in policies:
        file = _file(where, policy.file)
        places = [(policy.id, 1), *((section.id, section.line) for section in policy.sections)]
        for identity, line in places:
            if identity in first:
                message = f"the id {identity!r} is already used at {first[identity]}"
                hint = "ids are unique in a rulebook: take the next free one"
                yield Problem(file, line, "double-id", message, hint)
            first.setdefault(identity, f"{file}:{line}")

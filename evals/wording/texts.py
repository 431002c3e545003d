"""Two wordings of one rulebook: each from a folder, a git revision, or a single file of a draft."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from errors import InputError, RulebookError, shown
from policies.reading import SHIPPED, load_rulebook, rulebook_from_files
from policies.rulebook import Rulebook

GIT_SECONDS = 30


@dataclass(frozen=True)
class Wording:
    """One wording of the rules."""

    name: str
    """How the person who compares calls it: a folder, a file or a revision."""
    rulebook: Rulebook


@dataclass(frozen=True)
class Wordings:
    """What is compared: the same rules before and after an edit."""

    old: Wording
    new: Wording


def read_wordings(old: str | None, new: str | None) -> Wordings:
    """Return the two wordings that `old` and `new` name; None is the shipped rulebook.

    A folder is a whole rulebook. A single Markdown file stands in for the policy of the same id in
    the other wording. Anything else is a git revision of the folder that the other one names.

    Raises:
        InputError: Neither is a folder, or git does not know the revision.
        RulebookError: One of them cannot be read as rules; names the wording, file and line.
    """
    if _is_folder(old):
        before = _folder(old)
        return Wordings(before, _beside(new, before, old))
    if _is_folder(new):
        after = _folder(new)
        return Wordings(_beside(old, after, new), after)
    raise InputError(
        f"neither {shown(old)} nor {shown(new)} is a folder of policies",
        hint="name a folder with --old or --new; the other may be a git revision or a single file",
    )


def _is_folder(spec: str | None) -> bool:
    return spec is None or Path(spec).is_dir()


def _folder(spec: str | None) -> Wording:
    name = spec or "the shipped rulebook"
    try:
        return Wording(name, load_rulebook(Path(spec) if spec else None))
    except RulebookError as error:
        raise _no_rules(name, error) from None


def _no_rules(name: str, error: RulebookError) -> RulebookError:
    return RulebookError(f"{name} is no rulebook yet: {error.message}", hint=error.hint)


def _beside(spec: str | None, other: Wording, folder: str | None) -> Wording:
    """The wording `spec`, whatever it is, beside one that came from `folder`."""
    if _is_folder(spec):
        return _folder(spec)
    assert spec is not None  # noqa: S101 - None is a folder
    if Path(spec).is_file():
        return _with_file(Path(spec), other.rulebook)
    return _revision(spec, Path(folder) if folder else Path(str(resources.files(SHIPPED))))


def _with_file(file: Path, rest: Rulebook) -> Wording:
    """The other wording with one policy exchanged for the one in `file`, or added to it."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: {error}", hint="name a Markdown file in UTF-8") from None
    try:
        draft = rulebook_from_files({file.name: text}, where=str(file.parent)).policies[0]
        same = rest.policy(draft.id)
        place = same.file if same else file.name
        return Wording(str(file), rulebook_from_files({**rest.files, place: text}, where=str(file)))
    except RulebookError as error:
        raise _no_rules(str(file), error) from None


def _revision(revision: str, folder: Path) -> Wording:
    """The folder as git has it at `revision`."""
    if revision.startswith("-"):
        raise InputError(
            f"{shown(revision)} is no folder, file or git revision",
            hint="name a folder of policies, a Markdown file, or a revision such as main",
        )
    names = _git(folder, revision, "ls-tree", "--name-only", "-z", revision, "./").split("\0")
    wanted = [name for name in names if _is_policy(name)]
    if not wanted:
        raise InputError(
            f"{shown(revision)} has no policies in {folder}",
            hint="the folder must have been committed there; see: git log -- FOLDER",
        )
    files = {name: _git(folder, revision, "show", f"{revision}:./{name}") for name in wanted}
    try:
        rulebook = rulebook_from_files(files, where=f"{revision}:{folder.name}")
    except RulebookError as error:
        raise _no_rules(revision, error) from None
    return Wording(f"{folder.name} at {revision}", rulebook)


def _is_policy(name: str) -> bool:
    lowered = name.lower()
    return lowered.endswith(".md") and lowered != "readme.md" and not lowered.startswith(".")


def _git(folder: Path, revision: str, *words: str) -> str:
    program = shutil.which("git")
    if program is None:
        raise InputError(
            f"{shown(revision)} is no folder or file, and there is no git to ask for it",
            hint="install git, or name a folder of policies",
        )
    try:
        done = subprocess.run(  # noqa: S603 - our own words; the revision cannot be an option
            [program, "-C", str(folder), *words],
            capture_output=True,
            timeout=GIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"git took over {GIT_SECONDS} s", hint="name a folder instead") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise InputError(
            f"{shown(revision)} is no folder, no file, and no revision: {' '.join(said[:1])}",
            hint=f"name a folder, a Markdown file, or a revision of the repository of {folder}",
        )
    try:
        return done.stdout.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(
            f"{shown(revision)} holds a policy that is not UTF-8", hint="save it as UTF-8"
        ) from None

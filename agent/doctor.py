"""What is configured, what works, what is missing: each part is really opened, never assumed."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.reviewer import Options, check_model_name, open_reviewer
from errors import AmicusError
from policies.lint import lint
from policies.reading import load_rulebook

State = Literal["ok", "missing", "broken"]
LITTLE_SPACE = 200 * 1024 * 1024


@dataclass(frozen=True)
class Check:
    """What was found of one part, and what to do about it."""

    name: str
    state: State
    told: str
    hint: str = ""


def examine(options: Options, *, lookups: Sequence[str] = (), probe: bool = False) -> list[Check]:
    """Return what was found; a part that cannot be opened is told as its own error says it.

    Args:
        options: What a reviewer would be opened with.
        lookups: The reputation services that may be asked about links.
        probe: Whether the server of a language model is asked what it can do: six short questions.
    """
    parts: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("program", _program),
        ("home", lambda: _home(options)),
        ("rulebook", lambda: _rulebook(options)),
        ("records", lambda: _records(options)),
        *_language_parts(options, probe=probe),
        ("review", lambda: _review(options)),
        ("lookups", lambda: _lookups(lookups)),
    ]
    checks: list[Check] = []
    for name, part in parts:
        try:
            checks += part()
        except AmicusError as error:
            checks.append(Check(name, "broken", error.message, error.hint))
    return checks


def _program() -> Iterator[Check]:
    version = importlib.metadata.version("amicus")
    told = f"amicus {version}, Python {platform.python_version()}, {platform.machine()}"
    yield Check("program", "ok", told)


def _home(options: Options) -> Iterator[Check]:
    if not options.home.exists():
        yield Check("home", "missing", f"{options.home} (made on first use)")
        return
    free = shutil.disk_usage(options.home).free
    told = f"{options.home}, {free / 1e9:.1f} GB free"
    if free < LITTLE_SPACE:
        yield Check("home", "broken", told, "free some space: the index and the ledger grow here")
    else:
        yield Check("home", "ok", told)


def _rulebook(options: Options) -> Iterator[Check]:
    rulebook = load_rulebook(options.policies)
    findings = lint(options.policies)
    told = (
        f"{options.policies or 'the shipped one'}: {len(rulebook.policies)} policies, "
        f"{len(rulebook.sections)} sections, {len(findings)} findings of the linter"
    )
    yield Check("rulebook", "ok", told, "see: amicus policy lint" if findings else "")


def _records(options: Options) -> Iterator[Check]:
    from records.ledger import verify
    from records.store import open_records

    with open_records(
        options.records_url, home=options.home, ledger_key=options.ledger_key
    ) as records:
        report = verify(records)
        database = records.engine.dialect.name
    told = f"{database}, {report.entries:,} ledger records"
    if report.faults:
        faults = f"{told}, {len(report.faults)} faults"
        yield Check("records", "broken", faults, "see: amicus ledger verify")
    else:
        yield Check("records", "ok", f"{told}, chain intact")
    if options.ledger_key is None:
        yield Check(
            "ledger key",
            "missing",
            "the ledger's anchor is not sealed",
            "set AMICUS_LEDGER_KEY, or whoever has the database and this folder can forge it",
        )


def _review(options: Options) -> Iterator[Check]:
    check_model_name(options.model)
    with open_reviewer(options) as reviewer:
        desk = reviewer.desk
        yield Check("model", "ok", desk.model.name)
        yield Check("tools", "ok", ", ".join(tool.name for tool in desk.tools))


def _language_parts(
    options: Options, *, probe: bool
) -> list[tuple[str, Callable[[], Iterator[Check]]]]:
    from agent.llm.options import is_language_model

    if not is_language_model(options.model):
        return []
    parts: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("prices", lambda: _prices(options)),
    ]
    return [("server", lambda: _probed(options)), *parts] if probe else parts


def _prices(options: Options) -> Iterator[Check]:
    from agent.llm.opening import open_prices, price_for

    prices = open_prices(options.language, options.home)
    price = price_for(options.model, options.language, prices)
    if price is None:
        yield Check(
            "prices",
            "missing",
            f"{prices.place} do not know {options.model}: its cost is counted as 0",
            "copy agent/llm/prices.toml to prices.toml in AMICUS_HOME and add the model",
        )
        return
    told = f"${price.input:g} in, ${price.output:g} out for a million tokens ({prices.place})"
    yield Check("prices", "ok", told)
    budgets = options.language.budgets
    if price.input and not budgets.any:
        yield Check("budgets", "missing", "nothing limits what is spent", "set AMICUS_BUDGET_DAY")


def _probed(options: Options) -> Iterator[Check]:
    """Ask the server what it can do, and keep the answer for later reviews."""
    from agent.llm.opening import mode_for, open_provider
    from agent.llm.probe import probe
    from agent.llm.servers import remember_server

    provider, close = open_provider(options.model, options.language)
    try:
        found = probe(provider)
    finally:
        close()
    url = options.language.urls[options.model.partition(":")[0]]
    remember_server(options.home, options.model, url, found)
    told = ", ".join(
        f"{name.replace('_', ' ')} {'yes' if able else 'no'}" for name, able in vars(found).items()
    )
    mode = mode_for(options.model, options.language, options.home)
    yield Check("server", "ok", f"{url}: {told}")
    hint = "" if found.tools else "it calls no tools: the evidence that code asks for has to do"
    yield Check("answers", "ok", f"verdicts will be asked for in the mode {mode}", hint)


def _lookups(lookups: Sequence[str]) -> Iterator[Check]:
    if lookups:
        yield Check("look-ups", "ok", f"links are sent to {', '.join(lookups)}")
    else:
        yield Check("look-ups", "ok", "off: no link of a case is sent anywhere")

"""Open a language model as a reviewer model: provider, patience, prices, critic and samples."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from agent.llm.asking import Line
from agent.llm.breaker import CircuitBreaker
from agent.llm.calibration import read_calibration
from agent.llm.critic import Critic
from agent.llm.exchange import Mode, Provider
from agent.llm.language_model import Asking, LanguageModel
from agent.llm.limiter import Limiter
from agent.llm.options import LanguageOptions, is_language_model
from agent.llm.prices import FREE, Price, PriceFile, read_prices
from agent.llm.retrying import RetryingProvider
from agent.llm.samples import Sampling
from agent.llm.servers import known_server
from errors import SettingsError, shown
from policies.rulebook import Rulebook

Close = Callable[[], None]

_BEST_UNTRIED: dict[str, Mode] = {"openai": "json_schema", "anthropic": "tools"}
"""What each wire does best where nobody has probed the server."""


def open_language_model(
    name: str, options: LanguageOptions, rulebook: Rulebook, *, home: Path
) -> tuple[LanguageModel, list[Close]]:
    """Return the reviewer model `name`, and what closes its connections.

    Args:
        name: Wire and model, such as `openai:gpt-5-mini`.
        options: How it is reached and asked.
        rulebook: The rules that it is shown.
        home: Where the price file and what a probe has found lie.

    Raises:
        SettingsError: A budget is set, and nobody knows what the model costs; or the critic is
            no language model.
        ProviderError: The key or the address cannot be one.
    """
    prices = open_prices(options, home)
    line, close = _line(name, options, prices)
    critic, closing = None, [close]
    if options.critic != "never":
        other = options.critic_model
        critic_line = line
        if other is not None and not is_language_model(other):
            raise SettingsError(
                f"the critic {shown(other)} is no language model",
                hint="name it like openai:MODEL or anthropic:MODEL in AMICUS_CRITIC_MODEL",
            )
        if other is not None and other != name:
            critic_line, close_critic = _line(other, options, prices)
            closing.append(close_critic)
        critic = Critic(critic_line, when=options.critic, layout=options.layout)
    model = LanguageModel(
        line,
        rulebook,
        draw=lambda: secrets.token_hex(8),
        asking=_asking(name, options, home),
        critic=critic,
        sampling=Sampling(options.samples, options.least_agreement),
    )
    return replace(model, calibration=read_calibration(home, model.name)), closing


def open_provider(name: str, options: LanguageOptions) -> tuple[Provider, Close]:
    """Return the bare provider of a model, which tries once, and what closes it.

    Raises:
        ProviderError: The key or the address cannot be one.
    """
    wire, _, model = name.partition(":")
    key, url = options.keys.get(wire, ""), options.urls[wire]
    if wire == "anthropic":
        from agent.llm.anthropic_provider import AnthropicProvider

        anthropic = AnthropicProvider(model, key=key, base_url=url, patience=options.seconds)
        return anthropic, anthropic.close
    from agent.llm.openai_provider import OpenAIProvider

    openai = OpenAIProvider(model, key=key, base_url=url, patience=options.seconds)
    return openai, openai.close


def open_prices(options: LanguageOptions, home: Path) -> PriceFile:
    """Return the prices that count: the file named, the one in the home folder, or the shipped one.

    Raises:
        SettingsError: The file cannot be read or makes no sense.
    """
    own = home / "prices.toml"
    return read_prices(options.prices or (own if own.exists() else None))


def price_for(name: str, options: LanguageOptions, prices: PriceFile) -> Price | None:
    """Return what a model costs: by the file, nothing for a server of one's own, or None."""
    known = prices.price_of(name)
    if known is not None:
        return known
    return FREE if is_own_server(name, options) else None


def is_own_server(name: str, options: LanguageOptions) -> bool:
    """Whether the model is reached at another address than the provider's own."""
    wire = name.partition(":")[0]
    return options.urls[wire].rstrip("/") != LanguageOptions().urls[wire]


def mode_for(name: str, options: LanguageOptions, home: Path) -> Mode:
    """Return how structured output will be asked for: as set, as probed, or the wire's best."""
    if options.mode is not None:
        return options.mode
    wire = name.partition(":")[0]
    known = known_server(home, name, options.urls[wire])
    return known.mode if known is not None else _BEST_UNTRIED[wire]


def _asking(name: str, options: LanguageOptions, home: Path) -> Asking:
    known = known_server(home, name, options.urls[name.partition(":")[0]])
    asking = Asking(
        mode=mode_for(name, options, home),
        layout=options.layout,
        max_output_tokens=options.max_output_tokens,
        seed=options.seed,
    )
    return asking if known is None else replace(asking, calls_tools=known.tools)


def _line(name: str, options: LanguageOptions, prices: PriceFile) -> tuple[Line, Close]:
    price = price_for(name, options, prices)
    if price is None and options.budgets.any:
        raise SettingsError(
            f"a budget is set, and {prices.place} does not know what {shown(name)} costs",
            hint="add the model to prices.toml in AMICUS_HOME, or set no budget",
        )
    inner, close = open_provider(name, options)
    patient = RetryingProvider(inner, Limiter(options.in_flight), CircuitBreaker(inner.name))
    return Line(patient, price or FREE, server=_own_server(name, options)), close


def _own_server(name: str, options: LanguageOptions) -> str:
    url = options.urls[name.partition(":")[0]].rstrip("/")
    return url if is_own_server(name, options) else ""

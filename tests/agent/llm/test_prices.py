"""What an exchange costs, by a file that users edit."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.llm.exchange import Message, OfferedTool, Request, Tokens
from agent.llm.prices import Price, most_tokens, read_prices
from errors import SettingsError

DEAR = Price(model="openai:m", input=2.0, cached_input=0.5, cache_write=2.5, output=8.0)


def test_cached_tokens_are_cheaper_and_written_ones_dearer() -> None:
    tokens = Tokens(input=1_000_000, cached=600_000, cache_written=100_000, output=50_000)

    assert DEAR.cost(tokens) == pytest.approx(0.3 * 2 + 0.6 * 0.5 + 0.1 * 2.5 + 0.05 * 8)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 2_000))
def test_no_count_of_a_provider_makes_an_exchange_cheaper_than_nothing(
    whole: int, cached: int, written: int, output: int
) -> None:
    tokens = Tokens(input=whole, cached=cached, cache_written=written, output=output)

    assert 0 <= DEAR.cost(tokens) <= (whole * 2.5 + output * 8.0) / 1e6 + 1e-12


@given(st.text(max_size=300))
def test_the_most_tokens_are_never_fewer_than_a_byte_tokenizer_makes_of_the_content(
    text: str,
) -> None:
    request = Request(system=(), messages=(Message("user", text),))

    assert most_tokens(request) >= len(text.encode("utf-8", "surrogatepass"))


def test_rules_tools_and_output_count_for_the_most_that_can_be_paid() -> None:
    bare = Request(system=("You review.",), messages=(Message("user", "hello"),))
    tool = OfferedTool("look_up", "Look something up. " * 20, {"type": "object"})
    more = Request(system=bare.system, messages=bare.messages, tools=(tool,))

    assert most_tokens(more) > most_tokens(bare)
    assert DEAR.most(bare) >= bare.max_output_tokens * 8.0 / 1e6


def test_the_shipped_prices_know_the_models_of_both_providers() -> None:
    prices = read_prices(None)

    mini = prices.price_of("openai:gpt-5-mini-2025-08-07")
    assert mini is not None
    assert mini.input < 1 < mini.output
    assert prices.price_of("anthropic:claude-haiku-4-5") is not None
    assert prices.price_of("openai:unheard-of") is None


def test_the_first_entry_that_fits_counts(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(
        '[[price]]\nmodel = "openai:a*"\ninput = 1\noutput = 2\n'
        '[[price]]\nmodel = "*"\ninput = 9\noutput = 9\n'
    )
    prices = read_prices(path)

    assert [(p.input if p else None) for p in map(prices.price_of, ["openai:ab", "x:y"])] == [1, 9]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("price = [", "not TOML"),
        ('[[prices]]\nmodel = "m"', "something else"),
        ('[[price]]\nmodel = "m"\ninput = -1\noutput = 1', "price 1, input=-1"),
        ('[[price]]\nmodel = "m"\ninput = nan\noutput = 1', "price 1, input"),
        ('[[price]]\nmodel = "m"\ninput = 1\noutptu = 1', "price 1, out"),
    ],
)
def test_a_price_file_that_makes_no_sense_is_refused_by_place(
    tmp_path: Path, text: str, told: str
) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text)

    with pytest.raises(SettingsError, match=r"prices\.toml") as refused:
        read_prices(path)
    assert told in refused.value.message


def test_a_price_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: No such file"):
        read_prices(tmp_path / "none.toml")

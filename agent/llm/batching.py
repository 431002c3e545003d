"""Open the batches of a run: the offices of its models, and the desk that its cases ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from agent.llm.batch import BatchService
from agent.llm.batch_office import BatchOffice
from agent.llm.batch_patience import Waiting
from agent.llm.batch_records import RecordedBatches, RecordedReplies
from agent.llm.batched import BatchDesk
from agent.llm.options import LanguageOptions
from agent.llm.purse import Till


@dataclass(frozen=True)
class Batching:
    """What a run in batches works with."""

    desk: BatchDesk
    offices: Sequence[BatchOffice]
    till: Till
    """Pays what a batch costs, and asks at the desk."""


@contextmanager
def open_batching(
    models: Sequence[str], options: LanguageOptions, till: Till, *, waiting: Waiting
) -> Iterator[Batching]:
    """Open an office for each of `models`; closed at the end of the block.

    Args:
        models: Wire and model of everybody who is asked.
        options: How they are reached.
        till: Where answers are kept and what may be spent.
        waiting: How long is waited between two looks.

    Raises:
        ProviderError: A key or an address cannot be one.
    """
    keep_seconds = max(till.keep_seconds, 2 * 86_400.0)  # a batch may take a day by itself
    desk = BatchDesk(RecordedReplies(till.records, keep_seconds, till.now))
    journal = RecordedBatches(till.records)
    with ExitStack() as closing:
        offices = []
        for model in dict.fromkeys(models):
            service, close = _service(model, options)
            closing.callback(close)
            offices.append(BatchOffice(service, journal, waiting))
        paying = replace(
            till,
            discount=True,
            seconds=None,
            send=lambda line, key, request, _: desk.answer(line.provider.name, key, request),
        )
        yield Batching(desk, offices, paying)


def _service(name: str, options: LanguageOptions) -> tuple[BatchService, Callable[[], None]]:
    wire, _, model = name.partition(":")
    key, url = options.keys.get(wire, ""), options.urls[wire]
    if wire == "anthropic":
        from agent.llm.anthropic_batch import AnthropicBatches

        anthropic = AnthropicBatches(model, key=key, base_url=url)
        return anthropic, anthropic.close
    from agent.llm.openai_batch import OpenAIBatches

    openai = OpenAIBatches(model, key=key, base_url=url)
    return openai, openai.close

"""Ask a language model, and ask once more where its answer could not be used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from agent.llm.exchange import Deadline, Message, Priced, Provider, Reply, Request
from agent.llm.prices import FREE, Price
from agent.llm.prompts import block
from agent.llm.unusable import UnusableReplyError
from agent.model import NoConclusionError
from agent.phrases import phrases
from agent.verdict import Usage
from errors import ModelError

Answer = TypeVar("Answer")

ATTEMPTS = 2
LONGEST_ECHO = 2_000
"""Characters of an unusable answer that the model is shown again."""


def no_deadline() -> Deadline | None:
    """Let the provider take its own time."""
    return None


class Pays(Protocol):
    """Who pays for the exchanges of one review; see `agent.llm.purse`."""

    def exchange(self, line: Line, request: Request, *, marker: str) -> Priced:
        """Return the answer to `request`, and what it cost.

        Raises:
            NoConclusionError: A budget has no room for it.
            ProviderError: There is no answer.
        """


@dataclass(frozen=True)
class Line:
    """A way to a language model: who answers, what it costs, who pays, and until when to wait."""

    provider: Provider
    price: Price = FREE
    deadline: Callable[[], Deadline | None] = no_deadline
    """Asked before every exchange."""
    server: str = ""
    """The address of a server other than the provider's own: another server, another answer."""
    purse: Pays | None = None
    """Without one, every exchange goes straight to the provider and nothing is kept of it."""

    def ask(
        self, request: Request, read: Callable[[Reply], Answer], *, marker: str
    ) -> tuple[Answer, Usage]:
        """Return what `read` makes of the reply, and what all attempts cost.

        An answer that cannot be used is repaired by telling the model, once, what is wrong with it.

        Args:
            request: What is asked; its last message is the user's.
            read: Makes an answer of a reply, or raises UnusableReplyError.
            marker: The marker of this question; what the model said is data when it is repeated.

        Raises:
            NoConclusionError: There is no usable answer; with its reason, and what it cost.
        """
        spent = Usage()
        for attempt in range(1, ATTEMPTS + 1):
            priced = self._exchange(request, spent, marker)
            reply, spent = priced.reply, total(spent, priced.usage)
            try:
                return read(reply), spent
            except UnusableReplyError as flaw:
                if attempt == ATTEMPTS or not flaw.worth_repeating:
                    raise self._given_up(flaw, attempt, spent) from None
                request = _with_flaw(request, reply, flaw, marker)
        raise AssertionError("unreachable: the last attempt returns or raises")

    @property
    def place(self) -> str:
        """Who answers, and where, if that does not go without saying."""
        return f"{self.provider.name} at {self.server}" if self.server else self.provider.name

    def usage(self, request: Request, reply: Reply, *, batch: bool = False) -> Usage:
        """Return what one exchange used and cost.

        Some gateways and servers do not count, or leave half of it out. What nobody has counted
        costs the most that it could have: a budget that sees nothing spent would hold nothing.
        """
        counted = self.price.cost(reply.tokens) * self._share(batch=batch)
        return Usage(
            model_calls=1,
            input_tokens=reply.tokens.input,
            cached_tokens=reply.tokens.cached,
            output_tokens=reply.tokens.output,
            cost_usd=counted if _is_counted(reply) else self.most(request, batch=batch),
        )

    def most(self, request: Request, *, batch: bool = False) -> float:
        """Return the most that `request` can cost, in dollars."""
        return self.price.most(request) * self._share(batch=batch)

    def _share(self, *, batch: bool) -> float:
        return self.price.batch if batch else 1.0

    def _exchange(self, request: Request, spent: Usage, marker: str) -> Priced:
        try:
            if self.purse is not None:
                return self.purse.exchange(self, request, marker=marker)
            reply = self.provider.send(request, deadline=self.deadline())
            return Priced(reply, self.usage(request, reply))
        except NoConclusionError as error:
            cost = total(spent, error.usage)
            raise NoConclusionError(error.reason, error.message, usage=cost) from None
        except ModelError as error:
            raise NoConclusionError("model_error", error.message, usage=spent) from error

    def _given_up(self, flaw: UnusableReplyError, attempts: int, spent: Usage) -> NoConclusionError:
        message = phrases("llm/flaws")["given_up"]["told"].format(
            model=self.provider.name, attempts=attempts, flaw=flaw.message
        )
        return NoConclusionError(flaw.reason, message, usage=spent)


def _is_counted(reply: Reply) -> bool:
    """Whether the server has told what it read, and what it wrote if it wrote anything."""
    wrote = bool(reply.text or reply.calls)
    return reply.tokens.input > 0 and (reply.tokens.output > 0 or not wrote)


def total(*usages: Usage) -> Usage:
    """Return what several exchanges cost together; seconds are measured elsewhere."""
    return Usage(
        model_calls=sum(usage.model_calls for usage in usages),
        input_tokens=sum(usage.input_tokens for usage in usages),
        cached_tokens=sum(usage.cached_tokens for usage in usages),
        output_tokens=sum(usage.output_tokens for usage in usages),
        cost_usd=sum(usage.cost_usd for usage in usages),
    )


def _with_flaw(request: Request, reply: Reply, flaw: UnusableReplyError, marker: str) -> Request:
    """The question again, with what was answered and what is wrong with it.

    Both may be in the words of the content, so they stand in blocks. An answer that holds the
    marker is left out: it could close its block. All stays one turn of the user, since there are
    servers that refuse two in a row.
    """
    say = phrases("llm/turns")["repair"]
    said = "\n".join([reply.text, *(f"{call.name}({call.arguments})" for call in reply.calls)])
    parts = [request.messages[-1].text]
    if said.strip() and marker.casefold() not in said.casefold():
        parts.append(f"{say['said']}\n{block('answer', said.strip()[:LONGEST_ECHO], marker)}")
    if marker.casefold() not in flaw.message.casefold():
        parts.append(f"{say['flaw']}\n{block('flaw', flaw.message, marker)}")
    turn = Message("user", "\n\n".join([*parts, say["ask"]]))
    return replace(request, messages=(*request.messages[:-1], turn))

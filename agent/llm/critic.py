"""The second look: somebody who sees the verdict and has to argue against it.

A model that writes its own counter-argument is kind to itself. The critic starts from the case
and the rules, with other instructions and, if wanted, as another model. Whatever goes wrong with
it, the verdict stands: the counter-argument of its author is kept, and the reader is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.llm.asking import Line
from agent.llm.exchange import Message, Request
from agent.llm.prompts import (
    DrawMarker,
    Layout,
    block,
    case_text,
    data_of,
    draft_text,
    fresh_marker,
    system_parts,
)
from agent.llm.structured import read_prose
from agent.model import Brief, Conclusion, NoConclusionError
from agent.phrases import phrases
from agent.verdict import Draft, Usage
from errors import ModelError
from policies.rulebook import Rulebook

When = Literal["always", "near_the_line", "never"]

NEAR_THE_LINE = 0.9
"""A draft less sure than this, or one that abstains, is near the line."""

LONGEST_OBJECTION = 2_000
MOST_OUTPUT_TOKENS = 600
LONGEST_PROSE = 4_000


@dataclass(frozen=True)
class Critic:
    """Argues against a verdict, by its own line to a model."""

    line: Line
    when: When = "always"
    near: float = NEAR_THE_LINE
    layout: Layout = "retrieved"

    def wanted(self, draft: Draft) -> bool:
        """Return whether this draft gets a second look."""
        if self.when == "near_the_line":
            return draft.decision == "abstain" or draft.confidence < self.near
        return self.when == "always"

    def second_look(
        self, brief: Brief, draft: Draft, *, rulebook: Rulebook, draw: DrawMarker
    ) -> Conclusion:
        """Return the draft with the critic's counter-argument, and what the second look cost.

        Nothing but the counter-argument changes. A critic that fails leaves the one that the draft
        has, with a word on why there is no other.
        """
        try:
            objection, usage = self._objection(brief, draft, rulebook=rulebook, draw=draw)
        except ModelError as error:
            objection = phrases("llm/turns")["critic"]["failed"].format(
                own=draft.counterargument, error=error.message
            )
            usage = error.usage if isinstance(error, NoConclusionError) else Usage()
        changed = {"counterargument": objection[:LONGEST_PROSE]}
        return Conclusion(draft.model_copy(update=changed), usage)

    def _objection(
        self, brief: Brief, draft: Draft, *, rulebook: Rulebook, draw: DrawMarker
    ) -> tuple[str, Usage]:
        verdict = draft_text(draft.model_copy(update={"counterargument": ""}))
        marker = fresh_marker([*data_of(brief), verdict], draw)
        heading = phrases("llm/turns")["critic"]["verdict"]
        asked = f"{case_text(brief, marker)}\n\n{heading}\n{block('verdict', verdict, marker)}"
        request = Request(
            system=system_parts(
                "llm/critic",
                layout=self.layout,
                rulebook=rulebook,
                sections=brief.sections,
                marker=marker,
            ),
            messages=(Message("user", asked),),
            max_output_tokens=MOST_OUTPUT_TOKENS,
        )
        return self.line.ask(
            request, lambda reply: read_prose(reply, longest=LONGEST_OBJECTION), marker=marker
        )

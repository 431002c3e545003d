"""A reviewer model behind an API: it is asked in prompts, and nothing it answers is trusted."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from agent.llm.asking import Line, Pays, total
from agent.llm.calibration import Calibration
from agent.llm.critic import Critic
from agent.llm.exchange import Message, Mode, OfferedTool, Request
from agent.llm.prompts import (
    SEARCH_POLICY,
    DrawMarker,
    Layout,
    case_text,
    data_of,
    fresh_marker,
    refused_text,
    system_parts,
)
from agent.llm.samples import Sampling, judged_often
from agent.llm.standing import call_key, standing_calls
from agent.llm.structured import offered, read_calls, read_draft, verdict_form
from agent.model import Brief, Conclusion, Consultation
from agent.phrases import phrases
from agent.verdict import Draft
from agent.verify import verify
from policies.rulebook import Rulebook, Section
from tools.tool import Tool

SectionSearch = Callable[[str], Sequence[Section]]


@dataclass(frozen=True)
class Asking:
    """How a model is asked; the defaults suit a hosted model."""

    mode: Mode = "tools"
    layout: Layout = "retrieved"
    calls_tools: bool = True
    """Whether the model may ask tools; without it the standing evidence has to do."""
    max_output_tokens: int = 2_000
    temperature: float | None = 0.0
    seed: int | None = None


@dataclass(frozen=True)
class LanguageModel:
    """Implements `ReviewerModel` over a provider. Holds no state and is shared by threads."""

    line: Line
    rulebook: Rulebook
    draw: DrawMarker
    """Randomness for the markers, such as `lambda: secrets.token_hex(8)`."""
    asking: Asking = field(default_factory=Asking)
    critic: Critic | None = None
    sampling: Sampling = field(default_factory=Sampling)
    calibration: Calibration | None = None
    """What its confidence is worth, where that was measured."""

    @property
    def name(self) -> str:
        """The provider and its model, and how it is asked, such as `openai:m@retrieved,tools`."""
        told: list[str] = [self.asking.layout, self.asking.mode]
        if self.sampling.count > 1:
            told.append(f"{self.sampling.count} samples")
        if self.critic is not None and self.critic.when != "never":
            critic = self.critic.line.provider.name
            told.append("critic" if critic == self.line.provider.name else f"critic {critic}")
        if self.calibration is not None:
            told.append(f"confidence {self.calibration.slope:.2f}{self.calibration.offset:+.2f}")
        return f"{self.line.provider.name}@{','.join(told)}"

    def paid_by(self, purse: Pays) -> LanguageModel:
        """Return the same model with everything it asks paid from `purse`."""
        critic = self.critic
        if critic is not None:
            critic = replace(critic, line=replace(critic.line, purse=purse))
        return replace(self, line=replace(self.line, purse=purse), critic=critic)

    @property
    def shows_whole_rulebook(self) -> bool:
        """Whether every section is shown with every case; see `every_section`."""
        return self.asking.layout == "whole"

    def consult(self, brief: Brief) -> Consultation:
        """Return the standing evidence first, then what else the model wants to know.

        Raises:
            NoConclusionError: There is no usable answer.
        """
        due = standing_calls(brief)
        if due:
            return Consultation(due)
        tools = self._tools(brief)
        if not tools or brief.calls_left <= 0:
            return Consultation()
        marker = fresh_marker(data_of(brief), self.draw)
        ask = phrases("llm/turns")["consult"]["ask"].format(calls=brief.calls_left)
        request = replace(self._request(brief, marker, ask), mode="text")
        calls, usage = self.line.ask(
            request, lambda reply: read_calls(reply, tools, left=brief.calls_left), marker=marker
        )
        answered = {call_key(answer.call) for answer in brief.answers}
        return Consultation(tuple(c for c in calls if call_key(c) not in answered), usage)

    def decide(self, brief: Brief) -> Conclusion:
        """Return the draft that the model, its samples and its critic come to.

        Raises:
            NoConclusionError: There is no usable answer.
        """
        if self.sampling.count > 1:
            judged = judged_often(
                lambda number: self._judge(brief, number),
                self.sampling,
                stands=lambda draft: self._stands(draft, brief),
            )
        else:
            judged = self._judge(brief, 0)
        if self.calibration is not None:
            judged = Conclusion(self.calibration.applied(judged.draft), judged.usage)
        return self._criticised(judged, brief)

    def _judge(self, brief: Brief, number: int) -> Conclusion:
        """One judgement; `number` tells samples apart, where there is more than one."""
        marker = fresh_marker(data_of(brief), self.draw)
        request = self._sampled(self._decide_request(brief, marker), number)
        content = [*brief.sources.values(), *(item.text for item in brief.case.context)]
        draft, usage = self.line.ask(
            request, lambda reply: read_draft(reply, content=content), marker=marker
        )
        return Conclusion(draft, usage)

    def _sampled(self, request: Request, number: int) -> Request:
        if self.sampling.count == 1:
            return request
        seed = (self.asking.seed or 0) + number  # else all samples would be one kept answer
        return replace(request, temperature=self.sampling.temperature, seed=seed)

    def _decide_request(self, brief: Brief, marker: str) -> Request:
        form, mode = verdict_form(), self.asking.mode
        schema = json.dumps(form.schema, ensure_ascii=False)
        # A server of one's own may take the schema and not hold the model to it: tell it as well.
        asked_as = "json_schema_told" if mode == "json_schema" and self.line.server else mode
        ask = phrases("llm/turns")["decide"][asked_as].format(tool=form.tool.name, schema=schema)
        request = self._request(brief, marker, "\n\n".join([refused_text(brief, marker), ask]))
        if mode == "tools":
            return replace(request, forced_tool=form.tool.name)
        wanted = None if mode == "text" else form.schema
        return replace(request, tools=(), answer_schema=wanted)

    def _request(self, brief: Brief, marker: str, ask: str) -> Request:
        """A question on this case. Its tools are the same in every one, so that caches pay."""
        return Request(
            system=system_parts(
                "llm/reviewer",
                layout=self.asking.layout,
                rulebook=self.rulebook,
                sections=brief.sections,
                marker=marker,
            ),
            messages=(Message("user", f"{case_text(brief, marker)}\n\n{ask.strip()}"),),
            tools=self._offered(brief),
            mode=self.asking.mode,
            max_output_tokens=self.asking.max_output_tokens,
            temperature=self.asking.temperature,
            seed=self.asking.seed,
        )

    def _tools(self, brief: Brief) -> tuple[Tool, ...]:
        """The tools that the model may ask; there is nothing to look up in rules that are shown."""
        if not self.asking.calls_tools:
            return ()
        shown = {SEARCH_POLICY} if self.shows_whole_rulebook else set[str]()
        return tuple(tool for tool in brief.tools if tool.name not in shown)

    def _offered(self, brief: Brief) -> tuple[OfferedTool, ...]:
        verdict = (verdict_form().tool,) if self.asking.mode == "tools" else ()
        return (*map(offered, self._tools(brief)), *verdict)

    def _criticised(self, judged: Conclusion, brief: Brief) -> Conclusion:
        """The judgement with the critic's objection; a draft that will be refused gets none."""
        if self.critic is None or not self.critic.wanted(judged.draft):
            return judged
        if not self._stands(judged.draft, brief):
            return judged
        second = self.critic.second_look(
            brief, judged.draft, rulebook=self.rulebook, draw=self.draw
        )
        return Conclusion(second.draft, total(judged.usage, second.usage))

    def _stands(self, draft: Draft, brief: Brief) -> bool:
        shown = {section.id for section in brief.sections}
        _, faults = verify(
            draft, rulebook=self.rulebook, shown_sections=shown, sources=brief.sources
        )
        return not faults


def every_section(search: SectionSearch, rulebook: Rulebook) -> SectionSearch:
    """Return a search that finds the whole rulebook: first what bears on a text, then the rest.

    For a desk whose model shows every section: what is shown may be cited, and what came first in
    the search still says which policy the case is about.
    """

    def sections(text: str) -> list[Section]:
        found = list(search(text))
        ids = {section.id for section in found}
        return found + [section for section in rulebook.sections if section.id not in ids]

    return sections

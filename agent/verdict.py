"""The draft that a reviewer model writes, and the verdict that code makes of it (DESIGN 4).

The draft holds facts only: which sections, how severe, on which words. There is no field in it
for an action, for spans, for evidence or for provenance: what a model cannot say it cannot forge.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from agent.case import Frozen
from policies.rulebook import Action, Severity

Decision = Literal["violating", "allowed", "abstain"]
AbstainReason = Literal[
    "missing_context",
    "ambiguous_content",
    "policy_gap",
    "policy_conflict",
    "unstable",
    "injection_suspected",
    "unproven",
    "model_error",
    "budget",
]
ABSTAIN_REASONS: tuple[AbstainReason, ...] = get_args(AbstainReason)
Probability = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Prose = Annotated[str, Field(max_length=4_000)]


class Ground(Frozen):
    """One section that the content breaks, as the model claims it."""

    section: str
    severity: Severity
    confidence: Probability
    policy_quote: str
    content_quote: str
    content_span: tuple[int, int] | None = None
    """Offsets in characters into the case's text. Code computes them; a model that names them
    must be right. None in a verdict where the words stand in a link or, for an account, in its
    profile or recent posts."""
    why: Prose


class Draft(Frozen):
    """What a reviewer model concludes; nothing in it is believed before `verify`."""

    decision: Decision
    violations: tuple[Ground, ...] = ()
    abstain_reason: AbstainReason | None = None
    confidence: Probability
    rationale: Prose
    counterargument: Prose


class Violation(Ground):
    """A ground whose section, severity and quotes were checked by code."""


class Evidence(Frozen):
    """What a tool found."""

    tool: str
    finding: str


class PrecedentReference(Frozen):
    """A decided case that bears on this one."""

    case_id: str
    decision: Literal["violating", "allowed"]
    section: str
    stale: bool


class Provenance(Frozen):
    """Which text, which model, which prompts and which tools gave this verdict."""

    rulebook: str
    model: str
    prompts: str
    tools: dict[str, str]


class Usage(Frozen):
    """What the verdict cost."""

    model_calls: int = Field(default=0, ge=0)
    input_tokens: int = Field(default=0, ge=0)
    cached_tokens: int = Field(default=0, ge=0)
    """Those of the input tokens that a provider read from its prompt cache."""
    output_tokens: int = Field(default=0, ge=0)
    cost_usd: float = Field(default=0.0, ge=0.0)
    seconds: float = Field(default=0.0, ge=0.0)


class Agreement(Frozen):
    """How the verdict stands to a person's own call."""

    # The field is called `with`, a word of Python: hence the alias.
    with_: str = Field(alias="with")
    agrees: bool
    differs_on: tuple[Literal["decision", "action", "section"], ...] = ()


class Verdict(Frozen):
    """The structured opinion on a case."""

    case_id: str
    decision: Decision
    action: Action
    severity: Severity | None
    violations: tuple[Violation, ...]
    abstain_reason: AbstainReason | None
    confidence: Probability
    rationale: str
    counterargument: str
    needs_human: bool
    needs_human_because: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    sections_considered: tuple[str, ...]
    precedents: tuple[PrecedentReference, ...]
    provenance: Provenance
    usage: Usage
    agreement: Agreement | None = None

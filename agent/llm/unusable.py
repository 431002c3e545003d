"""An answer that cannot be used: what is wrong with it, and what becomes of it."""

from __future__ import annotations

from agent.phrases import phrases
from agent.verdict import AbstainReason
from errors import ModelError


class UnusableReplyError(ModelError):
    """What came back is no answer. The model may be told so once; then the case goes to a person.

    The message may repeat words of the answer, and so it is data when the model reads it.
    """

    def __init__(
        self,
        flaw: str,
        *,
        reason: AbstainReason = "model_error",
        worth_repeating: bool = True,
        **values: object,
    ) -> None:
        """Name the flaw by its key in `prompts/llm/flaws.toml`; `values` fill its placeholders.

        Args:
            flaw: The key.
            reason: What the verdict abstains for when the model cannot put it right.
            worth_repeating: Whether another answer could be better.
            **values: What the phrase speaks of, made safe to show by the caller.
        """
        super().__init__(phrases("llm/flaws")["flaws"][flaw].format(**values))
        self.flaw = flaw
        self.reason: AbstainReason = reason
        self.worth_repeating = worth_repeating

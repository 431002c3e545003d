"""Tell the language of a text, or say that it cannot be told."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

FEWEST_LETTERS = 20
SURE = 0.9
_NO_LANGUAGE = re.compile(r"https?://\S+|[@#]\w+|[\W\d_]+")


def language_of(text: str) -> str:
    """Return the two-letter code of the language of `text`, or nothing where it cannot be told.

    Short texts and mixed ones cannot be told; a wrong guess would send an English post to the
    rules for other languages, or trust an English model with words it has never seen.
    """
    letters = _NO_LANGUAGE.sub(" ", text).strip()
    if len(letters) < FEWEST_LETTERS:
        return ""
    code, probability = _identifier().classify(letters[:2000])
    return str(code) if probability >= SURE else ""


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_pickled_model(MODEL_FILE, norm_probs=True)

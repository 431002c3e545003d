"""A smaller vocabulary: the word pieces that texts of platforms are made of.

The table of pieces is half of a small transformer. A word whose piece is left out is spelled with
shorter ones, down to single letters, as WordPiece does with any word that it does not know.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer

FEWEST = 3
"""How often a piece has to occur to be kept."""
_INSIDE = "##"


def trimmed(tokenizer: str, texts: Iterable[str], *, fewest: int = FEWEST) -> tuple[str, list[int]]:
    """Return a `tokenizer.json` with fewer pieces, and the old id of each piece that is kept.

    Special tokens and single characters are kept whatever the texts hold.
    """
    settings: dict[str, Any] = json.loads(tokenizer)
    pieces: dict[str, int] = settings["model"]["vocab"]
    special = {token["content"] for token in settings["added_tokens"]}
    seen = _occurrences(tokenizer, texts)
    kept = sorted(
        old
        for piece, old in pieces.items()
        if piece in special or len(piece.removeprefix(_INSIDE)) == 1 or seen[old] >= fewest
    )
    new = {old: number for number, old in enumerate(kept)}
    settings["model"]["vocab"] = {
        piece: new[old] for piece, old in sorted(pieces.items(), key=_by_id) if old in new
    }
    for token in settings["added_tokens"]:
        token["id"] = new[pieces[token["content"]]]
    settings["post_processor"] = settings["padding"] = settings["truncation"] = None
    return json.dumps(settings, ensure_ascii=False, separators=(",", ":")) + "\n", kept


def _occurrences(tokenizer: str, texts: Iterable[str]) -> Counter[int]:
    encoder = Tokenizer.from_str(tokenizer)
    encoder.no_truncation()
    found: Counter[int] = Counter()
    for text in texts:
        found.update(encoder.encode(text, add_special_tokens=False).ids)
    return found


def _by_id(item: tuple[str, int]) -> int:
    return item[1]

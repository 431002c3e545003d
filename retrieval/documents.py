"""A folder of Markdown documents as entries, for policies that are no rulebook of ours.

Used to measure the search on somebody else's policies (evals/retrieval): the same functions find
a document there as find a section here.
"""

from __future__ import annotations

import re
from pathlib import Path

from llama_index.core.node_parser import MarkdownNodeParser
from llama_index.core.schema import Document

from errors import InputError, shown
from retrieval.embedder import Embedder
from retrieval.entries import Entry, Part

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_TITLE = re.compile(r"^(?:title:|#) *(.+)$", re.MULTILINE)
_NO_DOCUMENT = {"README.md", "LICENSE.md"}


def read_documents(folder: Path, embedder: Embedder) -> list[Entry]:
    """Return an entry for each `*.md` in `folder`, in the order of their names.

    A document is cut at its headings and, where a section exceeds the model's window, into windows;
    its title stands in front of each piece, since a piece alone rarely says what it is about.

    Raises:
        InputError: The folder holds no document, or one of them cannot be read.
    """
    paths = [path for path in sorted(folder.glob("*.md")) if path.name not in _NO_DOCUMENT]
    if not paths:
        raise InputError(
            f"no Markdown document in {shown(str(folder))}", hint="name a folder of *.md files"
        )
    return [_entry(path, embedder) for path in paths]


def _entry(path: Path, embedder: Embedder) -> Entry:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}", hint="save it as UTF-8") from error
    found = _TITLE.search(text)
    title = found[1].strip("'\" ") if found else path.stem
    body = _FRONT_MATTER.sub("", text)
    nodes = MarkdownNodeParser().get_nodes_from_documents([Document(text=body)])
    pieces = [window for node in nodes for window in embedder.windows(node.get_content())]
    parts = tuple(Part("piece", f"{title}\n{piece}") for piece in pieces if piece.strip())
    return Entry(path.name, f"{title}\n{body}", parts)

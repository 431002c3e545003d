"""What another program does to the index: `python -m tests.retrieval.another_process DEED HOME`."""

from __future__ import annotations

import resource
import signal
import sys
import time
from pathlib import Path

from errors import AmicusError
from retrieval.embedder import Embedder, Vectors, open_embedder
from retrieval.index import open_policy_index, search
from tests.retrieval.library import library_rules


class Stuck(Embedder):
    """A model that never gets to the end of its first batch."""

    def embed(self, texts: object) -> Vectors:
        sys.stdout.write("building\n")
        sys.stdout.flush()
        time.sleep(600)
        raise AssertionError(texts)


def build(home: Path, embedder: Embedder) -> None:
    """Open the index, and say what it finds."""
    index = open_policy_index(library_rules(), embedder, home)
    sys.stdout.write(search(index, "loud music")[0].section.id)


def build_on_a_full_disk(home: Path, embedder: Embedder) -> None:
    """Open the index where no file may grow beyond 100 kB, and print the error."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        build(home, embedder)
    except AmicusError as error:
        sys.stdout.write(f"{type(error).__name__}: {error.message}; {error.hint}")


def main(deed: str, home: Path) -> None:
    """Do what the test asks for."""
    embedder = open_embedder(threads=1)
    if deed == "stuck":
        build(home, Stuck(**vars(embedder)))
    elif deed == "full":
        build_on_a_full_disk(home, embedder)
    else:
        build(home, embedder)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

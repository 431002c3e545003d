"""`python3 training/reader/topics_check.py FILE ...`: say what is wrong with tables of topics."""

from __future__ import annotations

import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

FIELDS = {"id", "section", "also", "about", "strict", "lenient", "does", "near", "exception"}
LISTS = ("strict", "lenient", "does", "near")
FEWEST = 2

Topic = Mapping[str, Any]


def faults(topics: Sequence[Topic]) -> Iterator[str]:
    """Yield what is missing, unknown or said twice."""
    ids = Counter(topic.get("id", "?") for topic in topics)
    yield from (f"{name}: the id is not unique" for name, times in ids.items() if times > 1)
    for topic in topics:
        yield from (f"{topic.get('id', '?')}: {fault}" for fault in _faults_of(topic, set(ids)))
    posts = Counter(post for topic in topics for key in LISTS[2:] for post in topic.get(key, ()))
    yield from (f"said {times} times: {post!r}" for post, times in posts.items() if times > 1)


def _faults_of(topic: Topic, ids: set[str]) -> Iterator[str]:
    if unknown := set(topic) - FIELDS:
        yield f"unknown {sorted(unknown)}"
    yield from (
        f"fewer than {FEWEST} of {key}" for key in LISTS if len(topic.get(key, ())) < FEWEST
    )
    yield from (
        f"also names {other}, which is no topic of this file"
        for other in topic.get("also", ())
        if other not in ids
    )
    if (section := topic.get("section")) is not None and not _SECTION.fullmatch(section):
        yield f"section {section!r} is no id such as hate.1"
    for case in topic.get("exception", ()):
        yield from (f"an exception without {key}" for key in _EXCEPTION if not case.get(key))
    if both := set(topic.get("strict", ())) & set(topic.get("lenient", ())):
        yield f"strict and lenient at once: {sorted(both)}"


_SECTION = re.compile(r"[a-z]+\.\d+")
_EXCEPTION = ("strict", "lenient", "texts")


def main() -> None:
    """Check every file named and count what it holds."""
    bad = False
    for name in sys.argv[1:]:
        topics = tomllib.loads(Path(name).read_text("utf-8")).get("topic", [])
        for fault in faults(topics):
            bad = True
            print(f"{name}: {fault}")
        rules = sum(len(topic["strict"]) + len(topic["lenient"]) for topic in topics)
        posts = sum(len(topic["does"]) + len(topic["near"]) for topic in topics)
        print(f"{name}: {len(topics)} topics, {rules} rules, {posts} posts")
    sys.exit(bad)


if __name__ == "__main__":
    main()

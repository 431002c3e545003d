"""`amicus eval run … | python -m evals.readme`: put the figures into the README."""

from __future__ import annotations

import sys
from pathlib import Path

BEGIN = "<!-- figures: made by `make eval` -->"
END = "<!-- end of figures -->"


def with_figures(readme: str, figures: str) -> str:
    """Return the README with `figures` between its two marks.

    Raises:
        ValueError: The marks are not there, or there are no figures.
    """
    if not figures.strip():
        raise ValueError("no figures on standard input: the evaluation before the pipe failed")
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the README has no {BEGIN} … {END}")
    return f"{head}{BEGIN}\n\n{figures.strip()}\n\n{END}{tail}"


def main() -> None:
    """Write the figures that stand on standard input into the README."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "README.md")
    path.write_text(with_figures(path.read_text("utf-8"), sys.stdin.read()), "utf-8")


if __name__ == "__main__":
    main()

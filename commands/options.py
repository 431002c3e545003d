"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else.")]
Policies = Annotated[
    Path | None, typer.Option("--policies", help="Folder of another rulebook.", show_default=False)
]
Model = Annotated[str | None, typer.Option("--model", help="The reviewer model.")]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Load the good rows even if there are bad ones.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Write there instead of to stdout, whole or not at all."),
]

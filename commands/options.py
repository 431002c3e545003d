"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

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
Samples = Annotated[
    int | None,
    typer.Option(
        "--samples",
        min=1,
        max=25,
        help="Let a language model judge so often; where it differs, abstain.",
    ),
]
Route = Annotated[
    Literal["straight", "cascade"],
    typer.Option(
        "--route", help="cascade: ask the embedded model first, pay only where that is not enough."
    ),
]
Budget = Annotated[
    float | None, typer.Option("--budget", min=0, help="Most dollars that this run may cost.")
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Ask again for answers that were paid for before.")
]

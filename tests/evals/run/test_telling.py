from __future__ import annotations

import pytest

from evals.run import Progress
from evals.run.telling import EVERY_SECONDS, now_and_then, telling_progress


def test_where_nobody_watches_a_line_comes_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    times = iter([0.0, 1.0, EVERY_SECONDS, EVERY_SECONDS, EVERY_SECONDS + 1.0])
    tell = now_and_then("Reviewing", clock=lambda: next(times))
    tell(Progress(1, 10, 0.0))
    assert capsys.readouterr().err == ""
    tell(Progress(4, 10, 0.5))
    assert capsys.readouterr().err == "Reviewing: 4 of 10, 45 s left, $0.5000 so far\n"
    tell(Progress(5, 10, 0.6))
    assert capsys.readouterr().err == ""


def test_progress_goes_to_stderr_and_nowhere_else(capsys: pytest.CaptureFixture[str]) -> None:
    with telling_progress("Reviewing") as tell:
        tell(Progress(1, 1, 0.0))
    assert capsys.readouterr().out == ""

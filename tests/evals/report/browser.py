"""A headless browser that a test can click in, over the pipe that Chromium offers for it.

No driver and no socket: commands of the DevTools protocol go in on descriptor 3, answers come back
on descriptor 4, each ended by a zero byte.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PATIENCE = 60.0


def find_browser() -> str | None:
    """The first browser on this machine that can be driven, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One page in the browser."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, read
        self._rest = b""
        self._number = 0
        self._session = ""
        self.requests: list[str] = []
        """Addresses that the page asked for."""
        self.complaints: list[str] = []
        """What scripts threw, and what the browser refused."""

    def attach(self) -> None:
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        attached = self.tell("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.tell(f"{domain}.enable")

    def tell(self, method: str, **params: object) -> Any:
        """Send a command and return its result."""
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> Any:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, "the browser does not answer"
            self._rest += os.read(self._read, 1 << 16)
        line, self._rest = self._rest.split(b"\0", 1)
        answer = json.loads(line)
        self._note(answer)
        return answer

    def _note(self, answer: Any) -> None:
        method, params = answer.get("method"), answer.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])

    def look(self, *, width: int, height: int = 900, dark: bool = False) -> None:
        """Set the size of the window and the colours that its user prefers."""
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, path: Path) -> float:
        """Open a file and return after how many seconds its table of cases was there."""
        self.requests.clear()
        self.complaints.clear()
        started = time.monotonic()
        self.tell("Page.navigate", url=path.as_uri())
        while not self.run(
            "document.readyState === 'complete' && !!document.querySelector('#rows tr')"
        ):
            assert time.monotonic() - started < PATIENCE, "the page has no rows"
            time.sleep(0.02)
        return time.monotonic() - started

    def run(self, script: str) -> Any:
        """Run a script in the page and return its value."""
        result = self.tell("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def click(self, selector: str) -> None:
        """Click in the middle of an element, as a person does; what lies above it is clicked."""
        place = self.run(
            f"""(() => {{
              const found = document.querySelector({json.dumps(selector)});
              found.scrollIntoView({{block: "center"}});
              const box = found.getBoundingClientRect();
              return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.tell(
                "Input.dispatchMouseEvent",
                type=kind,
                x=place[0],
                y=place[1],
                button="left",
                clickCount=1,
            )

    def choose(self, selector: str, value: str) -> None:
        """Choose an option of a select."""
        self.run(
            f"""(() => {{
              const select = document.querySelector({json.dumps(selector)});
              select.value = {json.dumps(value)};
              select.dispatchEvent(new Event("change", {{bubbles: true}}));
            }})()"""
        )

    def type(self, selector: str, text: str) -> None:
        """Type into a field."""
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.tell("Input.insertText", text=text)

    def texts(self, selector: str) -> list[str]:
        """What stands in every element that matches, as it is shown."""
        found: list[str] = self.run(
            f"[...document.querySelectorAll({json.dumps(selector)})].map((one) => one.innerText)"
        )
        return found

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """Take a screenshot."""
        shot = self.tell("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))


def _pipe() -> tuple[int, int]:
    """A pipe with numbers above ten, so that 3 and 4 are free to be given to the browser."""
    low = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in low)
    for end in low:
        os.close(end)
    return high[0], high[1]


@contextmanager
def browser_page(program: str, profile: Path) -> Iterator[Page]:
    """Start a browser and yield a page of it."""
    there_read, here_write = _pipe()
    here_read, there_write = _pipe()
    arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--remote-debugging-pipe",
        f"--user-data-dir={profile}",
    ]
    shell = f'exec "$0" "$@" 3<&{there_read} 4>&{there_write} >/dev/null 2>&1'
    process = subprocess.Popen(
        ["bash", "-c", shell, program, *arguments], pass_fds=(there_read, there_write)
    )
    os.close(there_read)
    os.close(there_write)
    try:
        page = Page(here_write, here_read)
        page.attach()
        yield page
    finally:
        process.kill()
        process.wait()
        os.close(here_write)
        os.close(here_read)

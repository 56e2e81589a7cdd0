"""A real server of the app and a browser tab on it, the messages between them recorded."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, WebSocket, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from cnnlab import datasets, folders
from tests.browser import chromium
from tests.browser.conftest import Server, stop_server
from tests.waiting import wait_until

ROOT = Path(__file__).parents[1]
PATIENCE_S = 60.0
# What the server still does after its last word, above all to collect garbage.
SETTLE_MS = 100
POLL_MS = 15
# What was on the page before is marked as stale until its successor is there; two frames later
# the browser has drawn it.
DRAWN = """() => new Promise(resolve => {
    const look = () => {
        const app = document.querySelector('[data-testid=stApp]');
        const old = document.querySelector('[data-stale=true]');
        if (app.dataset.testScriptState === 'running' || old) requestAnimationFrame(look);
        else requestAnimationFrame(() => requestAnimationFrame(resolve));
    };
    look();
})"""


def cpu_s(pid: int) -> float:
    """Processor time of a process so far, its children not counted (Linux).

    The clock of another process has a number made of the process's own; see clock_getcpuclockid.
    Its steps are nanoseconds, where /proc/PID/stat counts hundredths of a second.
    """
    return time.clock_gettime((~pid << 3) | 2)


def link_data(folder: Path) -> Path:
    """A cache with the same drawn pictures, but none of the speeds measured earlier."""
    datasets.load("shapes")  # drawn once, if it was not yet
    folder.mkdir()
    for entry in folders.cache_folder().iterdir():
        if entry.suffix != ".json":
            (folder / entry.name).symlink_to(entry.absolute())
    return folder


@contextlib.contextmanager
def serving(home: Path, data: Path) -> Iterator[Server]:
    """The app on a free port, ended with the block; its log goes to a file beside `home`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    with home.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--server.address", "127.0.0.1", "--server.port", str(port)],
            cwd=ROOT,
            env=os.environ | {"CNNLAB_HOME": str(home), "CNNLAB_CACHE": str(data)},
            stdout=log,
            stderr=log,
        )
    server = Server(process, f"http://127.0.0.1:{port}", home)
    try:
        wait_until(server.ready, PATIENCE_S)
        yield server
    finally:
        stop_server(server)


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    """A headless Chromium. Raises: SystemExit where there is none."""
    path = chromium.find()
    if path is None:
        raise SystemExit(chromium.HELP)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Cost:
    """What a change on the page took.

    Units: milliseconds of the server's processor time; milliseconds on the clock from the
    browser's request to the server's last word, and from the change to the page being drawn;
    bytes that the server sent.
    """

    cpu_ms: float
    server_ms: float
    drawn_ms: float
    sent_bytes: int


class Tab:
    """A new visitor's tab; it notes what the browser asks for and what the server finishes."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self.server = server
        self.ticks = 0
        self.sent_bytes = 0
        self._asked: list[float] = []
        self._finished: list[float] = []
        self._parts_asked: list[float] = []
        self._parts_finished: list[float] = []
        self.context = browser.new_context(viewport={"width": 1440, "height": 900})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_S * 1000)
        self.page.on("websocket", self._listen)

    @property
    def visitor(self) -> str:
        """The name that the server gave this browser."""
        return next(
            str(cookie["value"])
            for cookie in self.context.cookies()
            if cookie["name"] == "cnnlab_visitor"
        )

    def cpu_s(self) -> float:
        """Processor time of the server so far."""
        return cpu_s(self.server.process.pid)

    def open(self, slug: str, view: str, knobs: str = "") -> None:
        """Go to a view of a section and wait until it is drawn."""
        address = f"{self.server.url}/{slug}?view={view.replace(' ', '%20')}{knobs}"
        self.rerun(lambda: self.page.goto(address))

    def switch(self, view: str) -> None:
        """Open another view of the same section."""
        self.rerun(self.page.get_by_role("tab", name=view).click)

    def rerun(self, change: Callable[[], object]) -> Cost:
        """Do something for which the server draws the page again, and wait for it."""
        self._asked.clear()
        self._finished.clear()

        return self._cost(change, self._asked, self._finished)

    def redraw(self, change: Callable[[], object]) -> Cost:
        """Do something for which the server draws a part of the page again, and wait for it."""
        self._parts_asked.clear()
        self._parts_finished.clear()
        return self._cost(change, self._parts_asked, self._parts_finished)

    def _cost(
        self, change: Callable[[], object], asked: list[float], finished: list[float]
    ) -> Cost:
        """What a change costs until it is drawn, and a moment longer."""
        begin_cpu_s, begin_s = self.cpu_s(), time.perf_counter()
        begin_bytes = self.sent_bytes
        change()
        # A change may be asked for in two parts, the second after the answer to the first.
        while not finished:
            self._until(lambda: bool(asked and finished))
            self.page.evaluate(DRAWN)
        drawn_s = time.perf_counter() - begin_s
        self.page.wait_for_timeout(SETTLE_MS)
        spent_s = self.cpu_s() - begin_cpu_s
        server_s = finished[-1] - asked[0]
        sent_bytes = self.sent_bytes - begin_bytes
        return Cost(spent_s * 1000, server_s * 1000, drawn_s * 1000, sent_bytes)

    def watch(self, seconds: float) -> tuple[float, int]:
        """The server's CPU per second and the number of ticks while nobody touches the page."""
        ticks, begin_cpu_s, begin_s = self.ticks, self.cpu_s(), time.perf_counter()
        self.page.wait_for_timeout(seconds * 1000)
        spent_s = (self.cpu_s() - begin_cpu_s) / (time.perf_counter() - begin_s)
        return spent_s, self.ticks - ticks

    def press(self, button: str) -> float:
        """Press Start or Stop as soon as it can be; returns when, by `time.time`."""
        selector = f".st-key-{button} button"
        self.page.wait_for_function(
            "selector => document.querySelector(selector)?.disabled === false", arg=selector
        )
        box = self.page.locator(selector).bounding_box()
        assert box, f"the button {button} has no place on the page"
        pressed_s = time.time()
        self.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        return pressed_s

    def close(self) -> None:
        self.context.close()

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"the page was not drawn within {PATIENCE_S:g} s")
            self.page.wait_for_timeout(POLL_MS)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, frame: str | bytes) -> None:
        message = BackMsg.FromString(frame) if isinstance(frame, bytes) else BackMsg()
        if not message.HasField("rerun_script"):
            return
        is_part = bool(message.rerun_script.fragment_id)
        (self._parts_asked if is_part else self._asked).append(time.perf_counter())
        (self._parts_finished if is_part else self._finished).clear()  # its answer comes later

    def _received(self, frame: str | bytes) -> None:
        self.sent_bytes += len(frame)
        message = ForwardMsg.FromString(frame) if isinstance(frame, bytes) else ForwardMsg()
        if not message.HasField("script_finished"):
            return
        if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            self._finished.append(time.perf_counter())
        if message.script_finished == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY:
            self._parts_finished.append(time.perf_counter())
            self.ticks += 1

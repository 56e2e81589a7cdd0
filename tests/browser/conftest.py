"""A real server and a real browser."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    ViewportSize,
    sync_playwright,
)

from tests.browser import chromium
from tests.conftest import ROOT
from tests.waiting import wait_until

ARTIFACTS = ROOT / "artifacts"
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
LAPTOP: ViewportSize = {"width": 1280, "height": 720}
PHONE: ViewportSize = {"width": 390, "height": 844}

# What the page says of itself when its script has run to the end.
IDLE = '[data-test-script-state="notRunning"]'


@dataclass
class Server:
    """A server of the course, where it listens and where it keeps its runs."""

    process: subprocess.Popen[bytes]
    url: str
    home: Path

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def start_server(
    home: Path,
    data: Path,
    program: str = "streamlit",
    port: int | None = None,
    base_path: str = "",
    **settings: str,
) -> Server:
    """Start the app as `make run` does, on a free port; `settings` join the environment."""
    port = port or free_port()
    arguments = ["--server.port", str(port), "--server.headless", "true"]
    if base_path:
        arguments += ["--server.baseUrlPath", base_path]
    process = subprocess.Popen(
        [sys.executable, "-m", program, "run", "app.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "CNNLAB_HOME": str(home), "CNNLAB_DATA": str(data), **settings},
        stdout=subprocess.DEVNULL,
    )
    url = "/".join(filter(None, (f"http://127.0.0.1:{port}", base_path)))
    server = Server(process, url, home)
    wait_until(server.ready, timeout_s=60)
    return server


def stop_server(server: Server) -> None:
    server.process.send_signal(signal.SIGINT)
    server.process.wait(20)


def visitor_of(context: BrowserContext) -> str:
    """By which name the server knows this browser."""
    cookies = {cookie["name"]: cookie["value"] for cookie in context.cookies()}
    return cookies["cnnlab_visitor"]


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all servers, so that the embedded set is drawn once."""
    return tmp_path_factory.mktemp("browser-data")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Iterator[Server]:
    running = start_server(tmp_path_factory.mktemp("browser-home"), data_folder)
    yield running
    stop_server(running)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    assert path, chromium.HELP
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def only_tab(browser: Browser) -> Iterator[Page]:
    """The same for all tests: it loads and compiles Streamlit's scripts once, half of each load."""
    context = browser.new_context(reduced_motion="reduce")
    tab = context.new_page()
    tab.on("console", note_refusal)
    yield tab
    context.close()


# What the browser would not load for the sake of the page's own policy.
refused: list[str] = []


def note_refusal(message: ConsoleMessage) -> None:
    if "Content Security Policy" in message.text:
        refused.append(message.text)


def as_new(tab: Page) -> Page:
    """The tab as a new visitor has it."""
    tab.goto("about:blank")
    tab.context.clear_cookies()
    tab.set_default_timeout(30_000)
    tab.set_viewport_size(DESKTOP)
    tab.emulate_media(color_scheme="light")
    return tab


@pytest.fixture
def page(only_tab: Page, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A new visitor's tab; a picture of it is kept where the test fails."""
    failed_before = request.session.testsfailed
    yield as_new(only_tab)
    if request.session.testsfailed > failed_before:
        ARTIFACTS.mkdir(exist_ok=True)
        name = re.sub(r"\W+", "-", request.node.name).strip("-")
        only_tab.screenshot(path=str(ARTIFACTS / f"{name}.png"))
    # Its runs are not watched any more.
    only_tab.goto("about:blank")
    found, refused[:] = refused[:], []
    assert found == []

"""Behind a proxy that shows the app under a path and drops its connections every few seconds."""

import contextlib
import json
import re
import select
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Response, expect

from cnnlab.runs.store import RunStore
from tests.browser.conftest import Server, start_server, stop_server, visitor_of
from tests.present import present
from tests.waiting import wait_until

SLOW_S = 120
DROPS_S = 4.0


@dataclass
class Proxy:
    """Passes bytes on to a server, and drops every websocket after a few seconds."""

    port: int
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    dropped: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        begun_s, is_socket = time.monotonic(), False
        with client, socket.create_connection(("127.0.0.1", self.port)) as server:
            other = {client: server, server: client}
            while True:
                for ready in select.select([client, server], [], [], 0.2)[0]:
                    try:
                        data = ready.recv(1 << 16)
                        other[ready].sendall(data)
                    except OSError:
                        data = b""
                    if not data:
                        return
                    is_socket = is_socket or b"upgrade: websocket" in data.lower()
                if is_socket and time.monotonic() - begun_s > DROPS_S:
                    self.dropped += 1
                    return


@pytest.fixture
def lab(tmp_path: Path, data_folder: Path) -> Iterator[Server]:
    server = start_server(tmp_path, data_folder, base_path="lab", CNNLAB_GRACE_S="30")
    yield server
    stop_server(server)


@pytest.fixture
def proxy(lab: Server) -> Iterator[Proxy]:
    port = int(present(re.search(r":(\d+)/", lab.url))[1])
    proxy = Proxy(port)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    yield proxy
    # On Linux closing alone does not end what waits in accept.
    with contextlib.suppress(OSError):
        proxy.listener.shutdown(socket.SHUT_RDWR)
    proxy.listener.close()
    thread.join(5)


def test_pages_runs_and_health_go_on_below_the_path_though_connections_drop(
    proxy: Proxy, lab: Server, browser: Browser
) -> None:
    with urllib.request.urlopen(f"{proxy.url}/lab/health", timeout=20) as answer:
        assert json.load(answer)["status"] in ("ok", "degraded")
        assert "set-cookie" not in answer.headers
    store = RunStore(lab.home)
    context = browser.new_context(reduced_motion="reduce")
    tab = context.new_page()
    tab.set_default_timeout(SLOW_S * 1000)
    missing: list[str] = []
    # Streamlit tries out under which path its server is, the longest first.
    tries = "/batch_norm/_stcore/"

    def note(answered: Response) -> None:
        if answered.status >= 400 and tries not in answered.url:
            missing.append(answered.url)

    tab.on("response", note)
    try:
        tab.goto(f"{proxy.url}/lab/batch_norm?view=Train&epochs=30&train_size=12000")
        tab.get_by_role("button", name="Start").click()
        wait_until(lambda: store.runs(visitor_of(context)), SLOW_S)
        (run,) = store.runs(visitor_of(context))
        wait_until(lambda: store.curve(run.id).steps, SLOW_S)
        enough = proxy.dropped + 3
        # Whoever comes back takes the session that was left: the run, the view and the knobs.
        wait_until(lambda: proxy.dropped >= enough, SLOW_S)
        assert present(store.run(run.id)).status == "running"
        expect(tab.get_by_role("button", name="Stop").first).to_be_visible()
        tab.get_by_role("button", name="Stop").first.click()
        wait_until(lambda: present(store.run(run.id)).status == "cancelled", SLOW_S)
        assert "nobody had watched" not in present(store.run(run.id)).message
        tab.get_by_role("link", name="9.7 DenseNet").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("9.7 DenseNet")
        assert "/lab/densenet" in tab.url
        assert missing == []
    finally:
        context.close()
        store.close()

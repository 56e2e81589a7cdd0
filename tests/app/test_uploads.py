"""What a tab may leave in the server's memory: each file is bounded, and so is their sum."""

import asyncio
from typing import Any

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from pages.components import uploads
from pages.components.uploads import ALL_BYTES, AT_ONCE, ROUTE, TAB_BYTES, UploadLimit

MB = 2**20


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> MemoryUploadedFileManager:
    found = MemoryUploadedFileManager(ROUTE)
    monkeypatch.setattr(uploads, "manager", lambda: found)
    return found


def park(files: MemoryUploadedFileManager, tab: str, count: int) -> None:
    """Files of ten megabytes each, which share one memory here."""
    content = bytes(10 * MB)
    for number in range(count):
        name = f"{tab}-{number}"
        files.add_file(tab, UploadedFileRec(name, name, "image/png", content))


class Server:
    """The app behind the limit; `holds` requests stay in it until they are let go."""

    def __init__(self) -> None:
        self.limit = UploadLimit(self._app)
        self.reached = 0
        self.gate: asyncio.Event | None = None

    async def _app(self, _scope: Any, _receive: Any, send: Any) -> None:
        self.reached += 1
        if self.gate is not None:
            await self.gate.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def answer(self, tab: str = "ann", method: str = "PUT", path: str = "") -> int:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path or f"{ROUTE}{tab}/file"}
        await self.limit(scope, None, send)  # type: ignore[arg-type]
        return int(sent[0]["status"])


def test_a_tab_cannot_park_a_gigabyte(files: MemoryUploadedFileManager) -> None:
    server = Server()
    park(files, "ann", TAB_BYTES // (10 * MB) - 1)
    assert asyncio.run(server.answer()) == 204
    park(files, "ann", TAB_BYTES // (10 * MB))
    assert asyncio.run(server.answer()) == 413
    # Others may go on, and so may everything that is no upload; taking a file away makes room.
    assert asyncio.run(server.answer("bob")) == 204
    assert asyncio.run(server.answer(method="DELETE")) == 204
    assert asyncio.run(server.answer(path="/vgg")) == 204
    files.remove_session_files("ann")
    assert asyncio.run(server.answer()) == 204


def test_all_tabs_together_have_a_limit(files: MemoryUploadedFileManager) -> None:
    for number in range(ALL_BYTES // (30 * MB) + 1):
        park(files, f"tab {number}", 3)
    assert asyncio.run(Server().answer("one more")) == 413


def test_so_many_are_on_their_way_at_once(files: MemoryUploadedFileManager) -> None:  # noqa: ARG001
    async def flood() -> list[int]:
        server = Server()
        server.gate = asyncio.Event()
        sent = [asyncio.create_task(server.answer()) for _ in range(AT_ONCE + 3)]
        while server.reached < AT_ONCE:
            await asyncio.sleep(0)
        server.gate.set()
        found = await asyncio.gather(*sent)
        assert not server.limit._coming
        return found

    assert sorted(asyncio.run(flood())) == [204] * AT_ONCE + [413] * 3


def test_without_a_server_there_is_nothing_to_count() -> None:
    assert uploads.manager() is None
    assert not uploads.is_full("ann")

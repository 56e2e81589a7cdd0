"""Limit on what a tab may leave in memory: Streamlit bounds each file, not their sum."""

from collections import Counter
from http import HTTPStatus

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

ROUTE = "/_stcore/upload_file/"
# Four pictures of the largest size at once: a page asks for one.
TAB_BYTES = 40 * 2**20
ALL_BYTES = 1024 * 2**20
# Files of one tab that may be on their way.
AT_ONCE = 2


class UploadLimit:
    """Refuses a file where its tab, or all tabs together, have too much in memory already."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._coming: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tab = uploading(scope)
        if tab is None:
            await self.app(scope, receive, send)
            return
        if self._coming[tab] >= AT_ONCE or is_full(tab):
            too_much = PlainTextResponse(
                "This page holds too many files. Reload it and upload one picture.",
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            )
            await too_much(scope, receive, send)
            return
        self._coming[tab] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._coming[tab] -= 1
            # Tabs that are gone leave nothing behind.
            self._coming += Counter()


def uploading(scope: Scope) -> str | None:
    """The tab that sends a file; None for any other request."""
    if scope["type"] != "http" or scope["method"] != "PUT" or ROUTE not in scope["path"]:
        return None
    tab: str = scope["path"].partition(ROUTE)[2].partition("/")[0]
    return tab


def is_full(tab: str) -> bool:
    """Whether a tab, or all of them, have as much in memory as they may."""
    files = manager()
    if files is None:
        return False
    held = {
        key: sum(len(file.data) for file in list(own.values()))
        for key, own in list(files.file_storage.items())
    }
    return held.get(tab, 0) >= TAB_BYTES or sum(held.values()) >= ALL_BYTES


def manager() -> MemoryUploadedFileManager | None:
    """What keeps the files of all tabs; None as long as no server runs."""
    if not runtime.exists():
        return None
    found = runtime.get_instance().uploaded_file_mgr
    return found if isinstance(found, MemoryUploadedFileManager) else None

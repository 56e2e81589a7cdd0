"""A reader's tab without a browser: one session over the websocket that the app itself uses.

It sends what a browser sends and keeps what a browser keeps: cookies, the page's elements, the
values of widgets, the address, large messages that the server need not send twice, and the timers
of live curves. It does not draw, and does not fetch scripts and pictures.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from typing import Self, TypeVar
from urllib.parse import parse_qsl, urlencode

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs, UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from benchmarks.page_tree import FIELDS, Node, PageTree, element, shown
from benchmarks.remembered import Remembered

T = TypeVar("T")
PATIENCE_S = 60.0
LARGEST_MESSAGE = 200 * 2**20


class SessionLost(Exception):
    """The server ended the connection, or did not answer in time."""


class Session:
    """A tab that is open on the app."""

    def __init__(self, url: str, cookies: dict[str, str], socket: ClientConnection) -> None:
        self.url, self.cookies, self.page = url, cookies, PageTree()
        self.name = self.slug = self.query = ""
        # How long the drawing again of live curves took, asked for by a timer.
        self.ticks_s: list[float] = []
        self._socket = socket
        self._states: dict[str, WidgetState] = {}
        self._held: dict[str, object] = {}
        self._hashes: dict[str, str] = {}  # of the pages of the course
        self._page_hash = ""
        self._remembered = Remembered()
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._ticked_s: dict[str, float] = {}
        self._waiting: tuple[str, asyncio.Future[None]] | None = None
        self._has_begun = self._is_cut = False
        self._urls: asyncio.Future[FileURLs] | None = None
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def open(cls, url: str, cookies: dict[str, str] | None = None) -> Self:
        """Ask for the page as a browser does, then connect. Raises: SessionLost."""
        try:
            held = await asyncio.to_thread(received_cookies, url, cookies or {})
            said = "; ".join(f"{name}={value}" for name, value in held.items())
            protocols = ["streamlit", held.get("_streamlit_xsrf", "none")]
            socket = await connect(
                f"ws{url.removeprefix('http')}/_stcore/stream",
                subprotocols=protocols,  # type: ignore[arg-type]  # a name of its own for texts
                additional_headers={"Cookie": said},
                origin=url,  # type: ignore[arg-type]
                max_size=LARGEST_MESSAGE,
                open_timeout=PATIENCE_S,
            )
        except (OSError, requests.RequestException, InvalidStatus) as error:
            raise SessionLost(f"no connection: {error}") from error
        return cls(url, held, socket)

    async def start(self, slug: str = "", query: str = "") -> float:
        """Open a page in a new tab; returns how long it took. Raises: SessionLost."""
        self.slug, self.query = slug, query
        return await self._rerun(page_name=slug)

    async def go(self, slug: str) -> float:
        """Follow a link of the sidebar to another page."""
        self._states.clear()
        self._held.clear()
        self.slug, self.query, self._page_hash = slug, "", self._hashes[slug]
        return await self._rerun()

    async def change(self, widget: Node, value: object) -> float:
        """Move, choose or press a widget; returns how long the answer took. Raises: SessionLost."""
        if widget.kind == "button":
            pressed = [widget.state(value)]
            return await self._rerun(widget.fragment, pressed, what=widget.key)
        self._keep(widget, value)
        if name := getattr(widget.content, "query_param_key", ""):
            # The browser changes the address itself.
            self.query = urlencode(dict(parse_qsl(self.query)) | {name: str(value)})
        return await self._rerun(widget.fragment, what=widget.key)

    def held(self, widget: Node) -> object:
        """The value of a widget that is drawn."""
        name = widget.content.id
        return self._held[name] if name in self._held else shown(widget)

    def _keep(self, widget: Node, value: object) -> None:
        """Let a widget hold a value, which goes along with every request."""
        name = widget.content.id
        self._held[name], self._states[name] = value, widget.state(value)

    async def upload(self, widget: Node, name: str, raw: bytes) -> float:
        """Choose a file; returns how long it took from there to the answer. Raises: SessionLost."""
        begin_s = time.perf_counter()
        self._urls = asyncio.get_running_loop().create_future()
        request = BackMsg()
        request.file_urls_request.session_id = self.name
        request.file_urls_request.file_names.append(name)
        await self._send(request)
        urls = await in_time(self._urls, "where to send the file")
        await asyncio.to_thread(self._put, urls.upload_url, name, raw)
        state = WidgetState(id=widget.content.id)
        file = UploadedFileInfo(name=name, size=len(raw), file_id=urls.file_id, file_urls=urls)
        state.file_uploader_state_value.uploaded_file_info.append(file)
        self._states[state.id] = state
        await self._rerun(widget.fragment, what=widget.key)
        return time.perf_counter() - begin_s

    def _put(self, path: str, name: str, raw: bytes) -> None:
        answer = requests.put(
            self.url + path,
            files={name: (name, raw)},
            cookies=self.cookies,
            headers={"X-Xsrftoken": self.cookies.get("_streamlit_xsrf", "")},
            timeout=PATIENCE_S,
        )
        if answer.status_code >= 300:
            raise SessionLost(f"the upload was answered by {answer.status_code}: {answer.text}")

    async def close(self) -> None:
        """Leave."""
        self._stop_timers(list(self._timers))
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening
        await self._socket.close()

    async def _rerun(
        self,
        fragment: str = "",
        pressed: Iterable[WidgetState] = (),
        page_name: str = "",
        what: str = "the page",
    ) -> float:
        begin_s = time.perf_counter()
        if self._listening.done():
            raise SessionLost("the server closed the connection")
        answered = asyncio.get_running_loop().create_future()
        self._waiting, self._has_begun, self._is_cut = (fragment, answered), False, False
        await self._ask(fragment, pressed, page_name)
        try:
            await in_time(answered, f"{page_name or self.slug}, {what}")
        finally:
            self._waiting = None
        return time.perf_counter() - begin_s

    async def _ask(
        self,
        fragment: str,
        pressed: Iterable[WidgetState] = (),
        page_name: str = "",
        *,
        tick: bool = False,
    ) -> None:
        message = BackMsg()
        request = message.rerun_script
        request.query_string, request.page_script_hash = self.query, self._page_hash
        request.page_name, request.fragment_id, request.is_auto_rerun = page_name, fragment, tick
        request.widget_states.widgets.extend([*self._states.values(), *pressed])
        request.cached_message_hashes.extend(self._remembered)
        request.context_info.timezone, request.context_info.locale = "UTC", "en"
        request.context_info.url = f"{self.url}/{self.slug}"
        await self._send(message)

    async def _send(self, message: BackMsg) -> None:
        try:
            await self._socket.send(message.SerializeToString())
        except ConnectionClosed as error:
            raise SessionLost(f"the server closed the connection: {error}") from error

    async def _listen(self) -> None:
        reason = "the server closed the connection"
        try:
            async for frame in self._socket:
                assert isinstance(frame, bytes)
                self._take(self._remembered.whole(ForwardMsg.FromString(frame)))
        except ConnectionClosed as error:
            reason += f": {error}"
        finally:
            self._stop_timers(list(self._timers))
            for future in (self._waiting and self._waiting[1], self._urls):
                if future and not future.done():
                    future.set_exception(SessionLost(reason))

    def _take(self, message: ForwardMsg) -> None:
        """Do what the server says."""
        kind = message.WhichOneof("type")
        self.page.take(message)
        if kind == "new_session":
            self._begin(message)
        elif kind == "delta":
            self._overrule(message)
        elif kind == "navigation":
            self._page_hash = message.navigation.page_script_hash
            self._hashes = {
                page.url_pathname: page.page_script_hash for page in message.navigation.app_pages
            }
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            fragment = message.auto_rerun.fragment_id
            self._stop_timers([fragment])
            timer = self._tick(fragment, message.auto_rerun.interval)
            self._timers[fragment] = asyncio.create_task(timer)
        elif kind == "stop_auto_rerun":
            self._stop_timers(list(message.stop_auto_rerun.fragment_ids))
        elif kind == "file_urls_response" and self._urls:
            self._urls.set_result(message.file_urls_response.file_urls[0])
        elif kind == "script_finished":
            self._finish(message)

    def _overrule(self, message: ForwardMsg) -> None:
        """Take over the value that the server sets a widget to; it says so only once."""
        kind, content = element(message.delta)
        if getattr(content, "set_value", False) and kind in FIELDS:
            widget = Node(kind, content, message.delta.fragment_id, "")
            self._keep(widget, shown(widget))

    def _begin(self, message: ForwardMsg) -> None:
        self.name = message.new_session.initialize.session_id
        fragments = message.metadata.run.fragment_ids
        if not fragments:
            self._stop_timers(list(self._timers))
        if self._waiting and (not fragments or self._waiting[0] in fragments):
            self._has_begun = True

    def _finish(self, message: ForwardMsg) -> None:
        """Note what is answered."""
        fragments = set(message.metadata.run.fragment_ids)
        if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            # So is called, too, what was complete when the next run of a part began.
            self._is_cut |= self._has_begun and bool(
                self._waiting and self._waiting[0] in fragments
            )
            return
        is_whole = message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
        self._remembered.finished(is_whole)
        now_s = time.perf_counter()
        for fragment in list(self._ticked_s) if is_whole else fragments & self._ticked_s.keys():
            self.ticks_s.append(now_s - self._ticked_s.pop(fragment))
        if self._waiting and self._answers(is_whole, fragments) and not self._waiting[1].done():
            self._waiting[1].set_result(None)

    def _answers(self, is_whole: bool, fragments: set[str]) -> bool:
        """Whether the end of a run means that the request was answered.

        A run of the page answers for its parts, also where it left out what was asked. Its own
        end is not always told: but the next run begins only after it.
        """
        part = self._waiting[0] if self._waiting else ""
        if not part or is_whole:
            return bool(part) or self._has_begun
        return self._is_cut or (self._has_begun and part in fragments)

    async def _tick(self, fragment: str, interval_s: float) -> None:
        """What a browser's timer does for live curves."""
        with contextlib.suppress(SessionLost):
            while True:
                await asyncio.sleep(interval_s)
                self._ticked_s.setdefault(fragment, time.perf_counter())
                await self._ask(fragment, tick=True)

    def _stop_timers(self, fragments: Iterable[str]) -> None:
        for fragment in fragments:
            if timer := self._timers.pop(fragment, None):
                timer.cancel()
            self._ticked_s.pop(fragment, None)


async def in_time(future: "asyncio.Future[T]", what: str) -> T:
    """What the server answers. Raises: SessionLost where it takes too long."""
    try:
        return await asyncio.wait_for(future, PATIENCE_S)
    except TimeoutError:
        raise SessionLost(f"no answer within {PATIENCE_S:g} s: {what}") from None


def received_cookies(url: str, held: dict[str, str]) -> dict[str, str]:
    """The cookies of a browser that has loaded the page and asked whether the server is well."""
    with requests.Session() as http:
        http.cookies.update(held)
        for path in ("/", "/_stcore/health"):
            http.get(url + path, timeout=PATIENCE_S).raise_for_status()
        return {cookie.name: str(cookie.value) for cookie in http.cookies}

"""A browser's name: kept beside any other cookie, given with pages only."""

import asyncio
from typing import Any

import pytest
from starlette.datastructures import Headers
from streamlit import config

from pages.components import visitors
from pages.components.visitors import VISITOR_COOKIE, VisitorCookie

ANN = "ann-of-a-second-browser"
HTML = "text/html; charset=utf-8"


def answer(
    cookie: str = "", path: str = "/vgg", kind: str = HTML, status: int = 200, **more: Any
) -> Headers:
    """What the headers of an answer are when they leave the server."""
    sent: list[Any] = []

    async def app(scope: Any, _receive: object, send: Any) -> None:
        conditions = {b"if-none-match", b"if-modified-since"} & {
            name for name, _ in scope["headers"]
        }
        found = 304 if conditions else status
        headers = [] if conditions else [(b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": found, "headers": headers})

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"cookie", cookie.encode("latin-1"))] if cookie else []
    headers += more.pop("asked", [])
    scope = {"type": "http", "path": path, "headers": headers, "scheme": "http", **more}
    asyncio.run(VisitorCookie(app)(scope, None, send))  # type: ignore[arg-type]
    return Headers(raw=sent[0]["headers"])


@pytest.mark.parametrize(
    "other",
    [
        'prefs={"a":1}',
        "flag",
        "u=José",
        "a=b=c; ;=; x",
        'q="unclosed',
        "e=😀".encode().decode("latin-1"),
    ],
)
@pytest.mark.parametrize("order", ["{other}; {own}", "{own}; {other}"])
def test_a_stray_cookie_takes_nobodys_name(other: str, order: str) -> None:
    own = f"{VISITOR_COOKIE}={ANN}"
    cookie = order.format(other=other, own=own)
    assert "set-cookie" not in answer(cookie)
    scope = {"type": "websocket", "headers": [(b"cookie", cookie.encode("latin-1"))]}
    assert visitors.visitor(scope) == ANN


def test_a_new_browser_gets_a_name_of_its_own() -> None:
    first, second = answer(), answer()
    names = {found["set-cookie"].split(";")[0] for found in (first, second)}
    assert len(names) == 2
    assert all(visitors.named(name.removeprefix(f"{VISITOR_COOKIE}=")) for name in names)
    # No cache on the way may give the same answer, and so the same name, to somebody else.
    assert first["cache-control"] == "no-store"
    assert "cookie" in first["vary"].lower()
    assert "HttpOnly" in first["set-cookie"]
    assert "Secure" not in first["set-cookie"]
    assert "Secure" in answer(scheme="https")["set-cookie"]


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        ("/static/index.js", "text/javascript", 200),
        ("/static/page.html", HTML, 200),
        ("/_stcore/health", HTML, 200),
        ("/media/picture.png", "image/png", 200),
        ("/favicon.png", "image/png", 200),
        ("/vgg", HTML, 404),
    ],
)
def test_what_is_no_page_carries_no_name(path: str, kind: str, status: int) -> None:
    found = answer(path=path, kind=kind, status=status)
    assert "set-cookie" not in found
    assert "cache-control" not in found


@pytest.mark.parametrize("given", ["lab", "/lab", "/lab/", "school/lab"])
def test_the_same_holds_below_the_path_of_a_proxy(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "get_option", {"server.baseUrlPath": given}.get)
    base = f"/{given.strip('/')}"
    for path in ("/static/page.html", "/_stcore/health", "/health"):
        assert "set-cookie" not in answer(path=base + path)
    assert "set-cookie" in answer(path=f"{base}/vgg")
    assert "set-cookie" in answer(path=f"{base}/statics")
    # A page whose name only begins like the path.
    assert "set-cookie" in answer(path=f"{base}oratory/static/page.html")


def test_a_page_that_the_browser_has_is_sent_again_with_a_name() -> None:
    asked = [(b"if-none-match", b"tag")]
    assert "set-cookie" in answer(asked=asked)
    assert answer(f"{VISITOR_COOKIE}={ANN}", asked=asked).raw == []


@pytest.mark.parametrize("name", ["", "short", "x" * 65, "with space in it....", "a;b", "名" * 20])
def test_what_was_not_given_here_is_no_name(name: str) -> None:
    assert visitors.named(name) is None
    assert "set-cookie" in answer(f"{VISITOR_COOKIE}={name}".encode().decode("latin-1"))

"""The manager is told of open tabs by their connections."""

import asyncio
from types import SimpleNamespace

import pytest

from pages.components import services, visitors

Told = list[tuple[str, str]]
ANN = "ann-of-a-second-browser"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What the manager hears."""
    told: Told = []
    manager = SimpleNamespace(
        arrived=lambda visitor: told.append(("arrived", visitor)),
        left=lambda visitor: told.append(("left", visitor)),
    )
    monkeypatch.setattr(services, "run_manager", lambda: manager)
    return told


def connect(told: Told, kind: str, cookie: str, error: BaseException | None = None) -> Told:
    """Open a connection and close it; what was told while it was open."""
    during: Told = []

    async def app(_scope: object, _receive: object, _send: object) -> None:
        during.extend(told)
        if error:
            raise error

    scope = {"type": kind, "headers": [(b"host", b"x"), (b"cookie", cookie.encode())]}
    asyncio.run(visitors.OpenTabs(app)(scope, None, None))  # type: ignore[arg-type]
    return during


def test_a_tab_is_there_as_long_as_its_connection(told: Told) -> None:
    cookie = f"theme=dark; cnnlab_visitor={ANN}"
    assert connect(told, "websocket", cookie) == [("arrived", ANN)]
    assert told == [("arrived", ANN), ("left", ANN)]


def test_a_connection_that_breaks_off_is_closed_too(told: Told) -> None:
    with pytest.raises(ConnectionError):
        connect(told, "websocket", f"cnnlab_visitor={ANN}", ConnectionError())
    assert told == [("arrived", ANN), ("left", ANN)]


@pytest.mark.parametrize(
    ("kind", "cookie"), [("http", f"cnnlab_visitor={ANN}"), ("websocket", ""), ("lifespan", "")]
)
def test_nothing_else_counts(told: Told, kind: str, cookie: str) -> None:
    assert connect(told, kind, cookie) == []
    assert told == []

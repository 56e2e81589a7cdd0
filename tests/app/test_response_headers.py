"""What every answer says to the browser about what it may load, embed and tell others."""

import asyncio
from typing import Any

import pytest
from starlette.datastructures import Headers

from cnnlab.errors import ConfigError
from pages.components.response_headers import VARIABLE, ResponseHeaders, policy
from pages.components.server import MIDDLEWARE


def answer(kind: str = "text/html") -> Headers:
    sent: list[Any] = []

    async def app(_scope: object, _receive: object, send: Any) -> None:
        headers = [(b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(ResponseHeaders(app)({"type": "http"}, None, send))  # type: ignore[arg-type]
    return Headers(raw=sent[0]["headers"])


def test_the_server_uses_them() -> None:
    assert "ResponseHeaders" in [getattr(one.cls, "__name__", "") for one in MIDDLEWARE]


@pytest.mark.parametrize("kind", ["text/html", "text/javascript", "application/json"])
def test_nothing_from_elsewhere_nothing_guessed_no_address_told(kind: str) -> None:
    found = answer(kind)
    assert "default-src 'self'" in found["content-security-policy"]
    assert "object-src 'none'" in found["content-security-policy"]
    assert "http" not in found["content-security-policy"]
    assert found["x-content-type-options"] == "nosniff"
    assert found["referrer-policy"] == "same-origin"
    assert found["content-type"] == kind


def test_a_school_may_embed_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "frame-ancestors 'self'" in answer()["content-security-policy"]
    monkeypatch.setenv(VARIABLE, "'self' https://learning.example.org *.school.example:8443")
    assert answer()["content-security-policy"].endswith(
        "frame-ancestors 'self' https://learning.example.org *.school.example:8443"
    )


@pytest.mark.parametrize("given", ["*; script-src *", "javascript:alert(1)", "a,b", "https://a/b"])
def test_nothing_else_gets_into_the_policy(given: str) -> None:
    with pytest.raises(ConfigError, match="hosts with blanks between them"):
        policy(given)

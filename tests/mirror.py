"""A server on this machine in place of the publishers of the data sets."""

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from torchvision.datasets import CIFAR10, FashionMNIST

from cnnlab.datasets import download
from tests.dataset_files import small_cifar, small_fashion


@dataclass
class Mirror:
    """Gives out `files`; the paths in the other fields are answered in a wrong way."""

    files: dict[str, bytes] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    cut_in_a_chunk: set[str] = field(default_factory=set)
    not_http: set[str] = field(default_factory=set)
    without_length: set[str] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        name = request.path.removeprefix("/")
        self.asked[name] += 1
        raw = self.files.get(name)
        request.close_connection = True
        if raw is None:
            request.send_error(404)
        elif name in self.not_http:
            request.wfile.write(b"220 this is no web server\r\n\r\n")
        elif name in self.cut_in_a_chunk:
            request.send_response(200)
            request.send_header("Transfer-Encoding", "chunked")
            request.end_headers()
            request.wfile.write(b"%x\r\n" % len(raw) + raw[: len(raw) // 2])
        else:
            request.send_response(200)
            if name not in self.without_length:
                request.send_header("Content-Length", str(len(raw)))
            request.end_headers()
            request.wfile.write(raw[: len(raw) // 2] if name in self.cut else raw)


@contextlib.contextmanager
def serving(mirror: Mirror) -> Iterator[Mirror]:
    """Serve on a free port of 127.0.0.1 until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            # A reader who stops in the middle is part of what is tested.
            with contextlib.suppress(ConnectionError):
                mirror.answer(self)

        def log_message(self, *_: object) -> None:
            """Nothing on the console."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    mirror.url = f"http://127.0.0.1:{server.server_address[1]}/"
    try:
        yield mirror
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def serving_small_sets(patch: pytest.MonkeyPatch, data: Path) -> Iterator[Mirror]:
    """Both sets cut down and served; a proxy of the machine would not reach this server."""
    patch.setenv("no_proxy", "127.0.0.1")
    patch.setattr(download, "TIMEOUT_S", 5)
    files = small_fashion(patch, data).archives | {
        CIFAR10.filename: small_cifar(patch, data).archive
    }
    with serving(Mirror(files)) as mirror:
        patch.setattr(FashionMNIST, "mirrors", [mirror.url])
        patch.setattr(CIFAR10, "url", mirror.url + CIFAR10.filename)
        yield mirror


def nobody_there() -> str:
    """An address on this machine where nothing listens, as on a laptop without a connection."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"

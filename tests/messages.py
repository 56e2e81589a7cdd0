"""What a worker writes, read as its server does."""

import json
from typing import IO, Any

from tests.present import present


def next_message(out: IO[str] | None) -> dict[str, Any]:
    """The next one that says more than that the worker is alive."""
    while True:
        message: dict[str, Any] = json.loads(present(out).readline())
        if message != {"alive": True}:
            return message

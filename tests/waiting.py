"""Waiting for something to become true, instead of for a time."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], timeout_s: float = 20) -> None:
    """Return as soon as the condition holds. Raises: AssertionError when it never does."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {timeout_s} s"
        time.sleep(0.05)

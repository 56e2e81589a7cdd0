"""The caches that all visitors share, as one: what nobody asks for any more is let go of."""

import threading
from typing import Protocol
from weakref import WeakSet


class Forgetful(Protocol):
    """A cache that can let go of what it keeps."""

    def forget(self, unused_s: float) -> None:
        """Let go of what was not asked for in that time."""


_caches: WeakSet[Forgetful] = WeakSet()
_access = threading.Lock()


def register(cache: Forgetful) -> None:
    """Have a cache forget with the others, as long as it is there."""
    with _access:
        _caches.add(cache)


def forget(unused_s: float) -> None:
    """Let go of what was not asked for in that time, in every cache."""
    with _access:
        caches = list(_caches)
    for cache in caches:
        cache.forget(unused_s)

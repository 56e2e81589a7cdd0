"""A cache that is bounded by memory: what was not asked for the longest is dropped first."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from typing import Generic, TypeVar

V = TypeVar("V")


class ByteCache(Generic[V]):
    """Values by key, `limit_bytes` of them at most; all visitors share it.

    What is heavy is made in a `turn`. Streamlit's caches count entries, of which one may be a
    thousand times as large as another.
    """

    def __init__(
        self,
        limit_bytes: int,
        size_of: Callable[[V], int],
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.limit_bytes = limit_bytes
        self._turn = turn
        self._size_of = size_of
        self._kept: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._access = threading.Lock()
        # One at a time: thirty visitors who come at once then need the memory of one.
        self._making = threading.Lock()

    @property
    def used_bytes(self) -> int:
        with self._access:
            return sum(size for _, size in self._kept.values())

    def __contains__(self, key: Hashable) -> bool:
        """Whether a value is kept, which does not count as asking for it."""
        with self._access:
            return key in self._kept

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value of a key, made where it is not kept. What `make` raises is not kept."""
        if found := self._find(key):
            return found[0]
        with self._turn(), self._making:
            # Another visitor may have had it made meanwhile.
            if found := self._find(key):
                return found[0]
            value = make()
            self._keep(key, value)
        return value

    def _find(self, key: Hashable) -> tuple[V, int] | None:
        with self._access:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, key: Hashable, value: V) -> None:
        size = self._size_of(value)
        if size > self.limit_bytes:
            return
        with self._access:
            self._kept[key] = value, size
            used = sum(size for _, size in self._kept.values())
            while used > self.limit_bytes:
                used -= self._kept.popitem(last=False)[1][1]

"""A cache that is bounded by memory: what was not asked for the longest is dropped first."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Generic, TypeVar

from cnnlab import forgetting
from pages.components import page_line, state

V = TypeVar("V")
# Somebody who waits is asked so often whether they are still there.
ASK_S = 0.15


@dataclass
class _Entry(Generic[V]):
    value: V
    size: int
    asked_s: float


class ByteCache(Generic[V]):
    """Values by key, `limit_bytes` of them at most; all visitors share it.

    What is heavy is made in a `turn`, which is told how long that will take. Thirty who ask for the
    same at once have it made once; `at_once` values are made at a time, for each needs memory.
    Streamlit's caches count entries, of which one may be a thousand times as large as another.
    """

    def __init__(
        self,
        limit_bytes: int,
        size_of: Callable[[V], int],
        turn: Callable[[float], AbstractContextManager[None]] = lambda _: nullcontext(),
        at_once: int = 1,
    ) -> None:
        self.limit_bytes = limit_bytes
        self._turn = turn
        self._size_of = size_of
        self._kept: OrderedDict[Hashable, _Entry[V]] = OrderedDict()
        # What is being made; set when it is done or has failed.
        self._made: dict[Hashable, threading.Event] = {}
        self._access = threading.Lock()
        self._at_once = at_once
        forgetting.register(self)

    @property
    def used_bytes(self) -> int:
        with self._access:
            return sum(entry.size for entry in self._kept.values())

    def __contains__(self, key: Hashable) -> bool:
        """Whether a value is kept, which does not count as asking for it."""
        with self._access:
            return key in self._kept

    def get(self, key: Hashable, make: Callable[[], V], seconds: float = 0.0) -> V:
        """The value of a key, made where it is not kept. What `make` raises is not kept.

        `seconds` is how long making it is expected to take.
        """
        # First a turn, then key and place. Who finds one of them taken gives the turn back and
        # waits without one, so that the turns are for those who work. The other way round a
        # key could be taken by somebody who waits for a turn, and wanted by the one who has it:
        # making maps takes the weights from another cache. Neither would ever go on.
        while True:
            with self._access:
                if found := self._find(key):
                    return found.value
                other = self._in_the_way(key)
            if other:
                with page_line.of_server().aside():
                    while not other.wait(ASK_S):
                        state.end_if_superseded()
                continue
            with self._turn(seconds):
                if self._takes(key):
                    return self._make(key, make)

    def forget(self, unused_s: float) -> None:
        """Let go of what was not asked for in that time."""
        until_s = time.monotonic() - unused_s
        with self._access:
            for key in [key for key, entry in self._kept.items() if entry.asked_s <= until_s]:
                del self._kept[key]

    def _takes(self, key: Hashable) -> bool:
        """Whether it is this thread that makes the value: nobody has or does, and there is room."""
        with self._access:
            if key in self._kept or self._in_the_way(key):
                return False
            self._made[key] = threading.Event()
            return True

    def _in_the_way(self, key: Hashable) -> threading.Event | None:
        """What has to be done before a key is made: itself, or another for its place."""
        if key not in self._made and len(self._made) >= self._at_once:
            return next(iter(self._made.values()))
        return self._made.get(key)

    def _make(self, key: Hashable, make: Callable[[], V]) -> V:
        try:
            value = make()
            self._keep(key, value)
            return value
        finally:
            with self._access:
                self._made.pop(key).set()

    def _find(self, key: Hashable) -> _Entry[V] | None:
        if found := self._kept.get(key):
            self._kept.move_to_end(key)
            found.asked_s = time.monotonic()
        return found

    def _keep(self, key: Hashable, value: V) -> None:
        size = self._size_of(value)
        if size > self.limit_bytes:
            return
        with self._access:
            self._kept[key] = _Entry(value, size, time.monotonic())
            used = sum(entry.size for entry in self._kept.values())
            while used > self.limit_bytes:
                used -= self._kept.popitem(last=False)[1].size

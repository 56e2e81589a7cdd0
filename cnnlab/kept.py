"""Values that all visitors share: each is made once, and the last ones are kept."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from cnnlab import forgetting
from cnnlab.errors import CnnLabError

V = TypeVar("V")

# So many reasons why something cannot be had are as heavy as all that may be kept.
MOST_ERRORS = 1000


@dataclass(eq=False)
class _Entry:
    """A value, or the sentence why there is none; whoever makes it holds the lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    made: bool = False
    value: object = None
    error: CnnLabError | None = None
    weight: int = 0
    asked_s: float = field(default_factory=time.monotonic)


class Kept(Generic[V]):
    """Values by key, together as heavy as `limit` at most; the newest is always kept.

    Thirty who ask for the same at once have it made once; who asks for another is not held up.
    What cannot be had is kept too, as the `CnnLabError` that says why.
    """

    def __init__(self, limit: int, weigh: Callable[[V], int] = lambda _: 1) -> None:
        self.limit = limit
        self._weigh = weigh
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._access = threading.Lock()
        forgetting.register(self)

    @property
    def weight(self) -> int:
        """What is kept now."""
        with self._access:
            return sum(entry.weight for entry in self._entries.values())

    def __contains__(self, key: Hashable) -> bool:
        """Whether a value is kept, which does not count as asking for it."""
        with self._access:
            return key in self._entries and self._entries[key].made

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value of a key, made where it is not kept. Raises: what `make` raises."""
        with self._access:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            entry.asked_s = time.monotonic()
        with entry.lock:
            if not entry.made:
                self._make(key, entry, make)
        if entry.error is not None:
            # A new one each time: whoever catches it adds to its traceback.
            raise type(entry.error)(*entry.error.args)
        return cast("V", entry.value)

    def forget(self, unused_s: float) -> None:
        """Let go of what was not asked for in that time."""
        until_s = time.monotonic() - unused_s
        with self._access:
            old = [
                key
                for key, entry in self._entries.items()
                if entry.made and entry.asked_s <= until_s
            ]
            for key in old:
                del self._entries[key]

    def _make(self, key: Hashable, entry: _Entry, make: Callable[[], V]) -> None:
        try:
            value = make()
        except CnnLabError as error:
            entry.error = type(error)(*error.args)
            entry.weight = max(1, self.limit // MOST_ERRORS)
        except BaseException:
            # It may work the next time.
            with self._access:
                if self._entries.get(key) is entry:
                    del self._entries[key]
            raise
        else:
            entry.value, entry.weight = value, self._weigh(value)
        entry.asked_s = time.monotonic()
        entry.made = True
        self._drop()

    def _drop(self) -> None:
        """Let go of what was not asked for the longest."""
        with self._access:
            used = sum(entry.weight for entry in self._entries.values())
            # What is being made weighs nothing yet, and is waited for.
            made = [key for key, entry in self._entries.items() if entry.made]
            for key in made[:-1]:
                if used > self.limit:
                    used -= self._entries.pop(key).weight

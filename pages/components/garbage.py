"""When the server's garbage is collected: not after every answer, but soon after the last."""

import gc
import threading
import time
from collections.abc import Callable

from streamlit.runtime.scriptrunner import script_runner

# Thirty visitors who press a key at once have it collected once.
EVERY_S = 2.0


class Seldom:
    """Stands in for the module `gc` where Streamlit collects all garbage after every script.

    Walking through everything that all visitors have holds up all of them, the longer the more they
    are.
    """

    def __init__(
        self, every_s: float = EVERY_S, collect: Callable[[], object] = gc.collect
    ) -> None:
        self._every_s = every_s
        self._collect_all = collect
        self._access = threading.Lock()
        self._last_s = -every_s
        self._waiting = False

    def collect(self, _generation: int = 2) -> None:
        """Collect now if that was not done a moment ago, else in a moment."""
        with self._access:
            rest_s = self._last_s + self._every_s - time.monotonic()
            if self._waiting:
                return
            if rest_s <= 0:
                self._last_s = time.monotonic()
            else:
                self._waiting = True
        if rest_s <= 0:
            self._collect_all()
        else:
            timer = threading.Timer(rest_s, self._later)
            timer.daemon = True
            timer.start()

    def _later(self) -> None:
        with self._access:
            self._waiting, self._last_s = False, time.monotonic()
        self._collect_all()


def collect_seldom() -> None:
    """Let Streamlit collect garbage less often."""
    setattr(script_runner, "gc", Seldom())  # noqa: B010  # for mypy it is not there

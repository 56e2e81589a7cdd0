"""When the server's garbage is collected: not after every answer, but soon after the last."""

import gc
import threading
import time
from collections.abc import Callable

from streamlit.runtime.scriptrunner import script_runner

# Thirty visitors who press a key at once have it collected once.
EVERY_S = 2.0
# Of the time, at most: with much in memory it would be collected for ever.
SHARE = 0.02


class Seldom:
    """Stands in for the module `gc` where Streamlit collects all garbage after every script.

    Walking through everything that all visitors have holds up all of them, the longer the more they
    are. It is done every `every_s` at most, and less often where that would take more than a
    `share` of the time.
    """

    def __init__(
        self,
        every_s: float = EVERY_S,
        collect: Callable[[], object] = gc.collect,
        share: float = SHARE,
    ) -> None:
        self._every_s, self._share = every_s, share
        self._collect_all = collect
        self._access = threading.Lock()
        self._next_s = 0.0
        # Somebody has asked since the last collection began.
        self._asked = False
        # It is being collected, or will be in a moment.
        self._under_way = False

    def collect(self, _generation: int = 2) -> None:
        """Collect now if that was not done a moment ago, else in a moment."""
        with self._access:
            self._asked = True
            if self._under_way:
                return
            self._under_way = True
        self._go_on()

    def _go_on(self) -> None:
        """Collect when it is time to, and again later where somebody asks meanwhile."""
        begin_s = time.monotonic()
        if begin_s < self._next_s:
            timer = threading.Timer(self._next_s - begin_s, self._go_on)
            timer.daemon = True
            try:
                timer.start()
            except RuntimeError:
                # No thread is to be had now. The next who asks tries again.
                with self._access:
                    self._under_way = False
            return
        self._asked = False
        try:
            self._collect_all()
        finally:
            end_s = time.monotonic()
            self._next_s = max(begin_s + self._every_s, end_s + (end_s - begin_s) / self._share)
            with self._access:
                again = self._under_way = self._asked
            if again:
                self._go_on()


def collect_seldom() -> None:
    """Let Streamlit collect garbage less often."""
    setattr(script_runner, "gc", Seldom())  # noqa: B010  # for mypy it is not there

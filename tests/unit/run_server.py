"""A manager with an engine that does what the test says and a clock set by hand."""

import queue
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from cnnlab.jobs.limits import Settings
from cnnlab.jobs.manager import RunManager
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig
from cnnlab.training.estimate import Estimate
from cnnlab.training.events import Cancelled, Event, Failed, Finished, Progress, Started
from tests.present import present
from tests.waiting import wait_until

CONFIG = RunConfig(network="lenet")
SETTINGS = Settings(
    grace_s=100, run_limit_s=1000, run_limit_waiting_s=500, queue_per_visitor=3, queue_length=10
)
STARTED = Started(
    device="cpu",
    precision="float32",
    layout="channels last",
    params=1,
    train_images=2,
    test_images=2,
    steps=10,
)


def progress(step: int, eta_s: float = 7) -> Progress:
    return Progress(
        step=step,
        epoch=1,
        elapsed_s=1,
        train_loss=1,
        train_accuracy=0.5,
        lr=0.1,
        images_per_s=10,
        eta_s=eta_s,
    )


class FakeEngine:
    """Gives the events that the test puts in, and ends a run that is cancelled."""

    def __init__(self, slots: int = 1) -> None:
        self.memory_bytes: int | None = None
        self.known: dict[int, Estimate] = {}
        self.devices: Sequence[str] = [f"gpu {slot}" for slot in range(slots)]
        self.only_slot: int | None = None
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.given_up: list[str] = []
        self._events: dict[str, queue.Queue[Event | Exception | None]] = {}

    def takes(self, slot: int, config: RunConfig) -> bool:  # noqa: ARG002
        return self.only_slot in (None, slot)

    def estimate(self, slot: int, config: RunConfig) -> Estimate | None:  # noqa: ARG002
        return self.known.get(slot)

    def allowed_bytes(self, config: RunConfig, grouped: bool = False) -> int | None:  # noqa: ARG002
        return self.memory_bytes

    def share(self, slot: int, grouped: bool) -> Fraction:  # noqa: ARG002
        return Fraction(1)

    def submit(
        self,
        slot: int,
        run: str,
        config: RunConfig,
        weights: Path,
        grouped: bool = False,  # noqa: ARG002
    ) -> Iterator[Event]:
        assert 0 <= slot < len(self.devices)
        assert config.network == "lenet"
        assert weights.stem == run
        self._events[run] = queue.Queue()
        self.begun.append(run)
        return self._give(run)

    def _give(self, run: str) -> Iterator[Event]:
        ended = False
        try:
            while (event := self._events[run].get()) is not None:
                if isinstance(event, Exception):
                    raise event
                ended = isinstance(event, Finished | Cancelled | Failed)
                yield event
        finally:
            if not ended:
                self.given_up.append(run)

    def put(self, run: str, event: Event | Exception | None) -> None:
        self._events[run].put(event)

    def finish(self, run: str) -> None:
        self.put(run, Finished(step=10, epoch=1, elapsed_s=1, weights="file"))

    def cancel(self, run: str) -> None:
        self.cancelled.append(run)
        if run in self._events:
            self.put(run, Cancelled(step=1, epoch=0.1, elapsed_s=1))

    def check(self) -> None:
        pass

    def close(self) -> None:
        for run in self._events:
            self.put(run, Failed(message="the engine was closed"))


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Server:
    """A manager with all that a test wants to look at."""

    def __init__(self, home: Path, slots: int = 1) -> None:
        self.store, self.engine, self.clock = RunStore(home), FakeEngine(slots), Clock()
        self.manager = RunManager(self.store, self.engine, SETTINGS, self.clock)

    def submit(self, visitor: str) -> str:
        return self.manager.submit(CONFIG, visitor, "lenet", "run")

    def begin(self, visitor: str) -> str:
        """Submit to a free slot and wait until the engine has the run."""
        run = self.submit(visitor)
        wait_until(lambda: self.has_begun(run))
        return run

    def has_begun(self, run: str) -> bool:
        return run in self.engine.begun

    def wait_for(self, run: str, status: str) -> None:
        wait_until(lambda: present(self.store.run(run)).status == status)

    def message(self, run: str) -> str:
        return present(self.store.run(run)).message

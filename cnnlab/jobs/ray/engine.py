"""Engine for a Ray cluster: the server only collects events, and needs no GPU."""

import logging
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from cnnlab.atomic import replacing
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.ray.cluster import cause_of_death, import_ray, is_loss, join, room, stops_actor
from cnnlab.jobs.ray.restarts import RestartedCurve
from cnnlab.jobs.ray.task import Batch, estimate_on_node, train_on_node
from cnnlab.jobs.ray.trials import Trials
from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate
from cnnlab.training.events import Cancelled, Event, Failed, Finished, from_json

# A run that has not stopped by itself after this time is ended by Ray.
PATIENCE_S = 0.6
POLL_S = 0.1
# Weights of the widest networks are half a gigabyte and come over the network.
FETCH_S = 120
CLOSE_S = 5
# Ended runs that may still be cancelled by somebody who has not heard of it.
REMEMBERED = 256

KILLED = "The run was waiting or in a long step, so its weights could not be kept."

log = logging.getLogger(__name__)


class NotStopped(Exception):
    """The run was asked to stop and did not, or the engine is closing."""


class RayEngine:
    """One task per run, on whichever machine of the cluster has room.

    Raises: ConfigError when Ray is absent, no cluster answers, or it has no room for a run.
    """

    def __init__(self, settings: Settings) -> None:
        self._ray = ray = import_ray()
        self._settings = settings
        self._cancelled: dict[str, float] = {}
        self._running: set[str] = set()
        self._ended: deque[str] = deque(maxlen=REMEMBERED)
        self._idle = threading.Condition()
        self._closed = False
        join(ray, settings.ray_address)
        try:
            self.devices: Sequence[str] = ["cluster"] * (settings.ray_slots or room(ray, settings))
            self._stops = stops_actor(ray)
        except BaseException:
            ray.shutdown()
            raise
        # Ray's own retries would send the first points again; `_attempt` knows what was shown.
        self._task = ray.remote(
            num_returns="streaming",
            max_retries=0,
            num_gpus=settings.ray_gpus_per_run,
            num_cpus=settings.ray_cpus_per_run,
            scheduling_strategy="SPREAD",
        )(train_on_node)
        self._trial = ray.remote(
            max_retries=0,
            num_gpus=settings.ray_gpus_per_run,
            num_cpus=settings.ray_cpus_per_run,
        )(estimate_on_node)
        self._trials = Trials(ray, self._trial)

    def takes(self, slot: int, config: RunConfig) -> bool:  # noqa: ARG002
        """Slots are places in the queue here; the cluster finds the machine."""
        return True

    def share(self, slot: int, grouped: bool) -> Fraction:  # noqa: ARG002
        return Fraction(1, len(self.devices))

    def allowed_bytes(self, config: RunConfig, grouped: bool = False) -> int | None:  # noqa: ARG002
        """The machine that does the run knows, and says so there."""
        return None

    def estimate(self, slot: int, config: RunConfig) -> Estimate | None:  # noqa: ARG002
        """How fast a machine of the cluster does such runs; asked when one has room."""
        return self._trials.estimate(self._placed(config), self._settings.ray_gpus_per_run)

    def submit(
        self,
        slot: int,  # noqa: ARG002
        run: str,
        config: RunConfig,
        weights: Path,
        grouped: bool = False,  # noqa: ARG002
    ) -> Iterator[Event]:
        """Do a run and give its events; the cluster, not the slot, decides where it is done."""
        with self._idle:
            self._running.add(run)
        curve = RestartedCurve()
        try:
            while (yield from self._attempt(run, config, weights, curve)):
                curve.restarts += 1
        finally:
            self._cancelled.pop(run, None)
            if not self._closed:
                self._stops.tell.remote(run, False)
            with self._idle:
                self._running.discard(run)
                self._ended.append(run)
                self._idle.notify_all()

    def cancel(self, run: str) -> None:
        if run in self._ended:
            # Nobody would ever take the note of it away again.
            return
        self._cancelled.setdefault(run, time.monotonic())
        if not self._closed:
            self._stops.tell.remote(run, True)

    def check(self) -> None:
        """Ray itself replaces what no longer answers."""

    def close(self) -> None:
        """Leave the cluster; it ends all tasks of a server that left."""
        if self._closed:
            return
        self._closed = True
        with self._idle:
            self._idle.wait_for(lambda: not self._running, CLOSE_S)
        self._ray.shutdown()

    def _attempt(
        self, run: str, config: RunConfig, weights: Path, curve: RestartedCurve
    ) -> Generator[Event, None, bool]:
        """Do a run, perhaps not for the first time; returns whether to try again."""
        broken: Exception = RuntimeError("the task gave no ending")
        ending: Event | None = None
        try:
            for lines, content in self._batches(run, config):
                for line in lines:
                    event = curve.add(from_json(line))
                    if isinstance(event, Finished | Cancelled):
                        ending = delivered(event, content, weights, curve.note())
                    elif isinstance(event, Failed):
                        ending = event
                    elif event is not None:
                        yield event
        except (NotStopped, self._ray.exceptions.RayError) as error:
            broken = error
        if ending is not None:
            # Only now, as the reader stops here, and the task must not be cut off at its end.
            yield ending
            return False
        figures = {"step": curve.step, "elapsed_s": curve.elapsed_s}
        if isinstance(broken, NotStopped) or run in self._cancelled:
            yield Cancelled(**figures, epoch=curve.epoch, note=KILLED)
            return False
        log.warning("run %s: %s", run, broken)
        if is_loss(self._ray, broken) and curve.restarts < self._settings.ray_restarts:
            return True
        yield Failed(message=cause_of_death(self._ray, broken), **figures)
        return False

    def _batches(self, run: str, config: RunConfig) -> Iterator[Batch]:
        """What the task sends; ends it when its events are asked for no longer."""
        ray = self._ray
        stream = self._task.remote(
            run,
            self._placed(config).model_dump_json(),
            self._settings.ray_gpus_per_run,
            self._stops,
        )
        try:
            while True:
                if ray.wait([stream], timeout=POLL_S, fetch_local=False)[0]:
                    try:
                        reference = next(stream)
                    except StopIteration:
                        return
                    yield ray.get(reference, timeout=FETCH_S)
                elif self._closed or self._stops_too_slowly(run):
                    raise NotStopped
        finally:
            # Nothing happens where the task has ended.
            ray.cancel(stream, force=True)

    def _placed(self, config: RunConfig) -> RunConfig:
        """Device names mean the node's own: the GPU that Ray gave it, or its CPU."""
        device = "cuda" if self._settings.ray_gpus_per_run and config.device != "cpu" else "cpu"
        return config.replace(device=device)

    def _stops_too_slowly(self, run: str) -> bool:
        asked_s = self._cancelled.get(run)
        return asked_s is not None and time.monotonic() - asked_s > PATIENCE_S


def delivered(
    event: Finished | Cancelled, content: bytes | None, weights: Path, note: str | None
) -> Finished | Cancelled:
    """The ending with its weights on this machine's disk; a reader never sees half a file."""
    notes = [note, event.note]
    saved = None
    if content is not None:
        try:
            weights.parent.mkdir(parents=True, exist_ok=True)
            with replacing(weights) as partial:
                partial.write_bytes(content)
            saved = str(weights)
        except OSError as error:
            notes.append(f"The weights could not be saved: {error.strerror or error}.")
    joined = " ".join(part for part in notes if part)
    return event.model_copy(update={"weights": saved, "note": joined or None})

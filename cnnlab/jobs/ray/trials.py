"""Trials on a cluster: how fast its machines do runs, a few kinds at a time."""

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

from cnnlab.jobs.estimate_cache import EstimateCache
from cnnlab.jobs.ray.cluster import cause_of_death, is_loss
from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate
from cnnlab.training.precision import same_speed

# A trial has its own limit; one that waits for room longer than this is asked anew when it is
# still wanted.
PATIENCE_S = 60.0
AT_ONCE = 2
# For as long as it lasts: a page asks again where other work was in the way.
NO_ANSWER = Estimate(
    problem="The cluster does not answer, so nothing can be trained there. Ask whoever runs it.",
    busy=True,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Trial:
    reference: Any
    begun_s: float


class Trials:
    """Estimates measured by `task`, a Ray task. All methods can be called at once; none waits."""

    def __init__(self, ray: Any, task: Any) -> None:
        self._ray, self._task = ray, task
        self._known = EstimateCache(at_once=AT_ONCE)
        self._running: dict[str, _Trial] = {}
        # Every tab of every visitor comes here with its own thread.
        self._lock = threading.Lock()

    def estimate(self, config: RunConfig, gpus: float) -> Estimate | None:
        """What is known of such runs; a trial is begun where that is due."""
        key = same_speed(config)
        try:
            with self._lock:
                self._collect()
                if self._known.ask(key):
                    self._begin(key, config, gpus)
        except (self._ray.exceptions.RayError, RuntimeError, ConnectionError) as error:
            # Pages ask, and go on without an answer.
            log.warning("no trial on the cluster: %s", error)
            return self._known.get(key) or NO_ANSWER
        return self._known.get(key)

    def _begin(self, key: str, config: RunConfig, gpus: float) -> None:
        try:
            reference = self._task.remote(config.model_dump_json(), gpus)
        except BaseException:
            # Or nobody would ever ask for it again.
            self._known.note(key, None)
            raise
        self._running[key] = _Trial(reference, time.monotonic())

    def _collect(self) -> None:
        by_reference = {trial.reference: key for key, trial in self._running.items()}
        if not by_reference:
            return
        ended, _ = self._ray.wait(
            list(by_reference), num_returns=len(by_reference), timeout=0, fetch_local=False
        )
        for reference in ended:
            key = by_reference[reference]
            del self._running[key]
            self._known.note(key, self._answer(reference))
        now = time.monotonic()
        for key in [k for k, t in self._running.items() if now - t.begun_s > PATIENCE_S]:
            self._give_up(key)

    def _answer(self, reference: Any) -> Estimate | None:
        try:
            return Estimate.model_validate_json(self._ray.get(reference))
        except self._ray.exceptions.RayError as error:
            if is_loss(self._ray, error):
                # Another machine may answer the next time.
                return None
            return Estimate(problem=cause_of_death(self._ray, error, "The trial of a few steps"))

    def _give_up(self, key: str) -> None:
        self._ray.cancel(self._running.pop(key).reference, force=True)
        self._known.note(key, None)

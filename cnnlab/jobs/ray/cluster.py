"""A Ray cluster: joining it, how many runs fit, who passes stops on, why a run was lost."""

import importlib
import os
import socket
from typing import Any

from cnnlab.errors import ConfigError
from cnnlab.folders import PACKAGE
from cnnlab.jobs.limits import Settings

ANSWER_S = 5


def import_ray() -> Any:
    """Ray, which only those install who have a cluster.

    Raises: ConfigError saying how to install it.
    """
    # A call after the end would otherwise start a cluster of its own on this machine.
    os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise ConfigError(
            "CNNLAB_ENGINE is 'ray', but Ray is not installed here. Run "
            "`pip install -r requirements-cluster.txt`, or set CNNLAB_ENGINE to 'local'."
        ) from None


def join(ray: Any, address: str) -> None:
    """Connect to the cluster and send it this version of the library.

    Raises: ConfigError when no cluster answers there.
    """
    try:
        # Ray itself would look for a machine that is off for more than three minutes.
        host, _, port = address.removeprefix("ray://").rpartition(":")
        if port.isdigit():
            socket.create_connection((host, int(port)), timeout=ANSWER_S).close()
        ray.init(
            address=address,
            namespace="cnnlab",
            log_to_driver=False,
            logging_level="WARNING",
            runtime_env={"py_modules": [str(PACKAGE)]},
        )
    except (ConnectionError, ValueError, RuntimeError, OSError, ray.exceptions.RayError) as error:
        raise ConfigError(
            f"CNNLAB_RAY_ADDRESS is {address!r}, but no Ray cluster can be joined there "
            f"({type(error).__name__}: {error}). Start one with `ray start --head` and join it "
            "from this machine, with the same token (RAY_AUTH_MODE and RAY_AUTH_TOKEN) where it "
            "has one; docs/cluster.md has the commands."
        ) from error


def room(ray: Any, settings: Settings) -> int:
    """Runs that fit on the cluster at once, as it is now.

    Raises: ConfigError when not one does.
    """
    wanted = {"GPU": settings.ray_gpus_per_run, "CPU": settings.ray_cpus_per_run}
    runs = 0
    for node in ray.nodes():
        has = node["Resources"] if node["Alive"] else {}
        # The small addend, because 1 / 0.1 is a little less than 10 for a computer.
        runs += min(int(has.get(kind, 0) / n + 1e-6) for kind, n in wanted.items() if n)
    if not runs:
        raise ConfigError(
            f"No machine of the Ray cluster has the {wanted['GPU']:g} GPUs and "
            f"{wanted['CPU']:g} CPUs that one run takes. Join one with `ray start`, lower "
            "CNNLAB_RAY_GPUS_PER_RUN (0 trains on CPUs) or CNNLAB_RAY_CPUS_PER_RUN, or set "
            "CNNLAB_RAY_SLOTS where machines will come later."
        )
    return runs


def stops_actor(ray: Any) -> Any:
    """An actor on this machine, asked by every run whether it shall stop."""
    import asyncio

    # Inside a function, so that it travels as a whole: its process need not import PyTorch.
    class Stops:
        def __init__(self) -> None:
            self.answers: dict[str, asyncio.Future[bool]] = {}

        async def wait(self, run: str) -> bool:
            """Answers as soon as the run shall stop (True) or has ended (False)."""
            return await asyncio.shield(self._answer(run))

        async def tell(self, run: str, stop: bool) -> None:
            answer = self._answer(run)
            if not answer.done():
                answer.set_result(stop)
            if not stop:
                self.answers.pop(run)

        def _answer(self, run: str) -> "asyncio.Future[bool]":
            return self.answers.setdefault(run, asyncio.get_running_loop().create_future())

    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=False
    )
    return (
        ray.remote(Stops)
        .options(num_cpus=0, max_concurrency=10_000, scheduling_strategy=here)
        .remote()
    )


def is_loss(ray: Any, error: Exception) -> bool:
    """Whether a machine or process went away, so that another attempt may succeed."""
    ours = (ray.exceptions.RayTaskError, ray.exceptions.OutOfMemoryError)
    setup = (ray.exceptions.RuntimeEnvSetupError, ray.exceptions.TaskUnschedulableError)
    return not isinstance(error, ours + setup)


def cause_of_death(ray: Any, error: Exception, what: str = "The run") -> str:
    """Why a run or a trial ended without saying so itself, and what to do."""
    if isinstance(error, ray.exceptions.RayTaskError):
        return (
            f"{what} broke off with {type(error.cause).__name__}. This is a mistake in the "
            "program; the server's log has the details. The points so far are kept."
        )
    if isinstance(error, ray.exceptions.RuntimeEnvSetupError):
        return (
            "The cluster's machine could not take over the program. The server's log has the "
            "details; it must have what requirements-cluster.txt names."
        )
    if isinstance(error, ray.exceptions.OutOfMemoryError):
        cause = "its machine ran out of memory"
        remedy = "Use a smaller batch, smaller pictures or a narrower network."
    elif isinstance(error, ray.exceptions.WorkerCrashedError):
        cause = "its process died, most often for want of memory"
        remedy = "Use a smaller batch or a narrower network, or start the run again."
    else:
        cause = "its machine left the cluster"
        remedy = "Start the run again; it goes to another machine."
    return f"{what} broke off: {cause}. {remedy} The points so far are kept."

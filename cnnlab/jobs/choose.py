"""Choice of the engine, by the operator's settings."""

from cnnlab.jobs.engine import Engine
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.local.engine import LocalEngine


def engine(settings: Settings) -> Engine:
    """Worker processes on this machine, or a Ray cluster.

    Raises: ConfigError when the cluster cannot be used.
    """
    if settings.engine == "local":
        return LocalEngine(settings.cpu_slots, step_limit_s=settings.step_limit_s)
    from cnnlab.jobs.ray.engine import RayEngine

    return RayEngine(settings)

"""The engine that the operator chose."""

from cnnlab.training.engines import Engine, LocalEngine
from cnnlab.training.settings import Settings


def engine(settings: Settings) -> Engine:
    """Worker processes on this machine, or a Ray cluster.

    Raises: ConfigError when the cluster cannot be used.
    """
    if settings.engine == "local":
        return LocalEngine(settings.cpu_slots)
    from cnnlab.training.ray_engine import RayEngine

    return RayEngine(settings)

"""Training: a configuration in, a stream of events out."""

from cnnlab.training.config import RunConfig
from cnnlab.training.loop import train

__all__ = ["RunConfig", "train"]

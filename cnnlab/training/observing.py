"""Which probes a run takes along: those for which its network has something to observe."""

from collections.abc import Iterable

from torch import nn

from cnnlab import catalog
from cnnlab.errors import ConfigError
from cnnlab.trace import trace_of
from cnnlab.training.config import RunConfig
from cnnlab.training.probes import Probe


def observed(config: RunConfig, wanted: Iterable[Probe]) -> RunConfig:
    """The run with those of the probes that fit its network, besides its own.

    Raises: ConfigError for a network that cannot be built.
    """
    spec = catalog.network(config.network)
    outline = trace_of(spec, config.options, config.image_size).outline
    kinds = {probe.kind for probe in config.probes}
    more = [probe for probe in wanted if probe.kind not in kinds and fits(probe, outline)]
    return config.replace(probes=(*config.probes, *more))


def fits(probe: Probe, model: nn.Module) -> bool:
    """Whether the network has what a probe observes."""
    try:
        probe.check(model)
    except ConfigError:
        return False
    return True

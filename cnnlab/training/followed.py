"""A run that is followed: it carries a picture of the reader's, and shows how kernels form."""

from PIL.Image import Image

from cnnlab import catalog
from cnnlab.trace import Trace, trace_of
from cnnlab.training.config import RunConfig
from cnnlab.training.observing import observed
from cnnlab.training.probes.kernels import KernelsProbe
from cnnlab.training.probes.picture import LAYERS, PictureProbe


def followed(config: RunConfig, picture: Image) -> RunConfig:
    """The run with a picture whose way through the network is kept, step by step.

    Raises: ConfigError for a network that cannot be built.
    """
    spec = catalog.network(config.network)
    found = trace_of(spec, config.options, config.image_size)
    # The network sees no more of it, and what travels with every run should be small.
    small = picture.copy()
    small.thumbnail((2 * config.image_size, 2 * config.image_size))
    probes = (PictureProbe.of(small, layers=shown_layers(found)), KernelsProbe())
    return observed(config, probes)


def shown_layers(trace: Trace) -> tuple[str, ...]:
    """The layers to look at: convolutions from the first to the last, and what is hidden behind.

    Of the fully-connected layers the last before the answer; auxiliary heads are left out.
    """
    ran = [node for node in trace.nodes if node.is_module and not node.training_only]
    convolutions = [node.path for node in ran if node.operation == "Conv2d"]
    hidden = [node.path for node in ran if node.operation == "Linear"][:-1][-1:]
    count = min(LAYERS - len(hidden), len(convolutions))
    places = {round(i * (len(convolutions) - 1) / max(1, count - 1)) for i in range(count)}
    return (*(convolutions[place] for place in sorted(places)), *hidden)

"""The knobs of the network, and the network as they describe it."""

from dataclasses import dataclass

from cnnlab.catalog import NetworkSpec, Section
from cnnlab.networks.options import Options
from cnnlab.trace import Trace, trace_of
from pages.components import configuration, knobs, presets


@dataclass(frozen=True)
class Configured:
    """A network as the knobs describe it."""

    spec: NetworkSpec
    options: Options
    image_size: int

    @property
    def trace(self) -> Trace:
        return trace_of(self.spec, self.options, self.image_size)


def choose(section: Section, spec: NetworkSpec) -> Configured:
    """Draw the knobs. Raises: ConfigError where they do not go together."""
    chosen = configuration.current(section, spec)
    presets.picker(section, spec)
    knobs.widget(section, chosen, "image_size")
    knobs.network_knobs(section, chosen, section.main_knobs)
    return Configured(spec, chosen.options, chosen.image_size)

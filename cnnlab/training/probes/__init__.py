"""Probes: what can be observed inside a run; a further one is a file here and a line in KINDS."""

from cnnlab.errors import ConfigError
from cnnlab.training.probes.activation_cost import ActivationCostProbe
from cnnlab.training.probes.batch_norm import BatchNormProbe
from cnnlab.training.probes.kernels import KernelsProbe
from cnnlab.training.probes.layer_statistics import LayerStatisticsProbe
from cnnlab.training.probes.picture import PictureProbe
from cnnlab.training.probes.probe import Probe

__all__ = ["KINDS", "Probe", "kind_of", "probes"]

KINDS: list[type[Probe]] = [
    LayerStatisticsProbe,
    BatchNormProbe,
    KernelsProbe,
    PictureProbe,
    ActivationCostProbe,
]


def kind_of(probe: type[Probe]) -> str:
    """The name by which a configuration asks for a probe."""
    return str(probe.model_fields["kind"].default)


def probes(given: object) -> tuple[Probe, ...]:
    """Probes from models, or from the plain data that they become as JSON.

    Raises: ConfigError for a kind that does not exist, or one that is asked for twice.
    """
    if not isinstance(given, list | tuple):
        raise ConfigError(f"probes: {given!r} was given; a list of probes is allowed.")
    found = tuple(map(_probe, given))
    kinds = [probe.kind for probe in found]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise ConfigError(f"probes: {kind!r} was given twice; keep one of each kind.")
    return found


def _probe(given: object) -> Probe:
    known = {kind_of(probe): probe for probe in KINDS}
    if isinstance(given, Probe) and type(given) in KINDS:
        return given
    kind = given.get("kind") if isinstance(given, dict) else given
    if not isinstance(given, dict) or kind not in known:
        raise ConfigError(f"probes: there is no probe {kind!r}; there are {', '.join(known)}.")
    return known[kind](**given)

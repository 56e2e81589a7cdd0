"""The claims of the chapter as experiments: predicted, run over seeds, judged from the data."""

from cnnlab.errors import ConfigError
from cnnlab.experiments import (
    alexnet,
    batch_norm,
    densenet,
    googlenet,
    nin,
    norm_kinds,
    resnet,
    vgg,
)
from cnnlab.experiments.experiment import SEEDS, Experiment
from cnnlab.experiments.outcome import Outcome
from cnnlab.experiments.verdict import Verdict

__all__ = ["EXPERIMENTS", "SEEDS", "Experiment", "Outcome", "Verdict", "experiment", "of_section"]

_PAGES = (alexnet, vgg, nin, googlenet, batch_norm, norm_kinds, resnet, densenet)
EXPERIMENTS: dict[str, Experiment] = {one.id: one for page in _PAGES for one in page.EXPERIMENTS}


def of_section(slug: str) -> list[Experiment]:
    """The experiments of a page, in the order in which it shows them."""
    return [one for one in EXPERIMENTS.values() if one.section == slug]


def experiment(name: str) -> Experiment:
    """An experiment by its name. Raises: ConfigError naming those that exist."""
    if name not in EXPERIMENTS:
        raise ConfigError(f"There is no experiment {name!r}; there are {', '.join(EXPERIMENTS)}.")
    return EXPERIMENTS[name]

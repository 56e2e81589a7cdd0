"""What an exercise is: settings that a reader tries, and what is promised of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cnnlab import catalog
from cnnlab.exercises.checks import Check
from cnnlab.exercises.measures import Measure
from cnnlab.network_spec import NetworkSpec
from cnnlab.networks.options import Options
from cnnlab.training import RunConfig

View = Literal["Architecture", "Feature maps", "Train"]


@dataclass(frozen=True)
class Arm:
    """One of the settings that an exercise compares: a preset and what is changed in it.

    `changes` holds knobs of the network and settings of its run, told apart by their names.
    """

    name: str
    network: str
    preset: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spec(self) -> NetworkSpec:
        return catalog.network(self.network)

    @property
    def options(self) -> Options:
        """The preset with its knobs changed. Raises: ConfigError for what does not exist."""
        knobs = self.spec.options.model_fields
        changed = {name: value for name, value in self.changes.items() if name in knobs}
        return self.spec.preset(self.preset).replace(**changed)

    @property
    def image_size(self) -> int:
        """The side of the picture that enters the network. Units: pixels."""
        return int(self.changes.get("image_size", self.spec.preset_image_size(self.preset)))

    def config(self, **changes: Any) -> RunConfig:
        """The run that a reader starts here, with some settings changed."""
        knobs = self.spec.options.model_fields
        run = {name: value for name, value in self.changes.items() if name not in knobs}
        return RunConfig(network=self.network, options=self.options, **{**run, **changes})


def trained(name: str, network: str, **changes: Any) -> Arm:
    """An arm whose run ends soon: the small preset, in the format that every machine has."""
    return Arm(name, network, "small", {"precision": "float32", **changes})


@dataclass(frozen=True)
class Claim:
    """A promise: how figures of the exercise's arms lie to each other.

    `soon` says that it is seen in the short form of the exercise too.
    """

    measure: Measure
    check: Check
    soon: bool = True

    def says(self) -> str:
        """The promise in words."""
        return f"{self.measure.name}: {self.check.says()}"


@dataclass(frozen=True)
class Exercise:
    """Something to try: what the reader does, with which settings, and what is to be seen.

    `text` is what the page says, in Markdown. `short` holds the changes under which a run shows
    the effect in seconds; None where it takes the whole run.
    """

    id: str
    section: str
    view: View
    text: str
    arms: tuple[Arm, ...]
    claims: tuple[Claim, ...]
    short: Mapping[str, Any] | None = None

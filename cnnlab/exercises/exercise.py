"""What an exercise is: settings that a reader tries, and what is promised of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from cnnlab.configuration import Configuration, Value
from cnnlab.exercises.checks import Check
from cnnlab.exercises.measures import Measure
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
    changes: Mapping[str, Value] = field(default_factory=dict)

    @cached_property
    def configuration(self) -> Configuration:
        """What the page shows where a reader opens these settings.

        Raises: ConfigError for a network, a preset, a setting or a value that does not exist.
        """
        return Configuration(self.network, self.preset, self.changes)

    def config(self, **changes: Value) -> RunConfig:
        """The run that a reader starts here, with some settings changed."""
        return self.configuration.with_changes(**changes).run_config


def trained(name: str, network: str, **changes: Value) -> Arm:
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
    short: Mapping[str, Value] | None = None

"""The race: networks that train side by side for equal time, on equal images or equal steps."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cnnlab.compare.contenders import Contender, contender_of
from cnnlab.compare.rows import Speeds
from cnnlab.datasets import DATASETS
from cnnlab.errors import ConfigError
from cnnlab.training.config import RunConfig
from cnnlab.training.plan import Plan

Equal = Literal["time", "images", "steps"]
Axis = Literal["seconds", "images", "steps"]
FEWEST, MOST = 2, 7
# A race against the clock is planned longer than its time, so that none is done before: the speed
# is known from a few steps, and may have been taken beside other work.
AHEAD = 4
MOST_EPOCHS = 200


@dataclass(frozen=True)
class Terms:
    """What is equal in a race: how it is called, how much of it one can choose, and its axis.

    `begin` is enough for every small network to have learned something.
    """

    title: str
    unit: str
    amounts: tuple[int, ...]
    begin: int
    axis: Axis


TERMS: Mapping[Equal, Terms] = {
    "time": Terms("Equal time", "s", (5, 10, 20, 40, 60), 20, "seconds"),
    # Whole batches for every size of a batch that is a power of two.
    "images": Terms(
        "Equal images", "images", tuple(1024 * 2**n for n in range(1, 7)), 32_768, "images"
    ),
    "steps": Terms("Equal steps", "steps", tuple(25 * 2**n for n in range(7)), 400, "steps"),
}


@dataclass(frozen=True)
class Race:
    """Who trains on what, and what each of them gets.

    Units: `amount` seconds, images or steps, whichever is `equal`.
    Raises: ConfigError for too few or too many networks, or an amount that is not offered.
    """

    contenders: tuple[Contender, ...]
    dataset: str
    equal: Equal
    amount: int

    def __post_init__(self) -> None:
        if not FEWEST <= len(set(self.contenders)) == len(self.contenders) <= MOST:
            raise ConfigError(
                f"A race has {FEWEST} to {MOST} different networks; {len(self.contenders)} were "
                "given. Choose more of them, or fewer."
            )
        if self.dataset not in DATASETS:
            raise ConfigError(
                f"There is no data set {self.dataset!r}; there are {', '.join(DATASETS)}."
            )
        if self.equal not in TERMS or self.amount not in TERMS[self.equal].amounts:
            raise ConfigError(
                f"{self.equal!r} with {self.amount!r} was given. A race can be for: "
                + "; ".join(f"{name}, one of {list(one.amounts)}" for name, one in TERMS.items())
            )

    @property
    def name(self) -> str:
        """What the group of its runs is called."""
        unit = TERMS[self.equal].unit
        return f"Race of {len(self.contenders)}, {self.amount:,} {unit} each"

    def configs(self, speeds: Speeds) -> list[RunConfig]:
        """A run for each network, by its own recipe. Raises: ConfigError for one that cannot be."""
        return [self.config(one, speeds) for one in self.contenders]

    def config(self, contender: Contender, speeds: Speeds) -> RunConfig:
        """The run of one network."""
        config = contender.config(self.dataset)
        if self.equal == "time":
            return config.replace(epochs=self.epochs(config, speeds), budget_s=float(self.amount))
        size = config.batch_size if self.equal == "images" else 1
        epochs, train_size = passes(
            self.amount // size, config.batch_size, DATASETS[self.dataset].train_size
        )
        return config.replace(epochs=epochs, train_size=train_size)

    def epochs(self, config: RunConfig, speeds: Speeds) -> int:
        """So many that the time is over first, and few more, for reports are spread over all."""
        found = speeds(config)
        if found is None or not found.step_s:
            return MOST_EPOCHS
        epoch_s = found.step_s * (config.training_images // config.batch_size)
        return min(MOST_EPOCHS, math.ceil(AHEAD * self.amount / epoch_s))

    def price_s(self, speeds: Speeds) -> dict[Contender, float] | None:
        """Seconds for each network's run alone; None as long as the speed of one is not known."""
        found: dict[Contender, float] = {}
        for one in self.contenders:
            speed = speeds(one.config(self.dataset))
            if speed is None or speed.problem:
                return None
            found[one] = speed.run_s(self.config(one, speeds))
        return found


def passes(steps: int, batch_size: int, available: int) -> tuple[int, int]:
    """Epochs and training pictures that make so many steps of whole batches.

    Of all ways the one with the most different pictures.
    Raises: ConfigError where that many steps cannot be made.
    """
    most = available // batch_size
    fitting = [n for n in range(1, MOST_EPOCHS + 1) if steps % n == 0 and steps // n <= most]
    if steps < 1 or not fitting:
        raise ConfigError(
            f"{steps} steps of {batch_size} pictures cannot be made of {available} pictures in "
            f"{MOST_EPOCHS} epochs. Choose another amount, or another data set."
        )
    return fitting[0], steps // fitting[0] * batch_size


def equal_in(configs: Sequence[RunConfig]) -> Equal:
    """What was equal in a race of which only the runs are left."""
    if configs[0].budget_s is not None:
        return "time"
    images = {Plan.of(config, 1).steps * config.batch_size for config in configs}
    return "images" if len(images) == 1 else "steps"


def title_in_race(config: RunConfig) -> str:
    """What a run of a race is called beside the others."""
    found = contender_of(config)
    return found.title if found else config.network

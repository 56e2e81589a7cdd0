"""The checkpoints that come with the course, each held against its card before it is used."""

import datetime
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from torch import nn

from cnnlab.catalog import NETWORKS
from cnnlab.checkpoints.card import Card, checksum
from cnnlab.datasets import DATASETS
from cnnlab.errors import TrainingError, WeightsError
from cnnlab.networks.options import Options
from cnnlab.training import RunConfig, checkpoint

FOLDER = Path(__file__).parents[2] / "assets" / "checkpoints"
SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Shipped:
    """Trained weights in a file, and what their card says of them."""

    path: Path
    card: Card

    @property
    def network(self) -> str:
        return self.config.network

    @property
    def preset(self) -> str:
        return self.card.preset

    @property
    def config(self) -> RunConfig:
        return self.card.config

    @property
    def options(self) -> Options:
        return self.config.options

    @property
    def image_size(self) -> int:
        return self.config.image_size

    @property
    def dataset(self) -> str:
        return self.config.dataset

    @property
    def seed(self) -> int:
        return self.config.seed

    @property
    def test_accuracy(self) -> float:
        return self.card.test_accuracy

    @property
    def date(self) -> datetime.date:
        return self.card.date

    @property
    def title(self) -> str:
        return self.card.title

    def load(self, *, head: bool = True) -> nn.Module:
        """The network with these weights, in prediction mode; see `checkpoint.load`.

        Raises: WeightsError for a file that does not fit its card.
        """
        try:
            # A file that is much too large is not even read.
            fits = self.path.stat().st_size == self.card.size_bytes
            fits = fits and checksum(self.path) == self.card.sha256
            model, config = checkpoint.load(self.path, head=head) if fits else (None, None)
        except (OSError, TrainingError) as error:
            raise WeightsError(self._refusal("it cannot be read")) from error
        if model is None:
            raise WeightsError(self._refusal("it is not the file that the card is about"))
        if config != self.config:
            raise WeightsError(self._refusal("it was trained with other settings"))
        return model

    def _refusal(self, reason: str) -> str:
        return (
            f"{self.path.name} does not fit its card: {reason}. Get both files again with the "
            "project; until then, choose other weights."
        )


def shipped(network: str | None = None, folder: Path = FOLDER) -> tuple[Shipped, ...]:
    """All checkpoints, or those of a network, in the order of the catalog.

    There are none where only the library is installed. A file is read when it is loaded.

    Raises: WeightsError when a card is damaged.
    """
    cards = [(path, card_file(path)) for path in folder.glob(f"*{SUFFIX}")]
    found = [
        Shipped(path, _card(card, card.stat().st_mtime_ns)) for path, card in cards if card.exists()
    ]
    return tuple(sorted((s for s in found if network in (None, s.network)), key=_place))


def find(network: str, options: Options, dataset: str, folder: Path = FOLDER) -> Shipped | None:
    """The checkpoint of a network with these knobs, whatever data its input is set to.

    Raises: WeightsError when a card is damaged.
    """
    data = DATASETS[dataset]
    wanted = options.replace(in_channels=data.channels, num_classes=data.num_classes)
    fitting = (s for s in shipped(network, folder) if s.dataset == dataset and s.options == wanted)
    return next(fitting, None)


def load(path: Path, *, head: bool = True) -> tuple[nn.Module, RunConfig]:
    """The network in a file of the folder, as `checkpoint.load` gives those of runs.

    Raises: WeightsError for a file that does not fit its card, or has none.
    """
    one = Shipped(path, Card.read(card_file(path)))
    return one.load(head=head), one.config


def card_file(weights: Path) -> Path:
    """Where the card of a file of weights is."""
    return weights.with_suffix(".json")


@lru_cache(maxsize=256)
def _card(path: Path, _mtime_ns: int) -> Card:
    """The card in a file as it was written last; reading all of them again would take a while."""
    return Card.read(path)


def _place(one: Shipped) -> tuple[int, int, int]:
    presets = list(NETWORKS[one.network].presets)
    networks, data = list(NETWORKS), list(DATASETS)
    return networks.index(one.network), presets.index(one.preset), data.index(one.dataset)

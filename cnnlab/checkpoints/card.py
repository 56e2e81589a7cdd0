"""Card of a checkpoint: what was trained, where and when, how good it is, and which file it is."""

import datetime
import hashlib
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from cnnlab.catalog import NETWORKS
from cnnlab.datasets import DATASETS
from cnnlab.errors import ConfigError, WeightsError
from cnnlab.training import RunConfig
from cnnlab.validated import Validated
from cnnlab.words import inside, words


class Card(Validated):
    """What the file beside it holds; the accuracy is that of the file, not of the run.

    Units: `training_s` seconds of the whole run, `size_bytes` of the file.
    Raises: ConfigError for a field that is missing or is no such value.
    """

    preset: str
    config: RunConfig
    test_accuracy: float = Field(ge=0, le=1)
    test_images: int = Field(ge=1)
    params: int = Field(ge=1, le=10**12)
    training_s: float = Field(ge=0, allow_inf_nan=False)
    date: datetime.date
    machine: str
    torch: str
    command: str
    size_bytes: int = Field(ge=1)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")

    @model_validator(mode="after")
    def _check_preset(self) -> Self:
        NETWORKS[self.config.network].preset(self.preset)
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """The card in a file. Raises: WeightsError when it is damaged."""
        try:
            return cls.from_json(path.read_bytes())
        except (OSError, ConfigError) as error:
            raise WeightsError(
                f"The card {path.name} cannot be read: {error} Get the file again with the "
                "project, or delete it and its weights."
            ) from error

    @property
    def title(self) -> str:
        """The network, the preset and the pictures: "LeNet, small, on Fashion-MNIST"."""
        network = NETWORKS[self.config.network].title
        return f"{network}, {inside(words(self.preset))}, on {DATASETS[self.config.dataset].title}"


def checksum(path: Path) -> str:
    """The sha256 of a file. Raises: OSError when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

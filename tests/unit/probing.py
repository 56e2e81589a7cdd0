"""What tests of probes share: a small data set, every probe, and a run's measurements."""

from collections.abc import Iterable, Sequence

import torch
from PIL import Image

from cnnlab import datasets
from cnnlab.datasets import Dataset
from cnnlab.training import RunConfig
from cnnlab.training.events import Event, Measurement
from cnnlab.training.probes import Probe
from cnnlab.training.probes.batch_norm import BatchNormProbe
from cnnlab.training.probes.kernels import KernelsProbe
from cnnlab.training.probes.layer_statistics import LayerStatisticsProbe
from cnnlab.training.probes.picture import PictureProbe

# Dropout and batch normalization: the two that a careless look would disturb.
CONFIG = RunConfig(
    network="lenet",
    options={"dropout": 0.5, "batch_norm": True},
    train_size=96,
    batch_size=16,
    epochs=2,
    seed=3,
    device="cpu",
    precision="float32",
)


def small_data() -> Dataset:
    """A few pictures of noise, which are there at once."""
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (128, 3, 32, 32), dtype=torch.uint8, generator=random)
    labels = torch.arange(128) % 10
    names = datasets.DATASETS["shapes"].class_names
    return Dataset(images, labels, images[:40], labels[:40], names)


def every_probe(layers: Sequence[str] = ("conv1", "act3")) -> tuple[Probe, ...]:
    """All kinds, at steps of their own."""
    picture = Image.linear_gradient("L").convert("RGB")
    return (
        LayerStatisticsProbe(every=3),
        BatchNormProbe(every=2),
        KernelsProbe(),
        PictureProbe.of(picture, layers=tuple(layers), every=5),
    )


def measurements(events: Iterable[Event]) -> list[Measurement]:
    """What the probes of a run read."""
    return [event for event in events if isinstance(event, Measurement)]


def without_times(found: Iterable[Measurement]) -> list[Measurement]:
    """The same but for when it was read."""
    return [one.model_copy(update={"elapsed_s": 0.0}) for one in found]


def noise() -> Image.Image:
    """A picture that a file can hardly make smaller."""
    return Image.effect_noise((500, 300), 90).convert("RGB")

"""ImageNet weights for the presets that are torchvision's models: fetched on request, then kept."""

import pickle
import re
import threading
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor, nn

from cnnlab import budget, catalog, features
from cnnlab.checkpoints.card import checksum
from cnnlab.datasets import download
from cnnlab.datasets.download import Progress
from cnnlab.errors import WeightsError
from cnnlab.folders import cache_folder, size_bytes
from cnnlab.networks.options import Options
from cnnlab.trace import trace_of

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum

# Which weights of torchvision a preset takes; addresses, sizes and accuracies are torchvision's.
WEIGHTS = {
    ("alexnet", "torchvision"): "AlexNet_Weights.IMAGENET1K_V1",
    ("vgg", "vgg11"): "VGG11_Weights.IMAGENET1K_V1",
    ("vgg", "vgg13"): "VGG13_Weights.IMAGENET1K_V1",
    ("vgg", "vgg16"): "VGG16_Weights.IMAGENET1K_V1",
    ("vgg", "vgg19"): "VGG19_Weights.IMAGENET1K_V1",
    ("googlenet", "torchvision"): "GoogLeNet_Weights.IMAGENET1K_V1",
    ("resnet", "resnet18"): "ResNet18_Weights.IMAGENET1K_V1",
    ("resnet", "resnet34"): "ResNet34_Weights.IMAGENET1K_V1",
    ("resnet", "resnet50"): "ResNet50_Weights.IMAGENET1K_V1",
    ("densenet", "densenet121"): "DenseNet121_Weights.IMAGENET1K_V1",
}
# torchvision builds GoogLeNet with these; the heads are for training, and ours has none of them.
EXTRA: dict[str, dict[str, Any]] = {"googlenet": {"aux_logits": False, "init_weights": False}}
# GoogLeNet's were learned with pictures from -1 to 1, which torchvision's model sees to itself.
SCALES = {"googlenet": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))}
# Files from before a dot in a module's name was forbidden.
DOTTED = re.compile(r"^(.*denselayer\d+\.(?:norm|conv))\.([12]\..*)$")
# While a file is read, a little more than its bytes is in memory.
ROOM = 1.2
# What PyTorch and we raise over a file that holds something else than the tensors.
UNREADABLE = (
    *(OSError, EOFError, RuntimeError, KeyError, AttributeError, TypeError, ValueError),
    *(pickle.UnpicklingError, IndexError),
)
_locks: dict[Path, threading.Lock] = defaultdict(threading.Lock)


@dataclass(frozen=True)
class Published:
    """Weights that torchvision publishes, and what their network expects of a picture.

    Units: `size_bytes` of the download; `mean` and `std` of values from 0 to 1.
    """

    network: str
    preset: str
    model: str
    url: str
    sha256_begin: str
    size_bytes: int
    test_accuracy: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: int
    image_size: int
    class_names: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Where the file is once it was fetched."""
        return cache_folder() / "imagenet" / self.url.rpartition("/")[2]

    @property
    def is_here(self) -> bool:
        """Whether the file is on this machine; it is checked when it is loaded."""
        return size_bytes(self.path) is not None

    @property
    def options(self) -> Options:
        return catalog.network(self.network).preset(self.preset)

    def batch(self, picture: Image.Image) -> Tensor:
        """A picture as these weights were tested: shorter side resized, the centre cut out.

        The values stay from 0 to 1; the network that `load` gives does the rest.

        Shape: (1, 3, image_size, image_size).
        """
        from torchvision.transforms._presets import ImageClassification

        plain = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
        cut = ImageClassification(crop_size=self.image_size, resize_size=self.resize, **plain)
        made: Tensor = cut(picture.convert("RGB"))
        return made[None].clamp(0, 1)

    def top(self, logits: Tensor, count: int = 5) -> list[tuple[str, float]]:
        """The classes with the highest probability, the first one first.

        Shape: `logits` (1, 1000).
        """
        best = logits[0].softmax(0).topk(count)
        pairs = zip(best.values.tolist(), best.indices.tolist(), strict=True)
        return [(self.class_names[index], probability) for probability, index in pairs]


class Standardize:
    """Hook before a network: pictures from 0 to 1 become what the weights were learned with."""

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        self.mean, self.std = mean, std

    def __call__(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
        """Shape: ((N, 3, H, W),) -> (N, 3, H, W)."""
        x = inputs[0]
        mean, std = (x.new_tensor(values)[:, None, None] for values in (self.mean, self.std))
        return (x - mean) / std


@lru_cache(maxsize=len(WEIGHTS))
def published(network: str, preset: str) -> Published:
    """What torchvision publishes for a preset.

    Raises: WeightsError where the preset is none of its models.
    """
    # Not above: torchvision takes a third of the time in which a process starts.
    from torchvision.models import get_weight

    if (network, preset) not in WEIGHTS:
        names = ", ".join(f"{network} {preset}" for network, preset in WEIGHTS)
        raise WeightsError(
            f"There are no ImageNet weights for {network} {preset}; there are for {names}."
        )
    weights: WeightsEnum = get_weight(WEIGHTS[network, preset])
    way = weights.transforms()
    mean, std = SCALES.get(network, (tuple(way.mean), tuple(way.std)))
    return Published(
        network=network,
        preset=preset,
        model=WEIGHTS[network, preset].partition("_")[0].lower(),
        url=weights.url,
        # As in torch.hub: the name of the file ends with the first digits of its checksum.
        sha256_begin=weights.url.rpartition("-")[2].removesuffix(".pth"),
        size_bytes=round(weights.meta["_file_size"] * 2**20),
        test_accuracy=weights.meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100,
        mean=mean,
        std=std,
        resize=way.resize_size[0],
        image_size=way.crop_size[0],
        class_names=tuple(weights.meta["categories"]),
    )


def find(network: str, options: Options) -> Published | None:
    """What is published for a network with these knobs; the channels of the input do not count."""
    spec = catalog.network(network)
    for name, preset in spec.presets.items():
        same = {"in_channels": preset.in_channels, "num_classes": preset.num_classes}
        if (network, name) in WEIGHTS and options.replace(**same) == preset:
            return published(network, name)
    return None


def fetch(asked: Published, progress: Progress | None = None) -> None:
    """Download the weights, unless they are here; two readers who ask at once wait for one.

    Raises: WeightsError when they cannot be had or written.
    """
    try:
        with _locks[asked.path]:
            download.save_first(
                [asked.url], asked.path, lambda file: _is_right(asked, file), progress
            )
    except (download.Unanswered, OSError) as problem:
        raise WeightsError(
            f"The ImageNet weights of {asked.preset} could not be downloaded "
            f"({asked.size_bytes / 1e6:.0f} MB): {problem}. Check the connection and try again, or "
            f"put {asked.path.name} into {asked.path.parent} yourself. The weights that come with "
            "the course need no download."
        ) from problem


def load(asked: Published, *, head: bool = True) -> nn.Module:
    """The network with the weights of the file, in prediction mode, for pictures from 0 to 1.

    Raises: WeightsError when the file is not here or not the right one, or memory too small.
    """
    check_room(asked)
    try:
        if not _is_right(asked, asked.path):
            raise WeightsError(
                f"{asked.path.name} is not the file that was published: its checksum is another. "
                "Delete it and download it again."
            )
        state = torch.load(asked.path, map_location="cpu", weights_only=True)
        model = _filled(asked, state)
    except FileNotFoundError as error:
        raise WeightsError(
            f"The ImageNet weights of {asked.preset} are not on this machine. Download them first."
        ) from error
    except UNREADABLE as error:
        raise WeightsError(
            f"{asked.path.name} cannot be read ({type(error).__name__}). Delete it and download "
            "it again."
        ) from error
    if not head:
        spec = catalog.network(asked.network)
        features.take_off_head(model, trace_of(spec, asked.options, asked.image_size).shapes)
    model.register_forward_pre_hook(Standardize(asked.mean, asked.std))
    return model.eval()


def check_room(asked: Published) -> None:
    """Raises: WeightsError when the weights take more memory than a page may have."""
    allowed, needed = budget.PASS * budget.memory_bytes(), ROOM * asked.size_bytes
    if needed > allowed:
        raise WeightsError(
            f"The ImageNet weights of {asked.preset} need {needed / 2**20:,.0f} MB of memory, and "
            f"a page may take {allowed / 2**20:,.0f} MB on this machine. Choose a smaller network."
        )


def _is_right(asked: Published, file: Path) -> bool:
    return checksum(file).startswith(asked.sha256_begin)


def _filled(asked: Published, state: dict[str, Tensor]) -> nn.Module:
    """Our network with torchvision's tensors, which stand in the same order."""
    import torchvision

    with torch.device("meta"):
        extra = EXTRA.get(asked.network, {})
        reference = torchvision.models.get_model(asked.model, weights=None, **extra)
    spec = catalog.network(asked.network)
    ours = spec.build(asked.options, device="meta", image_size=asked.image_size)
    state = {DOTTED.sub(r"\1\2", name): tensor for name, tensor in state.items()}
    # Old files do not count batches, and nothing here reads the count.
    counts = {n: torch.tensor(0) for n in reference.state_dict() if n.endswith("tracked")}
    theirs = [(counts | state)[name] for name in reference.state_dict()]
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs, strict=True)), assign=True)
    return ours

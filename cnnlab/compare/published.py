"""Published figures of networks that are built here exactly so: parameters, accuracies."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnlab.compare.contenders import Contender
from cnnlab.summary import layers
from cnnlab.trace import trace_of

BOOK = "Dive into Deep Learning 0.17.6, section {}"
TORCHVISION = "torchvision's documentation"
# On which the book trains, and for how long.
BOOK_DATASET, BOOK_EPOCHS = "fashion_mnist", 10


@dataclass(frozen=True)
class Accuracy:
    """Test accuracies that the book publishes, each of them one draw.

    `build` is the last classic English build; `median`, `low` and `high` are the median and the
    10th and 90th percentile over about a hundred published builds.
    """

    build: float
    median: float
    low: float
    high: float

    def verdict(self, accuracy: float) -> str:
        """Where an accuracy lies beside the range of the builds."""
        if accuracy < self.low:
            return "below"
        return "above" if accuracy > self.high else "inside"


@dataclass(frozen=True)
class Published:
    """What is published of a preset as it stands, and by whom."""

    network: str
    preset: str
    params: int
    source: str
    accuracy: Accuracy | None = None

    @property
    def contender(self) -> Contender:
        return Contender(self.network, self.preset)


def book(
    network: str, preset: str, section: str, params: int, accuracy: Accuracy | None = None
) -> Published:
    """A network of the book. Its parameters are those of its code, counted."""
    return Published(network, preset, params, BOOK.format(section), accuracy)


def torchvision(network: str, preset: str, params: int) -> Published:
    """A network of torchvision, for a thousand classes."""
    return Published(network, preset, params, TORCHVISION)


PUBLISHED: tuple[Published, ...] = (
    book("lenet", "d2l", "6.6", 61_706, Accuracy(0.809, 0.806, 0.781, 0.820)),
    book("lenet", "d2l_bn", "7.5", 44_878, Accuracy(0.838, 0.843, 0.760, 0.876)),
    book("alexnet", "d2l", "7.1", 46_764_746, Accuracy(0.884, 0.881, 0.875, 0.884)),
    book("vgg", "d2l", "7.2", 43_093_322, Accuracy(0.916, 0.919, 0.913, 0.923)),
    book("vgg", "d2l_full", "7.2", 128_806_154),
    book("nin", "d2l", "7.3", 1_992_166, Accuracy(0.867, 0.844, 0.402, 0.873)),
    book("googlenet", "d2l", "7.4", 5_977_530, Accuracy(0.889, 0.888, 0.869, 0.896)),
    book("resnet", "d2l", "7.6", 11_178_378, Accuracy(0.865, 0.913, 0.872, 0.921)),
    book("densenet", "d2l", "7.7", 758_226, Accuracy(0.882, 0.878, 0.807, 0.905)),
    torchvision("alexnet", "torchvision", 61_100_840),
    torchvision("vgg", "vgg11", 132_863_336),
    torchvision("vgg", "vgg16", 138_357_544),
    torchvision("googlenet", "torchvision", 6_624_904),
    torchvision("resnet", "resnet18", 11_689_512),
    torchvision("resnet", "resnet34", 21_797_672),
    torchvision("resnet", "resnet50", 25_557_032),
    torchvision("densenet", "densenet121", 7_978_856),
)


def of(contender: Contender, found: Sequence[Published] = PUBLISHED) -> Published | None:
    """What is published of a contender; None where nothing is."""
    return next((one for one in found if one.contender == contender), None)


def ours(published: Published) -> int:
    """The parameters of the preset as it is built here."""
    spec = published.contender.spec
    size = spec.preset_image_size(published.preset)
    return layers(trace_of(spec, spec.preset(published.preset), size)).params

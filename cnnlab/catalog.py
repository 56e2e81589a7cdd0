"""Catalog: the networks and the sections of the chapter, each listed once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from torch import nn

from cnnlab.errors import ConfigError
from cnnlab.network_spec import NetworkSpec, Recipe
from cnnlab.networks import (
    alexnet,
    densenet,
    googlenet,
    inception,
    lenet,
    nin,
    residual,
    resnet,
    vgg,
)
from cnnlab.validated import shortened

__all__ = [
    "NETWORKS",
    "SECTIONS",
    "NetworkSpec",
    "Recipe",
    "Section",
    "build",
    "network",
]


def build(
    name: str, preset: str = "d2l", *, image_size: int | None = None, **knobs: Any
) -> nn.Module:
    """Build a network of the catalog from a preset, some of its knobs changed.

    Units: `image_size` pixels per side; the one that the preset is meant for when left out.
    Raises: ConfigError for a name, preset or knob that does not exist or is out of bounds.
    """
    spec = network(name)
    size = spec.preset_image_size(preset) if image_size is None else image_size
    return spec.build(spec.preset(preset).replace(**knobs), image_size=size)


def network(name: str) -> NetworkSpec:
    """The entry of a network. Raises: ConfigError naming those that exist."""
    if name not in NETWORKS:
        given = shortened(name)
        raise ConfigError(f"There is no network {given}; there are {', '.join(NETWORKS)}.")
    return NETWORKS[name]


def book_recipe(image_size: int, batch_size: int, lr: float) -> Recipe:
    """How the book trains: plain SGD for ten epochs on Fashion-MNIST, from Xavier weights.

    Source: Dive into Deep Learning 0.17.6.
    """
    return Recipe(image_size, batch_size, lr, epochs=10, dataset="fashion_mnist", init="xavier")


# The quick recipes are ours.
NETWORKS: dict[str, NetworkSpec] = {
    spec.name: spec
    for spec in (
        NetworkSpec(
            name="lenet",
            title="LeNet",
            year=1998,
            paper="LeCun et al. 1998",
            network=lenet.LeNet,
            options=lenet.LeNetOptions,
            presets=lenet.PRESETS,
            book=book_recipe(image_size=28, batch_size=256, lr=0.9),
            quick=Recipe(image_size=32, batch_size=64, lr=0.02, epochs=6, momentum=0.9),
            recipes={"d2l_bn": book_recipe(image_size=28, batch_size=256, lr=1.0)},
        ),
        NetworkSpec(
            name="alexnet",
            title="AlexNet",
            year=2012,
            paper="Krizhevsky et al. 2012",
            network=alexnet.AlexNet,
            options=alexnet.AlexNetOptions,
            presets=alexnet.PRESETS,
            book=book_recipe(image_size=224, batch_size=128, lr=0.01),
            quick=Recipe(
                image_size=48, batch_size=64, lr=0.001, epochs=3, optimizer="adam", init="kaiming"
            ),
        ),
        NetworkSpec(
            name="vgg",
            title="VGG",
            year=2014,
            paper="Simonyan & Zisserman 2014",
            network=vgg.VGG,
            options=vgg.VGGOptions,
            presets=vgg.PRESETS,
            blocks=(vgg.VGGBlock,),
            book=book_recipe(image_size=224, batch_size=128, lr=0.05),
            quick=Recipe(
                image_size=32, batch_size=64, lr=0.001, epochs=3, optimizer="adam", init="kaiming"
            ),
        ),
        NetworkSpec(
            name="nin",
            title="NiN",
            year=2013,
            paper="Lin et al. 2013",
            network=nin.NiN,
            options=nin.NiNOptions,
            presets=nin.PRESETS,
            blocks=(nin.NiNBlock,),
            book=book_recipe(image_size=224, batch_size=128, lr=0.1),
            quick=Recipe(
                image_size=48, batch_size=64, lr=0.001, epochs=3, optimizer="adam", init="kaiming"
            ),
        ),
        NetworkSpec(
            name="googlenet",
            title="GoogLeNet",
            year=2014,
            paper="Szegedy et al. 2014",
            network=googlenet.GoogLeNet,
            options=googlenet.GoogLeNetOptions,
            presets=googlenet.PRESETS,
            blocks=(inception.Inception, googlenet.AuxiliaryHead),
            book=book_recipe(image_size=96, batch_size=128, lr=0.1),
            quick=Recipe(image_size=40, batch_size=64, lr=0.05, epochs=2, momentum=0.9),
        ),
        NetworkSpec(
            name="resnet",
            title="ResNet",
            year=2015,
            paper="He et al. 2015",
            network=resnet.ResNet,
            options=resnet.ResNetOptions,
            presets=resnet.PRESETS,
            blocks=get_args(residual.Block),
            book=book_recipe(image_size=96, batch_size=256, lr=0.05),
            quick=Recipe(image_size=32, batch_size=64, lr=0.05, epochs=2, momentum=0.9),
        ),
        NetworkSpec(
            name="densenet",
            title="DenseNet",
            year=2016,
            paper="Huang et al. 2016",
            network=densenet.DenseNet,
            options=densenet.DenseNetOptions,
            presets=densenet.PRESETS,
            blocks=(densenet.DenseBlock, densenet.DenseLayer, densenet.Transition),
            book=book_recipe(image_size=96, batch_size=256, lr=0.1),
            quick=Recipe(image_size=32, batch_size=64, lr=0.1, epochs=2, momentum=0.9),
        ),
    )
}


@dataclass(frozen=True)
class Section:
    """A section of the chapter, which is a page of the app."""

    slug: str
    number: str
    title: str
    aim: str
    networks: tuple[str, ...]
    main_knobs: tuple[str, ...]
    preset: str = "d2l"
    # What is drawn of each network: kinds of `diagrams.figures.FIGURES`.
    figures: tuple[str, ...] = ("network", "block")
    # Networks that are drawn next to the one that the page is about, as in the book.
    beside: tuple[str, ...] = ()
    # Files of `cnnlab/networks` that readers see besides the network's own.
    code: tuple[str, ...] = ()
    # What is changed in the preset when the page opens.
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        return f"{self.number} {self.title}"

    def source_files(self, spec: NetworkSpec) -> list[Path]:
        """The files that the page shows, with the network that it works on last."""
        return [*(spec.source_file.with_name(name) for name in self.code), spec.source_file]


SECTIONS: dict[str, Section] = {
    section.slug: section
    for section in (
        Section(
            slug="alexnet",
            number="9.1",
            title="AlexNet",
            aim="See what made a deep network trainable in 2012, and what it costs against LeNet.",
            networks=("alexnet", "lenet"),
            main_knobs=("activation", "dropout"),
            beside=("alexnet", "lenet"),
        ),
        Section(
            slug="vgg",
            number="9.2",
            title="VGG",
            aim="Build a network from one repeated block, and watch where the parameters go.",
            networks=("vgg",),
            main_knobs=("depth", "blocks", "base_channels", "kernel_size"),
            preset="d2l_full",
        ),
        Section(
            slug="nin",
            number="9.3",
            title="NiN",
            aim="Replace the fully-connected layers by 1×1 convolutions and an average.",
            networks=("nin",),
            main_knobs=("pointwise", "head", "final_activation"),
        ),
        Section(
            slug="googlenet",
            number="9.4",
            title="GoogLeNet",
            aim="Look at four filter sizes side by side, and find out what each path costs.",
            networks=("googlenet",),
            main_knobs=("paths", "reductions", "width", "batch_norm"),
            code=("inception.py",),
        ),
        Section(
            slug="batch_norm",
            number="9.5",
            title="Batch normalization",
            aim="Switch batch normalization on and off, and watch what it does to training.",
            networks=("lenet", "alexnet", "vgg", "nin", "googlenet", "resnet", "densenet"),
            main_knobs=("batch_norm", "activation", "norm", "norm_place"),
            preset="d2l_bn",
            figures=("norm_placement",),
            code=("batch_norm.py",),
            changes={"batch_norm": True},
        ),
        Section(
            slug="resnet",
            number="9.6",
            title="ResNet",
            aim="Take the skips out of a deep network, put them back, and compare.",
            networks=("resnet",),
            main_knobs=("skip", "depth"),
            code=("residual.py",),
        ),
        Section(
            slug="densenet",
            number="9.7",
            title="DenseNet",
            aim="Concatenate instead of adding, and see how few parameters are enough.",
            networks=("densenet",),
            main_knobs=("growth_rate", "layers"),
        ),
    )
}

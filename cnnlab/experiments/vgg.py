"""Experiments on the page of VGG."""

from collections.abc import Mapping

from cnnlab.configuration import Value
from cnnlab.exercises.exercise import trained
from cnnlab.experiments.efficiency import Efficiency
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.metrics import AtEnd
from cnnlab.experiments.verdict import Ahead, Trend

RUN: Mapping[str, Value] = {"base_channels": 8, "train_size": 4000, "epochs": 6}
DEPTHS = (8, 11, 16)

EXPERIMENTS = (
    Experiment(
        id="vgg-depth",
        section="vgg",
        question="At equal width, is a deeper VGG better after a short run?",
        claim="The error falls as depth grows from 11 to 19 layers.",
        source="Simonyan & Zisserman 2014, section 4.1",
        arms=tuple(trained(f"{depth} layers", "vgg", depth=depth, **RUN) for depth in DEPTHS),
        differs=("depth",),
        metric=AtEnd("train_loss"),
        also=(AtEnd("test_accuracy"),),
        rule=Trend(tuple(f"{depth} layers" for depth in DEPTHS)),
        why="A deeper plain network can say more, and is harder to start: every further layer "
        "changes the size of what passes through it. In a short run the second soon outweighs the "
        "first. Even with Kaiming's first weights, made for ReLU, 16 layers can stand still for a "
        "whole run.",
        contested="The paper's networks were trained to the end, on ImageNet. A run of seconds can "
        "only show how well depth starts, not where it ends.",
    ),
    Experiment(
        id="vgg-windows-5",
        section="vgg",
        question="Two 3×3 convolutions or one 5×5, everywhere: which network learns more?",
        claim="A stack of small windows beats one large window that sees as much.",
        source="Simonyan & Zisserman 2014, sections 2.3 and 4.1",
        arms=(
            trained("two 3×3", "vgg", depth=13, **RUN),
            trained("one 5×5", "vgg", depth=8, kernel_size=5, **RUN),
        ),
        differs=("depth", "kernel_size"),
        metric=AtEnd("train_loss"),
        rule=Ahead("two 3×3", "one 5×5", predictions=("Two 3×3 learn more", "One 5×5 learns more")),
        also=(AtEnd("test_accuracy"),),
        why="Both see 5×5 pixels. Where the channels stay, the stack has 18 weights for 25 of the "
        "large window, and one ReLU more. It also has twice as many convolutions one after the "
        "other, and depth has to be paid for at the start of a run.",
        contested="The authors found the stack ahead. Their networks are eight times as wide and "
        "were trained to the end: there the cost of the start no longer counts.",
    ),
    Experiment(
        id="vgg-windows-7",
        section="vgg",
        question="Three 3×3 convolutions or one 7×7, everywhere: which network learns more?",
        claim="A stack of small windows beats one large window that sees as much.",
        source="Simonyan & Zisserman 2014, section 2.3",
        arms=(
            trained("three 3×3", "vgg", depth=18, **RUN),
            trained("one 7×7", "vgg", depth=8, kernel_size=7, **RUN),
        ),
        differs=("depth", "kernel_size"),
        metric=AtEnd("train_loss"),
        rule=Ahead(
            "three 3×3", "one 7×7", predictions=("Three 3×3 learn more", "One 7×7 learns more")
        ),
        also=(AtEnd("test_accuracy"),),
        why="27 weights against 49 for the same view of 7×7 pixels, where the channels stay. But "
        "18 layers without batch norm take long to begin to learn at all.",
        contested="The argument is one of counts: fewer weights and more ReLUs. How long the "
        "deeper network takes to start is no part of it.",
    ),
    Experiment(
        id="vgg-channels",
        section="vgg",
        question="Half the channels, a quarter of the arithmetic: does the network learn less?",
        claim="Wider layers reach more in the same number of steps.",
        source="the book's exercise; the claim is ours",
        arms=(
            trained("16 channels", "vgg", **{**RUN, "base_channels": 16}),
            trained("8 channels", "vgg", **RUN),
        ),
        differs=("base_channels",),
        metric=AtEnd("train_loss"),
        rule=Ahead(
            "16 channels",
            "8 channels",
            predictions=("With 16 channels it learns more", "With 8 channels it learns more"),
        ),
        also=(AtEnd("test_accuracy"), Efficiency(), Efficiency("macs")),
        why="Twice the channels are four times the weights in nearly every convolution. More "
        "detectors mean more chances that one of them starts out useful.",
        contested="Steps are equal here, not seconds: a step of the wide network is nearly four "
        "times the arithmetic. And where the pictures are easy, few channels can be enough.",
    ),
    Experiment(
        id="vgg-input",
        section="vgg",
        question="Half the side is a quarter of the work: does the network learn as much?",
        claim="More pixels give more to learn from.",
        source="the book's exercise; the claim is ours",
        arms=(
            trained("64 pixels", "vgg", image_size=64, **RUN),
            trained("32 pixels", "vgg", image_size=32, **RUN),
        ),
        differs=("image_size",),
        metric=AtEnd("train_loss"),
        rule=Ahead(
            "64 pixels",
            "32 pixels",
            predictions=("With 64 pixels it learns more", "With 32 pixels it learns more"),
        ),
        also=(AtEnd("test_accuracy"),),
        why="The five poolings leave one pixel of 32, and 2×2 of 64. What is small or thin in the "
        "picture is gone after the second pooling at the smaller size.",
        contested="Only pictures that have the detail can gain: Fashion-MNIST's have 28 pixels, "
        "and enlarging them adds none. The network for 64 pixels also has a fifth more weights.",
    ),
)

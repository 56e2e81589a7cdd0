"""Experiments on the page of GoogLeNet."""

from collections.abc import Mapping

from cnnlab.configuration import Value
from cnnlab.exercises.exercise import trained
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.metrics import AtEnd, FirstGradient
from cnnlab.experiments.verdict import Ahead
from cnnlab.training.probes.layer_statistics import LayerStatisticsProbe

PATHS = {
    "all four": "all",
    "without 1×1": "without_1x1",
    "without 3×3": "without_3x3",
    "without 5×5": "without_5x5",
    "without pooling": "without_pooling",
}
RUN: Mapping[str, Value] = {"train_size": 2000, "epochs": 2}

# Without reductions a block is many times as large.
NARROW: Mapping[str, Value] = {"train_size": 1000, "epochs": 3, "width": 0.125}
HEADS: Mapping[str, Value] = {
    "train_size": 2000,
    "epochs": 4,
    "batch_norm": False,
    "init": "kaiming",
    "lr": 0.02,
}

EXPERIMENTS = (
    Experiment(
        id="googlenet-batch-norm",
        section="googlenet",
        question="GoogLeNet of 2014 had no batch norm. Would a short run have got anywhere?",
        claim="Batch norm lets the same Inception network learn in far fewer steps.",
        source="Ioffe & Szegedy 2015, section 4.2",
        arms=(
            trained("with batch norm", "googlenet", batch_norm=True, **RUN),
            trained("without", "googlenet", batch_norm=False, **RUN),
        ),
        differs=("batch_norm",),
        metric=AtEnd("train_loss"),
        rule=Ahead("with batch norm", "without"),
        also=(AtEnd("test_accuracy"),),
        why="Twenty-two layers shrink the values from layer to layer, until nearly the same logits "
        "come out for every picture. Batch norm brings every channel back to the same size, so "
        "that there is something to learn from at the first step.",
        contested="The authors of GoogLeNet trained it without batch norm, with two auxiliary "
        "heads and far longer. That it stands still here says how slow its start is.",
    ),
    Experiment(
        id="googlenet-paths",
        section="googlenet",
        question="Take out one path of every block: is the largest, the 3×3, missed?",
        claim="All four paths contribute.",
        source="Szegedy et al. 2014, section 4, by implication",
        arms=tuple(trained(name, "googlenet", paths=paths, **RUN) for name, paths in PATHS.items()),
        differs=("paths",),
        metric=AtEnd("test_accuracy"),
        rule=Ahead("all four", "without 3×3"),
        also=(AtEnd("train_loss"),),
        why="The 3×3 path holds nearly two thirds of a block's weights, so the verdict is about "
        "it. The others see what it sees, at another scale. Without one of them later blocks read "
        "fewer channels, and a smaller network can be quicker to start: look at the training "
        "losses.",
        contested="Every arm but the first is also smaller: what is missed may be the weights and "
        "not the path.",
    ),
    Experiment(
        id="googlenet-alone",
        section="googlenet",
        question="Four paths, or one 3×3 path with as many parameters?",
        claim="Several scales side by side are better than one.",
        source="Szegedy et al. 2014, section 4",
        arms=(
            trained("four paths", "googlenet", paths="all", **RUN),
            trained("one path", "googlenet", paths="3x3_alone", **RUN),
        ),
        differs=("paths",),
        metric=AtEnd("test_accuracy"),
        rule=Ahead("four paths", "one path"),
        also=(AtEnd("train_loss"),),
        why="Parameters and arithmetic are equal, to half a per cent. What differs is whether a "
        "block may look at one scale or at four.",
        contested="The channel counts were tuned for four paths.",
    ),
    Experiment(
        id="googlenet-reductions",
        section="googlenet",
        question="Leave out the 1×1 convolutions before the large windows: what do they cost?",
        claim="They save most of the arithmetic and cost no accuracy.",
        source="Szegedy et al. 2014, section 4",
        arms=(
            trained("without", "googlenet", reductions=False, **NARROW),
            trained("with 1×1", "googlenet", reductions=True, **NARROW),
        ),
        differs=("reductions",),
        metric=AtEnd("test_accuracy"),
        rule=Ahead("without", "with 1×1", claimed="open"),
        also=(AtEnd("train_loss"),),
        why="Without the reductions the windows read every channel, and the pooling path passes "
        "all of them on: blocks grow as they follow each other. Here that is 15 times the weights "
        "and seven times the arithmetic. A loss above 2.30 is worse than guessing: so wide a "
        "network may need smaller steps.",
        contested="Where the arm without does worse, the 1×1 convolutions cost nothing at all. "
        "But it is far wider and has the same learning rate, which need not suit it.",
    ),
    Experiment(
        id="googlenet-auxiliary",
        section="googlenet",
        question="Two more classifiers halfway, without batch norm: do they help the start?",
        claim="Auxiliary heads bring the gradient to the early layers, so that the start is "
        "quicker.",
        source="Szegedy et al. 2014, section 5; doubted in Szegedy et al. 2015, section 4",
        arms=(
            trained("with heads", "googlenet", auxiliary=True, **HEADS),
            trained("without", "googlenet", auxiliary=False, **HEADS),
        ),
        differs=("auxiliary",),
        metric=AtEnd("train_loss"),
        rule=Ahead("with heads", "without"),
        also=(AtEnd("test_accuracy"), FirstGradient()),
        probes=(LayerStatisticsProbe(),),
        why="The loss of a head halfway reaches the first layers on a shorter way. How much that "
        "is worth depends on the first weights: with these, Kaiming's, much of the gradient "
        "arrives without the heads too. See the share of the first layer.",
        contested="Some of the same authors later found that the heads do not help early on, and "
        "only regularize a little at the end.",
    ),
)

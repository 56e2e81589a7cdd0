"""Experiments on the page of GoogLeNet."""

from collections.abc import Mapping

from cnnlab.configuration import Value
from cnnlab.exercises.exercise import trained
from cnnlab.experiments.each_missed import EachMissed
from cnnlab.experiments.efficiency import Efficiency
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.metrics import AtEnd, FirstGradient
from cnnlab.experiments.no_worse import NoWorse
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

# With the rate falling to zero the last epoch is calm: a path that is missed shows.
CALM: Mapping[str, Value] = {**RUN, "epochs": 3, "schedule": "cosine"}
# A rate at which the widest network learns as well as the narrowest.
REDUCED: Mapping[str, Value] = {
    "train_size": 1000,
    "epochs": 4,
    "lr": 0.02,
    "schedule": "cosine",
}
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
        rule=Ahead(
            "with batch norm",
            "without",
            predictions=("With batch norm it learns more", "Without it learns more"),
        ),
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
        question="Take out one path of every block: is each of the four missed?",
        claim="All four paths contribute.",
        source="Szegedy et al. 2014, section 4, by implication",
        arms=tuple(
            trained(name, "googlenet", paths=paths, **CALM) for name, paths in PATHS.items()
        ),
        differs=("paths",),
        metric=AtEnd("test_accuracy"),
        rule=EachMissed("all four", tuple(PATHS)[1:], by=0.02),
        also=(AtEnd("train_loss"),),
        why="Each path looks at a scale of its own: one pixel, 3×3, 5×5, or the strongest value "
        "nearby. What one would have seen the others can partly make up for, and later blocks read "
        "whatever there is. Without a path the network is smaller, which can make it quicker to "
        "start: look at the training losses.",
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
        rule=Ahead(
            "four paths", "one path", predictions=("Four paths do better", "One path does better")
        ),
        also=(AtEnd("train_loss"),),
        why="Parameters and arithmetic are equal, to half a per cent. What differs is whether a "
        "block may look at one scale or at four.",
        contested="The channel counts were tuned for four paths.",
    ),
    Experiment(
        id="googlenet-reductions",
        section="googlenet",
        question="The 1×1 convolutions save arithmetic. Spent on width: does it cost accuracy?",
        claim="They save arithmetic that a wider network can use, and cost no accuracy.",
        source="Szegedy et al. 2014, section 4",
        arms=(
            trained("with 1×1, wider", "googlenet", reductions=True, width=0.375, **REDUCED),
            trained("without", "googlenet", reductions=False, width=0.125, **REDUCED),
            trained("with 1×1", "googlenet", reductions=True, width=0.125, **REDUCED),
        ),
        differs=("reductions", "width"),
        metric=AtEnd("test_accuracy"),
        rule=NoWorse(
            "with 1×1, wider",
            "without",
            margin=0.03,
            predictions=(
                "With 1×1, wider, it is as good, or better",
                "With 1×1, wider, it is worse",
            ),
        ),
        also=(AtEnd("train_loss"), Efficiency("macs")),
        why="Without the reductions the large windows read every channel, and the pooling path "
        "passes all of them on: blocks grow as they follow each other. At equal width that is 15 "
        "times the weights and seven times the arithmetic. With the reductions the same arithmetic "
        "pays for a network three times as wide, with fewer weights.",
        contested="At equal arithmetic the network without them still has more weights and fewer "
        "layers in a row, so that it starts more quickly: in a short run that can count for more "
        "than width. And each would have a learning rate of its own.",
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
        rule=Ahead(
            "with heads",
            "without",
            predictions=("With heads it learns more", "Without heads it learns more"),
        ),
        also=(AtEnd("test_accuracy"), FirstGradient()),
        probes=(LayerStatisticsProbe(),),
        why="The loss of a head halfway reaches the first layers on a shorter way. How much that "
        "is worth depends on the first weights: with these, Kaiming's, much of the gradient "
        "arrives without the heads too. See the share of the first layer.",
        contested="Some of the same authors later found that the heads do not help early on, and "
        "only regularize a little at the end.",
    ),
)

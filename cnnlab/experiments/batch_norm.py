"""Experiments on the page of batch normalization."""

from collections.abc import Mapping

from cnnlab.configuration import Value
from cnnlab.exercises.exercise import trained
from cnnlab.experiments.ceiling import Ceiling
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.gain import GainGrows
from cnnlab.experiments.ladder import Family, Ladder
from cnnlab.experiments.metrics import AtEnd, FirstGradient, Gap, Until
from cnnlab.experiments.verdict import Ahead
from cnnlab.training.probes.batch_norm import BatchNormProbe
from cnnlab.training.probes.layer_statistics import LayerStatisticsProbe

LENET: Mapping[str, Value] = {"pooling": "average", "train_size": 4000, "epochs": 4}
SIGMOID: Mapping[str, Value] = {**LENET, "activation": "sigmoid", "batch_size": 32}
RELU: Mapping[str, Value] = {**LENET, "activation": "relu", "batch_size": 32}
# Four times as much from each to the next; 0.02 is where both learn.
RATES = (0.02, 0.08, 0.32, 1.28)
BY_RATE = (
    Family("with batch norm", tuple((lr, f"with at {lr}") for lr in RATES)),
    Family("without", tuple((lr, f"without at {lr}") for lr in RATES)),
)
# Guessing is 0.1.
LEARNS = 0.2
SIZES = (2, 8, 32, 256)
BY_SIZE = (
    Family("with batch norm", tuple((size, f"with, {size} pictures") for size in SIZES)),
    Family("without", tuple((size, f"without, {size} pictures") for size in SIZES)),
)


def by_size(size: float) -> dict[str, Value]:
    """A batch size, and a learning rate that grows with it."""
    return {**RELU, "train_size": 2000, "batch_size": int(size), "lr": 0.0005 * size}


# SGD, so that the runs can be compared with those of other pages.
VGG: Mapping[str, Value] = {
    "base_channels": 8,
    "train_size": 2000,
    "epochs": 2,
    "optimizer": "sgd",
    "lr": 0.05,
    "momentum": 0.9,
    "init": "default",
}

# The recipe of the small preset: Adam, and weights that fit ReLU.
ALEXNET: Mapping[str, Value] = {"train_size": 4000, "epochs": 3}

EXPERIMENTS = (
    Experiment(
        id="batch-norm-lenet",
        section="batch_norm",
        question="LeNet with sigmoids hardly learns. Does batch norm change that?",
        claim="Batch norm makes networks with saturating units trainable.",
        source="Ioffe & Szegedy 2015, sections 1 and 4.2.2",
        arms=(
            trained("with batch norm", "lenet", batch_norm=True, **SIGMOID),
            trained("without", "lenet", batch_norm=False, **SIGMOID),
        ),
        differs=("batch_norm",),
        metric=AtEnd("test_accuracy"),
        rule=Ahead(
            "with batch norm",
            "without",
            predictions=("With batch norm it comes further", "Without it comes further"),
        ),
        also=(AtEnd("train_loss"), FirstGradient()),
        probes=(LayerStatisticsProbe(),),
        shown=(BatchNormProbe(),),
        why="Batch norm keeps what enters each sigmoid around zero, where its slope is largest. "
        "The gradient reaches the first layer instead of fading on the way.",
    ),
    Experiment(
        id="batch-norm-relu",
        section="batch_norm",
        question="And with ReLU, which needs no help: does batch norm still speed it up?",
        claim="Batch norm accelerates training.",
        source="Ioffe & Szegedy 2015, figure 2",
        arms=(
            trained("with batch norm", "lenet", batch_norm=True, **RELU),
            trained("without", "lenet", batch_norm=False, **RELU),
        ),
        differs=("batch_norm",),
        metric=Until("loss", 2.0),
        rule=Ahead(
            "with batch norm",
            "without",
            predictions=("With batch norm it learns sooner", "Without it learns sooner"),
        ),
        also=(AtEnd("test_accuracy"),),
        why="Every layer starts with inputs of the same size, so one learning rate suits them all "
        "from the first step on.",
        contested="Why it works is disputed. The authors named the drift of the distributions; "
        "Santurkar et al. 2018 found no link to that drift and a smoother loss instead.",
    ),
    Experiment(
        id="batch-norm-vgg",
        section="batch_norm",
        question="Eight convolutions in a row, plain SGD: does VGG leave the start without it?",
        claim="Batch norm lets a plain network of many layers leave the start.",
        source="Ioffe & Szegedy 2015; the comparison is ours",
        arms=(
            trained("with batch norm", "vgg", batch_norm=True, **VGG),
            trained("without", "vgg", batch_norm=False, **VGG),
        ),
        differs=("batch_norm",),
        metric=AtEnd("train_loss"),
        rule=Ahead(
            "with batch norm",
            "without",
            predictions=("With batch norm it learns more", "Without it learns more"),
        ),
        also=(AtEnd("test_accuracy"),),
        why="PyTorch's first weights shrink the values in every layer. After eight of them the "
        "pictures can hardly be told apart, and the loss stays at ln 10 = 2.30.",
        contested="Other first weights (Kaiming) or another optimizer (Adam) mend this start as "
        "well: batch norm is one cure of several.",
    ),
    Experiment(
        id="batch-norm-alexnet",
        section="batch_norm",
        question="Kaiming's first weights and Adam: does AlexNet still gain from batch norm?",
        claim="Batch norm accelerates training.",
        source="Ioffe & Szegedy 2015, abstract",
        arms=(
            trained("with batch norm", "alexnet", batch_norm=True, **ALEXNET),
            trained("without", "alexnet", batch_norm=False, **ALEXNET),
        ),
        differs=("batch_norm",),
        metric=Until("loss", 2.0),
        rule=Ahead(
            "with batch norm",
            "without",
            predictions=("With batch norm it learns sooner", "Without it learns sooner"),
        ),
        also=(AtEnd("test_accuracy"), AtEnd("train_loss")),
        why="These first weights keep the sizes of the values from layer to layer, and Adam gives "
        "every weight a rate of its own. Both do part of what batch norm does, so that less is "
        "left for it: compare the card on VGG, which stands still without it.",
        contested="With plain SGD and PyTorch's first weights it comes out otherwise, as the card "
        "on VGG shows. A claim about batch norm is a claim about a recipe.",
    ),
    Experiment(
        id="batch-norm-rate",
        section="batch_norm",
        question="How far can the learning rate go up, with and without batch norm?",
        claim="Batch norm allows much higher learning rates.",
        source="Ioffe & Szegedy 2015, sections 3.3 and 4.2.1",
        arms=tuple(
            trained(f"{norm} at {lr}", "lenet", batch_norm=norm == "with", **{**RELU, "lr": lr})
            for norm in ("with", "without")
            for lr in RATES
        ),
        differs=("batch_norm", "lr"),
        metric=AtEnd("test_accuracy"),
        rule=Ceiling(*BY_RATE, learns=LEARNS),
        ladder=Ladder(BY_RATE, "learning rate", goal=LEARNS),
        also=(AtEnd("train_loss"),),
        why="Where weights grow, batch norm divides by what they produce: the output stays, and "
        "the gradient shrinks. A step that is too large corrects itself instead of adding up.",
        contested="Four rates, each four times the last, say between which two the limit lies. "
        "With other first weights it lies elsewhere.",
    ),
    Experiment(
        id="batch-norm-batch-size",
        section="batch_norm",
        question="Mean and variance of how many pictures? Batches of 2 to 256, with and without.",
        claim="Batch norm suffers where batches are small.",
        source="Wu & He 2018 (group normalization)",
        arms=tuple(
            trained(arm, "lenet", batch_norm=family is BY_SIZE[0], **by_size(size))
            for family in BY_SIZE
            for size, arm in family.rungs
        ),
        differs=("batch_norm", "batch_size", "lr"),
        metric=AtEnd("test_accuracy"),
        rule=GainGrows(*BY_SIZE),
        ladder=Ladder(BY_SIZE, "batch size"),
        also=(AtEnd("train_loss"),),
        shown=(BatchNormProbe(),),
        why="Two pictures give a mean and a variance that say little about the others, and every "
        "value carries that noise. Prediction then uses averages that fit no batch. Without batch "
        "norm a picture is on its own. With 256 pictures the statistics are good, and batch norm "
        "makes up for the few steps.",
        contested="The learning rate grows with the batch, as is usual, so that a picture moves "
        "the weights about as far at every size. Steps still differ: batches of 2 take 128 times "
        "as many as batches of 256. Compare with and without at the same size, where rate and "
        "steps are equal.",
    ),
    Experiment(
        id="batch-norm-dropout",
        section="batch_norm",
        question="Can batch norm take the place of dropout?",
        claim="Batch norm regularizes: dropout can be reduced or removed.",
        source="Ioffe & Szegedy 2015, section 3.4",
        arms=(
            trained(
                "batch norm", "lenet", batch_norm=True, **{**RELU, "train_size": 1000, "epochs": 30}
            ),
            trained("dropout", "lenet", dropout=0.5, **{**RELU, "train_size": 1000, "epochs": 30}),
            trained("neither", "lenet", **{**RELU, "train_size": 1000, "epochs": 30}),
        ),
        differs=("batch_norm", "dropout"),
        metric=Gap(),
        rule=Ahead(
            "batch norm",
            "neither",
            predictions=("With batch norm the gap is narrower", "With neither it is narrower"),
        ),
        also=(AtEnd("test_accuracy"), AtEnd("train_accuracy")),
        why="What a picture becomes depends on the other pictures of its batch, a noise somewhat "
        "like that of dropout. But batch norm also makes the network learn faster, and what learns "
        "faster overfits sooner.",
        contested="In runs as short as this one speed wins: a network that has hardly learned has "
        "no gap either. Compare the test accuracies.",
    ),
)

"""Experiments on the page of NiN."""

from collections.abc import Mapping

from cnnlab.configuration import Value
from cnnlab.exercises.exercise import trained
from cnnlab.experiments.counting import HowOften
from cnnlab.experiments.dead import DeadClasses
from cnnlab.experiments.efficiency import Efficiency
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.metrics import AtEnd, Gap
from cnnlab.experiments.no_worse import NoWorse
from cnnlab.experiments.verdict import Ahead, Trend

RUN: Mapping[str, Value] = {"train_size": 4000, "epochs": 5}

# Few pictures, seen often and without dropout, so that there is a gap. And maps of 2×2 pixels: of a
# single one there is nothing to average.
HEADS: Mapping[str, Value] = {
    "train_size": 500,
    "epochs": 24,
    "dropout": 0.0,
    "image_size": 64,
    "final_activation": False,
}

EXPERIMENTS = (
    Experiment(
        id="nin-pointwise",
        section="nin",
        question="Zero, one or two 1×1 convolutions after each wider one: does it help?",
        claim="1×1 convolutions make every block a stronger detector.",
        source="Lin et al. 2013, section 3.1",
        arms=tuple(
            trained(f"{count} per block", "nin", pointwise=count, final_activation=False, **RUN)
            for count in (0, 1, 2)
        ),
        differs=("pointwise",),
        metric=AtEnd("test_accuracy"),
        rule=Trend(("0 per block", "1 per block", "2 per block")),
        why="A 1×1 convolution is a small fully-connected layer at every pixel, with an "
        "activation of its own: the block can say more. It is also one more layer that the "
        "gradient has to pass, which costs time at the beginning of a run. A short run sees "
        "mostly this cost.",
        contested="Without 1×1 layers the network has four layers instead of twelve. It is "
        "shallower as well as simpler, so this is not a test of 1×1 convolutions alone.",
    ),
    Experiment(
        id="nin-3x3",
        section="nin",
        question="Put 3×3 convolutions where the 1×1 are. Is more context better?",
        claim="At each pixel 1×1 is enough: it mixes channels and leaves places alone.",
        source="Lin et al. 2013, section 3.1; the comparison is the book's exercise",
        arms=(
            trained("1×1", "nin", pointwise_kernel_size=1, final_activation=False, **RUN),
            trained("3×3", "nin", pointwise_kernel_size=3, final_activation=False, **RUN),
        ),
        differs=("pointwise_kernel_size",),
        metric=AtEnd("test_accuracy"),
        rule=NoWorse(
            "1×1", "3×3", margin=0.03, predictions=("1×1 is as good, or better", "1×1 is worse")
        ),
        also=(AtEnd("train_loss"),),
        why="A 3×3 has nine times the weights and sees the neighbours. It can do all that a 1×1 "
        "can, and costs nearly three times the arithmetic of this network.",
        contested="At equal cost the 1×1 network could be wider. That is the comparison that the "
        "paper's argument is about.",
    ),
    Experiment(
        id="nin-head",
        section="nin",
        question="Average the maps of the classes, or read them with a fully-connected layer?",
        claim="Global average pooling overfits less than a fully-connected head.",
        source="Lin et al. 2013, sections 3.2 and 4.6",
        arms=(
            trained("average", "nin", head="average", **HEADS),
            trained("fully-connected", "nin", head="fully_connected", **HEADS),
        ),
        differs=("head",),
        metric=Gap(),
        rule=Ahead(
            "average",
            "fully-connected",
            predictions=("With the average the gap is narrower", "Fully-connected it is narrower"),
        ),
        also=(AtEnd("test_accuracy"), AtEnd("train_accuracy"), Efficiency()),
        why="The average has no weights, so there is nothing in it to overfit: the map of a class "
        "has to answer by itself, wherever the class is seen. The layer may weigh every pixel of "
        "every map, with 410 weights at the size of this network.",
        contested="The heads of AlexNet and VGG have far more weights than this one, and more to "
        "overfit with. And a smaller gap is no better network by itself: compare the test "
        "accuracies, too.",
    ),
    Experiment(
        id="nin-logits",
        section="nin",
        question="The book ends NiN in a ReLU, even over the logits. Does that do harm?",
        claim="The network learns its classes with a ReLU over its logits.",
        source="Dive into Deep Learning, section on NiN, whose network ends so",
        arms=(
            trained("without ReLU", "nin", final_activation=False, **RUN),
            trained("with ReLU", "nin", final_activation=True, **RUN),
        ),
        differs=("final_activation",),
        metric=DeadClasses(),
        rule=HowOften("with ReLU", "without ReLU", "It loses classes"),
        also=(AtEnd("test_accuracy"),),
        why="A class whose map is below zero everywhere gets the logit 0 and no gradient: it is "
        "dead until other weights happen to revive it. Which class it hits depends on the seed.",
        contested="How many classes are lost depends on the recipe. The book trains for longer: "
        "of about a hundred published builds eight end near guessing. In a run this short a class "
        "or two can be missing without the ReLU as well.",
    ),
)

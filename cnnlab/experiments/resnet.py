"""Experiments on the page of ResNet."""

from collections.abc import Mapping

from cnnlab.configuration import Value
from cnnlab.exercises.exercise import trained
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.metrics import AtEnd, FirstGradient
from cnnlab.experiments.no_worse import NoWorse
from cnnlab.experiments.verdict import Ahead
from cnnlab.training.probes.layer_statistics import LayerStatisticsProbe

RUN: Mapping[str, Value] = {"train_size": 2000, "epochs": 3}
# With the rate falling to zero the last epoch is calm: smaller differences show.
CALM: Mapping[str, Value] = {**RUN, "schedule": "cosine"}
# Under SGD neither arm leaves the start within a minute.
NO_NORM: Mapping[str, Value] = {
    "train_size": 2000,
    "epochs": 8,
    "optimizer": "adam",
    "lr": 0.001,
    "momentum": 0.0,
    "init": "kaiming",
}
DEPTHS = (10, 18, 34)

EXPERIMENTS = (
    Experiment(
        id="resnet-plain-depth",
        section="resnet",
        question="Without skips: does a deeper network at least learn its training pictures?",
        claim="A plain network of 34 layers is worse than one of 18, already in training error.",
        source="He et al. 2015, section 4.1 and figure 4, left",
        arms=tuple(
            trained(f"{depth} layers", "resnet", depth=depth, skip=False, **RUN) for depth in DEPTHS
        ),
        differs=("depth",),
        metric=AtEnd("train_loss"),
        rule=Ahead(
            "18 layers", "34 layers", predictions=("18 layers learn more", "34 layers learn more")
        ),
        also=(AtEnd("test_accuracy"),),
        why="The deeper network could copy the shallow one and pass the values through its further "
        "layers. It does not find that way: the trouble is one of optimization, not of "
        "overfitting.",
    ),
    Experiment(
        id="resnet-skip",
        section="resnet",
        question="34 layers, with the skips and without: which one learns?",
        claim="With skips a network of 34 layers learns far more in the same steps than without "
        "them.",
        source="He et al. 2015, table 2 and figure 4",
        arms=(
            trained("with skips", "resnet", depth=34, **RUN),
            trained("without", "resnet", depth=34, skip=False, **RUN),
        ),
        differs=("skip",),
        metric=AtEnd("train_loss"),
        rule=Ahead(
            "with skips",
            "without",
            predictions=("With skips it learns more", "Without skips it learns more"),
        ),
        also=(AtEnd("test_accuracy"), FirstGradient()),
        probes=(LayerStatisticsProbe(),),
        why="A block with a skip is given the picture so far and has only to learn a change to "
        "it. Without the skip it has to make all that later blocks read. The gradient is not what "
        "is missing: batch norm brings it to the first layer in both, as the shares show.",
        contested="Why skips help is not settled. The authors found healthy gradients in their "
        "plain networks. Veit et al. 2016 point to the many short paths through a ResNet, "
        "Balduzzi et al. 2017 to gradients that turn into noise with depth.",
    ),
    Experiment(
        id="resnet-residual-depth",
        section="resnet",
        question="With skips: is the deeper network better after the same number of epochs?",
        claim="With skips 34 layers are better than 18, in training error too.",
        source="He et al. 2015, table 2 and figure 4, right",
        arms=tuple(trained(f"{depth} layers", "resnet", depth=depth, **CALM) for depth in DEPTHS),
        differs=("depth",),
        metric=AtEnd("train_loss"),
        rule=Ahead(
            "34 layers", "18 layers", predictions=("34 layers learn more", "18 layers learn more")
        ),
        also=(AtEnd("test_accuracy"),),
        why="With skips depth does far less harm at the start. That it helps takes more pictures "
        "and more steps than a run of a minute has.",
        contested="The paper saw the gain at the end of long runs on ImageNet: 27.88% error with "
        "18 layers, 25.03% with 34. Here 18 layers do at least as well as 34.",
    ),
    Experiment(
        id="resnet-order",
        section="resnet",
        question="Batch norm and ReLU before the convolutions, and nothing after the sum: better?",
        claim="In this order deep networks train more easily.",
        source="He et al. 2016 (identity mappings)",
        arms=(
            trained("before (2016)", "resnet", depth=34, order="pre-activation", **CALM),
            trained("after (2015)", "resnet", depth=34, order="post-activation", **CALM),
        ),
        differs=("order",),
        metric=AtEnd("train_loss"),
        rule=Ahead(
            "before (2016)",
            "after (2015)",
            predictions=("Before, as in 2016, it learns more", "After, as in 2015, it learns more"),
        ),
        also=(AtEnd("test_accuracy"),),
        why="With nothing after the sum, the way from the first block to the last is nearly a "
        "plain addition, forward and backward. A ReLU on it cuts off the negative half at every "
        "block.",
        contested="The argument is about networks far deeper than this one. At 34 layers the gain "
        "may be too small for three seeds.",
    ),
    Experiment(
        id="resnet-shortcut",
        section="resnet",
        question="Where shapes differ: a 1×1 convolution on the skip, or zeros for new channels?",
        claim="Zeros do nearly as well: the 1×1 is not what makes the difference.",
        source="He et al. 2015, table 3 (25.03% with zeros, 24.52% with 1×1)",
        arms=(
            trained("1×1", "resnet", shortcut="1x1", depth=18, **RUN),
            trained("zeros", "resnet", shortcut="zero-padded", depth=18, **RUN),
        ),
        differs=("shortcut",),
        metric=AtEnd("train_loss"),
        rule=NoWorse(
            "zeros",
            "1×1",
            margin=0.1,
            predictions=("With zeros it learns as much, or more", "With zeros it learns less"),
        ),
        also=(AtEnd("test_accuracy"),),
        why="Three of the eight skips change shape. What counts is that there is a way past the "
        "block at all. Zeros add no weights; the new channels then hold only what the block makes.",
        contested="At a full learning rate after so few steps test accuracies jump: they can lie "
        "apart where the training losses do not.",
    ),
    Experiment(
        id="resnet-no-norm",
        section="resnet",
        question="18 layers without batch norm: do the skips still help?",
        claim="The skip is what makes depth trainable, with batch norm or without.",
        source="ours; He et al. 2015 trained all networks with batch norm",
        arms=(
            trained("with skips", "resnet", depth=18, batch_norm=False, **NO_NORM),
            trained("without", "resnet", depth=18, batch_norm=False, skip=False, **NO_NORM),
        ),
        differs=("skip",),
        metric=AtEnd("train_loss"),
        rule=Ahead(
            "with skips",
            "without",
            predictions=("With skips it learns more", "Without skips it learns more"),
        ),
        also=(AtEnd("test_accuracy"), FirstGradient()),
        probes=(LayerStatisticsProbe(),),
        why="Without skips it can depend on the seed whether 18 layers leave the start, where the "
        "loss is ln 10 = 2.30. A skip carries the values past every block, so that something of "
        "the picture always arrives. The sums then grow from block to block, which is why first "
        "weights and learning rate need more care than with batch norm.",
        contested="The skips are not the only help: both arms have Kaiming's first weights and "
        "Adam. On easy pictures these are enough for the plain network too.",
    ),
)

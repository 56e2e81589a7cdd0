"""Experiments on the page of AlexNet."""

from collections.abc import Mapping

from cnnlab.configuration import Value
from cnnlab.exercises.exercise import trained
from cnnlab.experiments.activation_time import ActivationShare, ActivationTime
from cnnlab.experiments.dead import DeadUnits
from cnnlab.experiments.efficiency import Efficiency
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.metrics import AtEnd, FirstGradient, Gap, Until
from cnnlab.experiments.verdict import Ahead
from cnnlab.training.probes.activation_cost import ActivationCostProbe
from cnnlab.training.probes.layer_statistics import LayerStatisticsProbe

LENET: Mapping[str, Value] = {"train_size": 4000, "epochs": 4, "batch_size": 32}
# Under plain SGD the sigmoids never leave the start, and there is no speed to compare.
BOTH_LEARN: Mapping[str, Value] = {
    **LENET,
    "epochs": 6,
    "optimizer": "adam",
    "lr": 0.002,
    "momentum": 0.0,
}
RELU: Mapping[str, Value] = {**LENET, "activation": "relu", "pooling": "average"}
SIGMOID: Mapping[str, Value] = {**LENET, "activation": "sigmoid", "pooling": "average"}
# A timing: too short to learn much, and long enough for a steady clock.
TIMED: Mapping[str, Value] = {"pooling": "average", "train_size": 4000, "epochs": 1}
# Both networks with the same optimizer, on the same pictures, for the same time.
RACE: Mapping[str, Value] = {
    "image_size": 48,
    "optimizer": "adam",
    "lr": 0.001,
    "momentum": 0.0,
    "init": "kaiming",
    "epochs": 200,
}
FEW: Mapping[str, Value] = {"train_size": 1000, "epochs": 12}
GAP: Mapping[str, Value] = {**FEW, "dropout": 0.0}

EXPERIMENTS = (
    Experiment(
        id="relu-sigmoid",
        section="alexnet",
        question="Does it matter whether LeNet bends its values with sigmoid or with ReLU?",
        claim="A network with ReLU learns several times faster than one with saturating units.",
        source="Krizhevsky et al. 2012, section 3.1 (against tanh, on CIFAR-10)",
        arms=(
            trained("ReLU", "lenet", activation="relu", pooling="average", **BOTH_LEARN),
            trained("sigmoid", "lenet", activation="sigmoid", pooling="average", **BOTH_LEARN),
        ),
        differs=("activation",),
        metric=Until("loss", 2.0),
        rule=Ahead("ReLU", "sigmoid", predictions=("ReLU learns sooner", "Sigmoid learns sooner")),
        also=(AtEnd("test_accuracy"), FirstGradient()),
        probes=(LayerStatisticsProbe(),),
        why="The slope of the sigmoid is a quarter at most. Every layer multiplies the gradient by "
        "it, so that little of it is left when it comes to the first layer. ReLU passes it on "
        "unchanged wherever a unit is on.",
        contested="How much sooner depends on the recipe. Adam, used here, gets the sigmoids "
        "going; under plain SGD they do not leave the start in so short a run. Larger first "
        "weights or batch norm help them too, as other cards show.",
    ),
    Experiment(
        id="activation-cost",
        section="alexnet",
        question="What do ReLU and sigmoid themselves cost, forward and backward?",
        claim="ReLU is cheaper to compute: it needs no exponential.",
        source="Dive into Deep Learning, section on AlexNet",
        arms=(
            trained("ReLU", "lenet", activation="relu", **TIMED),
            trained("sigmoid", "lenet", activation="sigmoid", **TIMED),
        ),
        differs=("activation",),
        metric=ActivationTime(),
        rule=Ahead("ReLU", "sigmoid", predictions=("ReLU is cheaper", "Sigmoid is cheaper")),
        also=(ActivationShare(), ActivationTime("forward"), ActivationTime("backward")),
        probes=(ActivationCostProbe(),),
        why="ReLU compares every value with zero. Sigmoid takes an exponential and a division for "
        "each. On the way back both multiply the gradient by something that is at hand.",
        contested="Look at the share of the pass: it is a few per cent, so a cheaper activation "
        "makes the network hardly faster. That ReLU learns faster has other reasons. And times "
        "below a millisecond scatter: a busy machine can hide the difference.",
    ),
    Experiment(
        id="init-scale-relu",
        section="alexnet",
        question="First weights ten times smaller, or three times larger: can ReLU stand it?",
        claim="With ReLU too, first weights that are far too small keep a network from learning.",
        source="He et al. 2015 (first weights for ReLU), section 2.2; the comparison is ours",
        arms=tuple(
            trained(f"×{scale:g}", "lenet", **{**RELU, "init_scale": scale})
            for scale in (1.0, 0.1, 3.0)
        ),
        differs=("init_scale",),
        metric=AtEnd("train_loss"),
        rule=Ahead(
            "×1", "×0.1", predictions=("With ×1 it learns more", "With ×0.1 it learns more")
        ),
        also=(AtEnd("test_accuracy"), FirstGradient(), DeadUnits()),
        probes=(LayerStatisticsProbe(),),
        why="Small weights make small values, and the next layer makes them smaller still. After "
        "five layers hardly anything of the picture is left, nor of the gradient. Three times "
        "larger is not too large here: what He et al. worked out for ReLU is 2.4 times PyTorch's "
        "first weights.",
        contested="The book calls ReLU the more forgiving of the two. This card compares ReLU "
        "with itself; another one does the same with sigmoid.",
    ),
    Experiment(
        id="init-scale-sigmoid",
        section="alexnet",
        question="With sigmoid: do larger first weights bring the gradient back?",
        claim="That gradients vanish in a sigmoid network is a matter of its first weights too.",
        source="Glorot & Bengio 2010; the comparison is ours",
        arms=tuple(
            trained(f"×{scale:g}", "lenet", **{**SIGMOID, "init_scale": scale})
            for scale in (5.0, 1.0, 10.0)
        ),
        differs=("init_scale",),
        metric=FirstGradient(),
        rule=Ahead(
            "×5",
            "×1",
            predictions=("With ×5 more of the gradient arrives", "With ×1 more of it arrives"),
        ),
        also=(AtEnd("train_loss"), AtEnd("test_accuracy")),
        probes=(LayerStatisticsProbe(),),
        why="On its way back the gradient is multiplied by the slope of the sigmoid and by the "
        "weights. The slope is a quarter at most; weights five times as large make up for most of "
        "it.",
        contested="A gradient that arrives is not yet a network that learns: with large weights "
        "many units sit on the flat ends of the sigmoid. Look at the accuracies: on some pictures "
        "the large weights are enough, on others all three stay near guessing.",
    ),
    Experiment(
        id="lenet-alexnet",
        section="alexnet",
        question="Given the same time, does the larger AlexNet pay off against LeNet?",
        claim="Deeper and wider networks are worth their cost.",
        source="Krizhevsky et al. 2012, section 7; the comparison at equal time is ours",
        arms=(
            trained("AlexNet", "alexnet", **RACE),
            trained("LeNet", "lenet", **RACE),
        ),
        differs=("network",),
        metric=AtEnd("test_accuracy"),
        rule=Ahead(
            "AlexNet", "LeNet", predictions=("AlexNet comes further", "LeNet comes further")
        ),
        also=(Efficiency(), Efficiency("macs")),
        why="A picture costs this AlexNet nearly five times LeNet's arithmetic, so LeNet takes "
        "many more steps in the same seconds. In a short race the steps count for more. Which one "
        "wins depends on how long you wait, and on the machine.",
        contested="Nobody knows from this which network is better in the end: give both an hour "
        "and the answer may change.",
        axis="seconds",
        run={"budget_s": 15.0},
    ),
    Experiment(
        id="dropout-gap",
        section="alexnet",
        question="On 1,000 pictures, does dropout keep a small AlexNet from overfitting?",
        claim="Without dropout the network overfits substantially.",
        source="Krizhevsky et al. 2012, section 4.2",
        arms=(
            trained("dropout 0.5", "alexnet", dropout=0.5, **FEW),
            trained("dropout 0", "alexnet", dropout=0.0, **FEW),
        ),
        differs=("dropout",),
        metric=Gap(),
        rule=Ahead(
            "dropout 0.5",
            "dropout 0",
            predictions=("With dropout the gap is narrower", "Without dropout it is narrower"),
        ),
        also=(AtEnd("test_accuracy"), AtEnd("train_accuracy")),
        why="Dropout takes away half of the hidden units at every step, so that no unit can rely "
        "on another. What is learned by heart gets lost. The two large fully-connected layers have "
        "most to lose.",
        contested="Training accuracy is measured while units are missing, so part of the gap "
        "closes by itself. And with dropout a network needs more steps: in a short run its test "
        "accuracy can be lower although its gap is smaller.",
    ),
    Experiment(
        id="augmentation-gap",
        section="alexnet",
        question="Flips, shifts, brightness: do they narrow the gap between training and test?",
        claim="Without cropping and flipping the network overfits substantially.",
        source="Krizhevsky et al. 2012, section 4.1",
        arms=(
            trained("all three", "alexnet", flip=True, crop=True, color=True, **GAP),
            trained("flips", "alexnet", flip=True, **GAP),
            trained("shifts", "alexnet", crop=True, **GAP),
            trained("brightness", "alexnet", color=True, **GAP),
            trained("none", "alexnet", **GAP),
        ),
        differs=("flip", "crop", "color"),
        metric=Gap(),
        rule=Ahead(
            "all three",
            "none",
            predictions=("With all three the gap is narrower", "With none of them it is narrower"),
        ),
        also=(AtEnd("test_accuracy"), AtEnd("train_accuracy")),
        why="A picture that is mirrored, shifted or brightened anew at every epoch cannot be "
        "learned by heart. The network has to find what stays. It also has a harder task, so its "
        "training accuracy falls. Most of that is done by the shifts.",
        contested="A smaller gap is no gain by itself: look at the test accuracy beside it. In a "
        "run as short as this one it is often lower.",
    ),
    Experiment(
        id="overfit",
        section="alexnet",
        question="About as many steps on 500 or on 4,000 pictures: where is the gap wider?",
        claim="With too few pictures a large network learns them by heart.",
        source="Krizhevsky et al. 2012, section 4",
        arms=(
            trained("4,000 pictures", "alexnet", dropout=0.0, train_size=4000, epochs=3),
            trained("500 pictures", "alexnet", dropout=0.0, train_size=500, epochs=24),
        ),
        differs=("train_size", "epochs"),
        metric=Gap(),
        axis="steps",
        rule=Ahead(
            "4,000 pictures",
            "500 pictures",
            predictions=("On 500 pictures the gap is wider", "On 4,000 pictures it is wider"),
        ),
        also=(AtEnd("test_accuracy"), AtEnd("train_accuracy")),
        why="Both runs take between 160 and 190 steps. With 500 pictures each is seen 24 times, "
        "and the network has hundreds of weights for each of them.",
    ),
)

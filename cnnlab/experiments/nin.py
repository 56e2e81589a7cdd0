"""Experiments on the page of NiN."""

from collections.abc import Mapping

from cnnlab.configuration import Value
from cnnlab.exercises.exercise import trained
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.metrics import AtEnd
from cnnlab.experiments.verdict import Ahead, Trend

RUN: Mapping[str, Value] = {"train_size": 4000, "epochs": 5}

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
        why="A 1×1 convolution is a small fully-connected layer at every pixel, with an activation "
        "of its own: the block can say more. It is also one more layer that the gradient has to "
        "pass, which costs time at the beginning of a run.",
        contested="Without 1×1 layers the network has four layers instead of twelve. It is "
        "shallower as well as simpler, so this is not a test of 1×1 convolutions alone.",
    ),
    Experiment(
        id="nin-logits",
        section="nin",
        question="The book ends NiN in a ReLU, even over the logits. Does that do harm?",
        claim="The network learns with a ReLU over its logits.",
        source="Dive into Deep Learning, section on NiN",
        arms=(
            trained("without ReLU", "nin", final_activation=False, **RUN),
            trained("with ReLU", "nin", final_activation=True, **RUN),
        ),
        differs=("final_activation",),
        metric=AtEnd("test_accuracy"),
        rule=Ahead("without ReLU", "with ReLU", claimed="second"),
        why="A class whose map is below zero everywhere gets the logit 0 and no gradient: it is "
        "dead until other weights happen to revive it. Which class it hits depends on the seed.",
        contested="Many runs never lose a class, and then there is hardly a difference.",
    ),
)

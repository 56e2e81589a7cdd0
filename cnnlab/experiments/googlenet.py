"""Experiments on the page of GoogLeNet."""

from collections.abc import Mapping

from cnnlab.configuration import Value
from cnnlab.exercises.exercise import trained
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.metrics import AtEnd
from cnnlab.experiments.verdict import Ahead

RUN: Mapping[str, Value] = {"train_size": 2000, "epochs": 2}

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
        "heads and over weeks. That it stands still here says how slow its start is.",
    ),
)

"""Things to try on the page of AlexNet."""

from collections.abc import Mapping

from cnnlab.configuration import Value
from cnnlab.exercises.checks import Above, Between, Times
from cnnlab.exercises.exercise import Arm, Claim, Exercise, trained
from cnnlab.exercises.maps import share_of_zeros
from cnnlab.exercises.measures import ACCURACY_GAP, TEST_ACCURACY, most_macs, most_params, params_of

LENET_RUN: Mapping[str, Value] = {"train_size": 4000, "epochs": 4, "batch_size": 32}
DROPOUT_RUN: Mapping[str, Value] = {"train_size": 500, "epochs": 10}

EXERCISES = (
    Exercise(
        id="alexnet-costs",
        section="alexnet",
        view="Architecture",
        text="Take the book's AlexNet and look at the bar chart. Which layer leads in parameters, "
        "which in multiply-accumulates? Then halve the hidden units, from 4,096 to 2,048: "
        "`fc6` shrinks to half, `fc7` to a quarter.",
        arms=(
            Arm("4096 hidden units", "alexnet", "d2l"),
            Arm("2048 hidden units", "alexnet", "d2l", {"hidden": 2048}),
        ),
        claims=(
            Claim(params_of("fc6"), Times("4096 hidden units", "2048 hidden units", 2, 2)),
            Claim(params_of("fc7"), Times("4096 hidden units", "2048 hidden units", 3.99, 4)),
            Claim(most_params("fc6"), Between("4096 hidden units", 1, 1)),
            Claim(most_macs("block2.conv"), Between("4096 hidden units", 1, 1)),
        ),
    ),
    Exercise(
        id="alexnet-lenet",
        section="alexnet",
        view="Train",
        text="LeNet on 4,000 shapes, four epochs with batches of 32 (the small preset's learning "
        "rate, 0.02, and momentum, 0.9): with sigmoid and average pooling, then with ReLU, then "
        "with max-pooling too. Which of the three does not get away from one in ten?",
        arms=(
            trained("sigmoid", "lenet", activation="sigmoid", pooling="average", **LENET_RUN),
            trained("ReLU", "lenet", activation="relu", pooling="average", **LENET_RUN),
            trained("max-pooling", "lenet", activation="relu", pooling="max", **LENET_RUN),
        ),
        claims=(
            Claim(TEST_ACCURACY, Between("sigmoid", 0.05, 0.15)),
            Claim(TEST_ACCURACY, Above("ReLU", "sigmoid", 0.1)),
            Claim(TEST_ACCURACY, Above("max-pooling", "ReLU")),
        ),
    ),
    Exercise(
        id="alexnet-dropout",
        section="alexnet",
        view="Train",
        text="The small AlexNet on no more than 500 shapes, ten epochs, with dropout 0 and 0.5. "
        "Watch the gap between training and test accuracy, and what it costs in so short a run. "
        "Dropout also acts while training accuracy is measured, so part of the gap closes by "
        "itself.",
        arms=(
            trained("dropout 0", "alexnet", dropout=0.0, **DROPOUT_RUN),
            trained("dropout 0.5", "alexnet", dropout=0.5, **DROPOUT_RUN),
        ),
        claims=(
            Claim(ACCURACY_GAP, Above("dropout 0", "dropout 0.5", 0.02)),
            Claim(TEST_ACCURACY, Above("dropout 0", "dropout 0.5", 0.05)),
        ),
    ),
    Exercise(
        id="alexnet-zeros",
        section="alexnet",
        view="Feature maps",
        text="Open `block1.act` of the small AlexNet and read the share of zeros with ReLU, then "
        "with sigmoid.",
        arms=(
            Arm("ReLU", "alexnet", "small"),
            Arm("sigmoid", "alexnet", "small", {"activation": "sigmoid"}),
        ),
        claims=(
            Claim(share_of_zeros("block1.act"), Between("ReLU", 0.3, 0.8)),
            Claim(share_of_zeros("block1.act"), Between("sigmoid", 0, 0)),
        ),
    ),
)

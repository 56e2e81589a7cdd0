"""Things to try on the page of batch normalization."""

from collections.abc import Mapping

from cnnlab.configuration import Value
from cnnlab.exercises.checks import Above, Between
from cnnlab.exercises.exercise import Claim, Exercise, trained
from cnnlab.exercises.maps import change
from cnnlab.exercises.measures import TEST_ACCURACY

RUN: Mapping[str, Value] = {"pooling": "average", "train_size": 4000, "epochs": 4, "batch_size": 32}
RATE_RUN: Mapping[str, Value] = {
    "activation": "relu",
    "pooling": "average",
    "train_size": 2000,
    "epochs": 3,
    "batch_size": 32,
}

EXERCISES = (
    Exercise(
        id="batch-norm-sigmoid",
        section="batch_norm",
        view="Train",
        text="LeNet with sigmoid and average pooling on 4,000 shapes, four epochs with batches of "
        "32, batch norm off and on, everything else equal. Compare the first epoch, then the end. "
        "If you take another network, compare it with itself: small AlexNet, VGG and NiN are "
        "trained with Adam, the others with SGD.",
        arms=(
            trained("off", "lenet", activation="sigmoid", batch_norm=False, **RUN),
            trained("on", "lenet", activation="sigmoid", batch_norm=True, **RUN),
        ),
        claims=(
            Claim(TEST_ACCURACY, Between("off", 0.05, 0.15)),
            Claim(TEST_ACCURACY, Above("on", "off", 0.1)),
        ),
    ),
    Exercise(
        id="batch-norm-rate",
        section="batch_norm",
        view="Train",
        text="LeNet with ReLU and average pooling on 2,000 shapes, three epochs with batches of "
        "32: double the learning rate from 0.02 again and again, to 0.16, without batch norm and "
        "with it. Which of the two breaks first, that is, stays at one in ten?",
        arms=tuple(
            trained(f"{norm}, {lr}", "lenet", batch_norm=norm == "on", lr=lr, **RATE_RUN)
            for norm in ("off", "on")
            for lr in (0.02, 0.16)
        ),
        claims=(
            Claim(TEST_ACCURACY, Between("off, 0.16", 0, 0.2)),
            Claim(TEST_ACCURACY, Above("on, 0.16", "off, 0.16", 0.15)),
            Claim(TEST_ACCURACY, Above("off, 0.02", "off, 0.16"), soon=False),
            Claim(TEST_ACCURACY, Between("on, 0.02", 0.15, 1), soon=False),
        ),
        short={"train_size": 1000, "epochs": 2},
    ),
    Exercise(
        id="batch-norm-maps",
        section="batch_norm",
        view="Feature maps",
        text="With fresh weights the running statistics are still 0 and 1, so batch norm changes "
        "nothing yet: `norm1` looks as `conv1` does. Take the weights of a run, one epoch over "
        "1,000 shapes is enough, and compare the channels before and after it.",
        arms=(
            trained("LeNet", "lenet", batch_norm=True, train_size=1000, epochs=1, batch_size=32),
        ),
        claims=(
            Claim(change("conv1", "norm1"), Between("LeNet", 0, 0.001)),
            Claim(change("conv1", "norm1", trained=True), Between("LeNet", 0.3, 100)),
        ),
    ),
)

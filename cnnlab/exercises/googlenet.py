"""Things to try on the page of GoogLeNet."""

from collections.abc import Mapping

from cnnlab.configuration import Value
from cnnlab.exercises.checks import Above, Between, Times
from cnnlab.exercises.exercise import Arm, Claim, Exercise, trained
from cnnlab.exercises.maps import quotient, roughness
from cnnlab.exercises.measures import (
    CHANCE_LOSS,
    TEST_ACCURACY,
    TRAIN_LOSS,
    params_of,
    share_of_params,
)

BOOK = Arm("the book's", "googlenet", "d2l")
RUN: Mapping[str, Value] = {"train_size": 4000, "epochs": 2}

EXERCISES = (
    Exercise(
        id="googlenet-paths",
        section="googlenet",
        view="Architecture",
        text="Open the block in detail. Which of the four paths holds most of the parameters? "
        "Look up 3a and 5b, the first block and the last, in the layer table: do they spend them "
        "in the same way?",
        arms=(BOOK,),
        claims=(
            Claim(share_of_params("inception3a.path2", "inception3a"), Between(BOOK.name, 0.75, 1)),
            Claim(share_of_params("inception3a.path1", "inception3a"), Between(BOOK.name, 0, 0.1)),
            Claim(
                share_of_params("inception5b.path2", "inception5b"), Between(BOOK.name, 0.5, 0.6)
            ),
            Claim(
                share_of_params("inception5b.path1", "inception5b"), Between(BOOK.name, 0.2, 0.3)
            ),
        ),
    ),
    Exercise(
        id="googlenet-width",
        section="googlenet",
        view="Architecture",
        text="Halve the width of the book's GoogLeNet, from 1 to 0.5. Most layers then need a "
        "quarter of the weights, not half; find out why, and which two layers do not.",
        arms=(BOOK, Arm("half the width", "googlenet", "d2l", {"width": 0.5})),
        claims=(
            Claim(
                params_of("inception3a", "inception5b"), Times(BOOK.name, "half the width", 3.9, 4)
            ),
            Claim(params_of("conv1"), Times(BOOK.name, "half the width", 2, 2)),
            Claim(params_of("fc"), Times(BOOK.name, "half the width", 1.99, 2)),
        ),
    ),
    Exercise(
        id="googlenet-batch-norm",
        section="googlenet",
        view="Train",
        text="The small GoogLeNet on 4,000 shapes, two epochs, with batch norm off, then on. The "
        "network of 2014 had none; watch how long each run stays near a loss of 2.30, which is "
        "guessing among ten classes.",
        arms=(
            trained("off", "googlenet", batch_norm=False, **RUN),
            trained("on", "googlenet", batch_norm=True, **RUN),
        ),
        claims=(
            Claim(TRAIN_LOSS, Between("off", *CHANCE_LOSS)),
            Claim(TRAIN_LOSS, Above("off", "on", 0.2)),
            Claim(TEST_ACCURACY, Above("on", "off", 0.1)),
        ),
    ),
    Exercise(
        id="googlenet-blur",
        section="googlenet",
        view="Feature maps",
        text="Compare the paths of block 3a of the book's GoogLeNet on one picture, with fresh "
        "weights: neighbouring pixels differ less in the 5×5 path (`inception3a.path3.1.act`) "
        "than in the 1×1 path (`inception3a.path1.act`).",
        arms=(BOOK,),
        claims=(
            Claim(
                quotient(roughness("inception3a.path1.act"), roughness("inception3a.path3.1.act")),
                Between(BOOK.name, 1.1, 2),
            ),
        ),
    ),
)

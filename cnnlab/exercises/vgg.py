"""Things to try on the page of VGG."""

from collections.abc import Mapping

from cnnlab.configuration import Value
from cnnlab.exercises.checks import Above, Between, Times
from cnnlab.exercises.exercise import Arm, Claim, Exercise, trained
from cnnlab.exercises.maps import likeness, quotient
from cnnlab.exercises.measures import CHANCE_LOSS, PARAMS, TRAIN_LOSS, params_of

BLOCKS = ("block1", "block2", "block3", "block4", "block5")
HEAD = ("fc1", "fc2", "fc3")
# SGD, as in the book and on the other pages: runs with Adam are not compared with these.
RUN: Mapping[str, Value] = {
    "base_channels": 8,
    "train_size": 2000,
    "epochs": 2,
    "optimizer": "sgd",
    "lr": 0.05,
    "momentum": 0.9,
    "init": "default",
}

EXERCISES = (
    Exercise(
        id="vgg-depth",
        section="vgg",
        view="Architecture",
        text="At full width, go from depth 11 to 19. The convolutions of the last three blocks "
        "grow, and yet the total by less than a tenth. Then set the hidden units to 256: five "
        "sixths of the network are gone.",
        arms=(
            Arm("depth 11", "vgg", "d2l_full"),
            Arm("depth 19", "vgg", "d2l_full", {"depth": 19}),
            Arm("depth 19, 256 hidden units", "vgg", "d2l_full", {"depth": 19, "hidden": 256}),
        ),
        claims=(
            Claim(PARAMS, Times("depth 19", "depth 11", 1.05, 1.1)),
            Claim(params_of(*BLOCKS), Times("depth 19", "depth 11", 2, 2.5)),
            Claim(params_of(*HEAD), Times("depth 19", "depth 11", 1, 1)),
            Claim(PARAMS, Times("depth 19", "depth 19, 256 hidden units", 5, 6.5)),
        ),
    ),
    Exercise(
        id="vgg-width",
        section="vgg",
        view="Architecture",
        text="Take the book's VGG and double the base channels, from 16 to 32. Check which layers "
        "grow fourfold, which twofold, and which not at all.",
        arms=(
            Arm("16 base channels", "vgg", "d2l"),
            Arm("32 base channels", "vgg", "d2l", {"base_channels": 32}),
        ),
        claims=tuple(
            Claim(params_of(layer), Times("32 base channels", "16 base channels", low, high))
            for layer, low, high in (
                ("block1", 2, 2),
                ("block3", 3.98, 4),
                ("block5", 3.98, 4),
                ("fc1", 1.99, 2),
                ("fc2", 1, 1),
                ("fc3", 1, 1),
            )
        ),
    ),
    Exercise(
        id="vgg-batch-norm",
        section="vgg",
        view="Train",
        text="The small VGG with 8 base channels on 2,000 shapes, two epochs of SGD (learning "
        "rate 0.05, momentum 0.9, PyTorch's initialization), without batch norm and with it. "
        "Watch whether the loss leaves $\\ln 10 \\approx 2.30$, the value of pure guessing among "
        "ten classes.",
        arms=(
            trained("off", "vgg", batch_norm=False, **RUN),
            trained("on", "vgg", batch_norm=True, **RUN),
        ),
        claims=(
            Claim(TRAIN_LOSS, Between("off", *CHANCE_LOSS)),
            Claim(TRAIN_LOSS, Above("off", "on", 0.05)),
        ),
    ),
    Exercise(
        id="vgg-recognition",
        section="vgg",
        view="Feature maps",
        text="Walk from `block1.pool` to `block5.pool` of the small VGG with pictures of 96 "
        "pixels. Each block halves the sides. Where do you stop recognizing your picture?",
        arms=(Arm("small VGG", "vgg", "small", {"image_size": 96}),),
        claims=(
            Claim(likeness("block1.pool"), Between("small VGG", 0.6, 1)),
            Claim(
                quotient(likeness("block5.pool"), likeness("block1.pool")),
                Between("small VGG", 0, 0.6),
            ),
        ),
    ),
)

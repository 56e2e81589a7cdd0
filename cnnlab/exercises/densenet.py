"""Things to try on the page of DenseNet."""

from cnnlab.exercises.checks import Above, Between, Times
from cnnlab.exercises.exercise import Arm, Claim, Exercise, trained
from cnnlab.exercises.maps import change
from cnnlab.exercises.measures import CHANCE_LOSS, MACS, MEMORY, PARAMS, TRAIN_LOSS, params_of

FIRST, LAST = "dense1.layer1.conv2", "dense1.layer4.conv2"

EXERCISES = (
    Exercise(
        id="densenet-growth",
        section="densenet",
        view="Architecture",
        text="Change the growth rate of the book's DenseNet from 32 to 16, then 12. The first "
        f"layer of the first block (`{FIRST}`) shrinks as the growth rate does; by what factor "
        f"does the last (`{LAST}`)? Watch the activation memory too: it shrinks far less.",
        arms=tuple(
            Arm(f"growth rate {rate}", "densenet", "d2l", {"growth_rate": rate})
            for rate in (32, 16, 12)
        ),
        claims=(
            Claim(params_of(FIRST), Times("growth rate 32", "growth rate 16", 2, 2)),
            Claim(params_of(LAST), Times("growth rate 32", "growth rate 16", 2.8, 2.9)),
            Claim(params_of(FIRST), Times("growth rate 32", "growth rate 12", 2.66, 2.67)),
            Claim(params_of(LAST), Times("growth rate 32", "growth rate 12", 4.2, 4.3)),
            Claim(MEMORY, Times("growth rate 32", "growth rate 12", 1.3, 1.5)),
        ),
    ),
    Exercise(
        id="densenet-bottleneck",
        section="densenet",
        view="Architecture",
        text="Switch the bottleneck on at the growth rate of 8 of the small DenseNet, then in the "
        "book's. Both get larger and multiply more: a 1×1 convolution before every 3×3 pays only "
        "where far more channels arrive, as in DenseNet-121. Switch it off there and see.",
        arms=(
            Arm("small", "densenet", "small"),
            Arm("small, bottleneck", "densenet", "small", {"bottleneck": True}),
            Arm("the book's", "densenet", "d2l"),
            Arm("the book's, bottleneck", "densenet", "d2l", {"bottleneck": True}),
            Arm("DenseNet-121", "densenet", "densenet121"),
            Arm("DenseNet-121 without", "densenet", "densenet121", {"bottleneck": False}),
        ),
        claims=tuple(
            Claim(measure, Times(more, less, low, high))
            for more, less, low, high in (
                ("small, bottleneck", "small", 1.8, 2),
                ("the book's, bottleneck", "the book's", 1.25, 1.45),
                ("DenseNet-121 without", "DenseNet-121", 1.05, 1.5),
            )
            for measure in (PARAMS, MACS)
        ),
    ),
    Exercise(
        id="densenet-batch-norm",
        section="densenet",
        view="Train",
        text="The small DenseNet on 2,000 shapes, two epochs, with batch norm and without, same "
        "seed. Every layer reads maps of many different scales; watch which training loss leaves "
        "2.30. The test accuracy says little yet: after 62 steps the running averages lag "
        "behind.",
        arms=(
            trained("on", "densenet", batch_norm=True, train_size=2000, epochs=2),
            trained("off", "densenet", batch_norm=False, train_size=2000, epochs=2),
        ),
        claims=(
            Claim(TRAIN_LOSS, Between("off", *CHANCE_LOSS)),
            Claim(TRAIN_LOSS, Above("off", "on", 0.2)),
        ),
    ),
    Exercise(
        id="densenet-concatenation",
        section="densenet",
        view="Feature maps",
        text="Open `dense1` of the small DenseNet, the output of the first dense block: 32 "
        "channels. The first 16 are those of `stem.conv`, unchanged; find where the new ones "
        "begin.",
        arms=(Arm("small DenseNet", "densenet", "small"),),
        claims=(
            Claim(change("stem.conv", "dense1", channels=16), Between("small DenseNet", 0, 0)),
        ),
    ),
)

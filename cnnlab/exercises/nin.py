"""Things to try on the page of NiN."""

from cnnlab.exercises.checks import Between, Times
from cnnlab.exercises.exercise import Arm, Claim, Exercise
from cnnlab.exercises.maps import smallest
from cnnlab.exercises.measures import MACS, PARAMS

EXERCISES = (
    Exercise(
        id="nin-pointwise",
        section="nin",
        view="Architecture",
        text="Set the 1×1 convolutions per block of the book's NiN to 0, 1, 2 and 3. Each step "
        "adds as much as the one before it. How much is that, in parameters and in "
        "multiply-accumulates, against a network without any?",
        arms=tuple(
            Arm(f"{count} per block", "nin", "d2l", {"pointwise": count}) for count in range(4)
        ),
        claims=tuple(
            Claim(measure, Times(f"{count} per block", "0 per block", factor, factor + 0.01))
            for measure, share in ((PARAMS, 0.144), (MACS, 0.16))
            for count, factor in ((n, 1 + n * share) for n in (1, 2, 3))
        ),
    ),
    Exercise(
        id="nin-logits",
        section="nin",
        view="Feature maps",
        text="Open `global_pool` of the small NiN with pictures of 96 pixels: its ten values are "
        "the logits, the averages of the ten maps before it. With the final activation none is "
        "negative; switch it off and look at the means again.",
        arms=(
            Arm("with", "nin", "small", {"image_size": 96, "final_activation": True}),
            Arm("without", "nin", "small", {"image_size": 96, "final_activation": False}),
        ),
        claims=(
            Claim(smallest("global_pool"), Between("with", 0, 10)),
            Claim(smallest("global_pool"), Between("without", -10, -0.001)),
        ),
    ),
)

"""Things to try on the page of ResNet."""

from cnnlab.exercises.checks import Above, Times
from cnnlab.exercises.exercise import Arm, Claim, Exercise, trained
from cnnlab.exercises.maps import likeness
from cnnlab.exercises.measures import MACS, PARAMS, TRAIN_LOSS

EXERCISES = (
    Exercise(
        id="resnet-bottleneck",
        section="resnet",
        view="Architecture",
        text="Set the depth to 50 and compare parameters and multiply-accumulates with depth 34. "
        "Sixteen layers more cost a tenth more of each: the bottlenecks pay for them.",
        arms=(
            Arm("depth 34", "resnet", "d2l", {"depth": 34}),
            Arm("depth 50", "resnet", "d2l", {"depth": 50}),
        ),
        claims=(
            Claim(PARAMS, Times("depth 50", "depth 34", 1.05, 1.15)),
            Claim(MACS, Times("depth 50", "depth 34", 1.05, 1.15)),
        ),
    ),
    Exercise(
        id="resnet-skip",
        section="resnet",
        view="Train",
        text="The small ResNet at depth 34 on 1,000 shapes, three epochs, with the skip on and "
        "off. Look at the *training* loss: the trouble is in fitting, not in overfitting.",
        arms=(
            trained("with skip", "resnet", depth=34, skip=True, train_size=1000, epochs=3),
            trained("without skip", "resnet", depth=34, skip=False, train_size=1000, epochs=3),
        ),
        claims=(Claim(TRAIN_LOSS, Above("without skip", "with skip", 0.3)),),
    ),
    Exercise(
        id="resnet-recognition",
        section="resnet",
        view="Feature maps",
        text="With fresh weights, follow your picture through the stages of ResNet-18 with the "
        "skip on, then off. In `stage2.block2` it is still to be recognized with the skip, and "
        "hardly without.",
        arms=(
            Arm("with skip", "resnet", "d2l"),
            Arm("without skip", "resnet", "d2l", {"skip": False}),
        ),
        claims=(
            Claim(likeness("stage1.block2"), Above("with skip", "without skip", 0.1)),
            Claim(likeness("stage2.block2"), Above("with skip", "without skip", 0.1)),
        ),
    ),
)

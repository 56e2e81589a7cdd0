"""Questions on the page of ResNet."""

from cnnlab.questions.counts import Parameters
from cnnlab.questions.parts import Most, parts
from cnnlab.questions.question import Question, at
from cnnlab.questions.settings import Difference, MoreOrFewer
from cnnlab.questions.sizes import ReceptiveField, SideAfter
from cnnlab.questions.skips import WeightedSkips

STAGES = tuple(f"stage{number}" for number in range(1, 5))

QUESTIONS = (
    Question(
        id="resnet-side",
        section="resnet",
        kind=SideAfter(at("stage4")),
        varies=("image_size", "stem"),
    ),
    Question(
        id="resnet-convolution-parameters",
        section="resnet",
        kind=Parameters(at("stage2.block1.conv2")),
        varies=("base_channels", "depth"),
    ),
    Question(
        id="resnet-weighted-skips",
        section="resnet",
        kind=WeightedSkips(),
        varies=("depth", "base_channels"),
        lesson="All other skips hand their input on unchanged, and its gradient with it.",
    ),
    Question(
        id="resnet-skip-parameters",
        section="resnet",
        kind=Parameters(at("stage2.block1.shortcut", "stage2.block1.shortcut.conv")),
        varies=("base_channels", "depth"),
    ),
    Question(
        id="resnet-without-skips",
        section="resnet",
        kind=Difference({"skip": False}, "Take all skips out.", shown=STAGES, more=False),
        varies=("base_channels",),
        lesson="Plain and residual networks can be compared because the skips cost next to "
        "nothing.",
    ),
    Question(
        id="resnet-bottleneck",
        section="resnet",
        kind=MoreOrFewer(
            {"depth": 50},
            "Make it a ResNet-50: its blocks narrow by a 1×1, take a 3×3 there, and widen to four "
            "times the channels.",
        ),
        varies=("depth", "base_channels"),
        lesson="With c channels inside, a bottleneck has 4c² + 9c² + 4c² = 17c² weights and two "
        "3×3 have 18c². About as many, but the maps outside are four times as wide.",
    ),
    Question(
        id="resnet-most-parameters",
        section="resnet",
        kind=Most("params", parts(*STAGES)),
        varies=("depth", "base_channels"),
        lesson="Each stage doubles the channels, and weights go with their square.",
    ),
    Question(
        id="resnet-receptive-field",
        section="resnet",
        kind=ReceptiveField(at("stage1.block1.conv2")),
        varies=("stem", "depth"),
    ),
)

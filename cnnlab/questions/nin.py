"""Questions on the page of NiN."""

from cnnlab.questions.counts import Multiplications, Parameters
from cnnlab.questions.logits import NegativeLogits
from cnnlab.questions.parts import Most, parts
from cnnlab.questions.question import Question, at
from cnnlab.questions.settings import Difference
from cnnlab.questions.sizes import SideAfter, SmallestPicture

STEM = ("stem_kernel_size", "stem_stride")
BLOCKS = tuple(f"block{number}" for number in range(1, 5))

QUESTIONS = (
    Question(
        id="nin-pointwise-parameters",
        section="nin",
        kind=Parameters(at("block1.conv2")),
        varies=("width", "pointwise_kernel_size"),
        lesson="It is a fully-connected layer on the channels of one pixel, and the same one at "
        "every pixel.",
    ),
    Question(
        id="nin-pointwise-work",
        section="nin",
        kind=Multiplications(at("block1.conv2")),
        varies=("image_size", "width", *STEM),
        lesson="Few weights, used at every pixel, are much work.",
    ),
    Question(
        id="nin-one-more",
        section="nin",
        kind=Difference(
            {"pointwise": 3},
            "Give every block three of its inner convolutions, which go from all channels of the "
            "block to as many.",
            shown=BLOCKS,
        ),
        varies=("width", "num_classes", "pointwise"),
        lesson="The widest block pays most: the count goes with the square of the channels.",
    ),
    Question(
        id="nin-side",
        section="nin",
        kind=SideAfter(at("block4")),
        varies=("image_size", *STEM),
        lesson="Each logit is the average over all these pixels.",
    ),
    Question(
        id="nin-head",
        section="nin",
        kind=Difference(
            {"head": "fully_connected"},
            "Let a fully-connected layer read all pixels of these maps in place of the average, "
            "and make the classes.",
            shown=("block4",),
        ),
        varies=("image_size", "num_classes", *STEM),
        lesson="The average has no parameters at all, so it has none to overfit.",
    ),
    Question(
        id="nin-most-work",
        section="nin",
        kind=Most("macs", parts(*BLOCKS)),
        varies=("image_size", "width", "pointwise", *STEM),
    ),
    Question(
        id="nin-negative-logits",
        section="nin",
        kind=NegativeLogits(at("global_pool")),
        varies=("activation", "final_activation"),
        lesson="Where every map of a class is 0 for every picture, ReLU passes no gradient back "
        "and the class is dead.",
    ),
    Question(
        id="nin-smallest-picture",
        section="nin",
        kind=SmallestPicture(at("block4")),
        varies=STEM,
    ),
)

"""Questions on the page of VGG."""

from cnnlab.questions.counts import Parameters, Stacked
from cnnlab.questions.parts import Compare, Most, parts
from cnnlab.questions.question import Question, at
from cnnlab.questions.settings import Factor, doubled
from cnnlab.questions.sizes import ReceptiveField, SideAfter, SmallestPicture

QUESTIONS = (
    Question(
        id="vgg-side",
        section="vgg",
        kind=SideAfter(at("block4")),
        varies=("image_size",),
        lesson="The padded convolutions keep the side, so only the poolings show here.",
    ),
    Question(
        id="vgg-convolution-parameters",
        section="vgg",
        kind=Parameters(at("block2.conv1")),
        varies=("base_channels", "kernel_size"),
    ),
    Question(
        id="vgg-stacked",
        section="vgg",
        kind=Stacked(at("block3.conv1")),
        varies=("base_channels", "kernel_size"),
        lesson="The two in a row also have an activation in between.",
    ),
    Question(
        id="vgg-receptive-field",
        section="vgg",
        kind=ReceptiveField(at("block3.conv1")),
        varies=("depth", "kernel_size"),
        lesson="Small windows add up, and each pooling doubles what the next one adds.",
    ),
    Question(
        id="vgg-double-width",
        section="vgg",
        kind=Factor(at("block4.conv1"), doubled("base_channels"), "Double the base channels."),
        varies=("base_channels", "kernel_size"),
        lesson="Both its inputs and its outputs double, so its weights quadruple.",
    ),
    Question(
        id="vgg-most-parameters",
        section="vgg",
        kind=Most("params", parts("block4", "block5", "fc1", "fc2", "fc3")),
        varies=("base_channels", "hidden", "image_size", "depth"),
        lesson="The first fully-connected layer reads every pixel of every map: its size goes "
        "with the area of the picture, that of a convolution does not.",
    ),
    Question(
        id="vgg-equal-work",
        section="vgg",
        kind=Compare(at("block3.conv2"), at("block4.conv2")),
        varies=("base_channels", "image_size", "depth"),
        lesson="A pooling quarters the pixels, and twice the channels quadruple the work for each.",
    ),
    Question(
        id="vgg-smallest-picture",
        section="vgg",
        kind=SmallestPicture(at("block5")),
    ),
)

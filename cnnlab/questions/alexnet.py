"""Questions on the page of AlexNet; they can be asked of LeNet as well."""

from cnnlab.questions.counts import Parameters
from cnnlab.questions.parts import CONVOLUTIONS_OR_LINEAR, Most
from cnnlab.questions.question import Question, at
from cnnlab.questions.sizes import FirstFlattened, OutputSide, ReceptiveField

FIRST, SECOND = at("block1.conv", "conv1"), at("block2.conv", "conv2")
# Knobs of one network or the other; each question takes those that there are.
WINDOWS = ("stem_kernel_size", "stem_stride", "stem_padding", "kernel_size", "padding")
WIDTHS = ("width", "channels1", "channels2", "in_channels")
UNITS = ("hidden", "hidden1", "hidden2")

QUESTIONS = (
    Question(
        id="alexnet-first-side",
        section="alexnet",
        kind=OutputSide(FIRST),
        varies=("image_size", *WINDOWS),
        lesson="Where the division leaves a rest, the last window would not fit any more, and some "
        "pixels at the border are never looked at.",
    ),
    Question(
        id="alexnet-pool-side",
        section="alexnet",
        kind=OutputSide(at("pool2")),
        varies=("image_size", *WINDOWS),
        lesson="Pooling windows follow the same formula as convolutions.",
    ),
    Question(
        id="alexnet-first-parameters",
        section="alexnet",
        kind=Parameters(SECOND),
        varies=(*WIDTHS, "kernel_size"),
        lesson="The size of the picture is nowhere in this sum: a convolution uses the same "
        "weights at every pixel.",
    ),
    Question(
        id="alexnet-receptive-field",
        section="alexnet",
        kind=ReceptiveField(SECOND),
        varies=("stem_kernel_size", "stem_stride", "kernel_size"),
        lesson="Every stride spreads all later windows over more of the picture.",
    ),
    Question(
        id="alexnet-flattened",
        section="alexnet",
        kind=FirstFlattened(at("fc6", "fc1")),
        varies=("image_size", *WINDOWS, "width", "channels2"),
        lesson="A larger picture makes this layer wider, which is why the head is made for one "
        "size of picture.",
    ),
    Question(
        id="alexnet-hidden-parameters",
        section="alexnet",
        kind=Parameters(at("fc7", "fc2")),
        varies=UNITS,
        lesson="In a fully-connected layer every value has a weight for every unit.",
    ),
    Question(
        id="alexnet-most-parameters",
        section="alexnet",
        kind=Most("params", CONVOLUTIONS_OR_LINEAR),
        varies=("image_size", *WIDTHS, *UNITS),
        lesson="Where the weights are, a network can learn its training pictures by heart: dropout "
        "belongs there.",
    ),
    Question(
        id="alexnet-most-work",
        section="alexnet",
        kind=Most("macs", CONVOLUTIONS_OR_LINEAR),
        varies=("image_size", *WIDTHS, *UNITS),
        lesson="A weight of a convolution is used at every pixel, one of a fully-connected "
        "layer once.",
    ),
)

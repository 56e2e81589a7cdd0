"""Questions on the page of DenseNet."""

from cnnlab.questions.channels import Compressed, Grown, Readings
from cnnlab.questions.counts import Parameters
from cnnlab.questions.parts import Most, parts
from cnnlab.questions.question import Question, at
from cnnlab.questions.settings import MoreOrFewer
from cnnlab.questions.sizes import SideAfter

CONCATENATED = {"join": "concatenate"}

QUESTIONS = (
    Question(
        id="densenet-grown",
        section="densenet",
        kind=Grown(at("dense1")),
        varies=("growth_rate", "layers", "stem_channels"),
    ),
    Question(
        id="densenet-compressed",
        section="densenet",
        kind=Compressed(at("transition2")),
        varies=("compression", "growth_rate", "stem_channels"),
        lesson="Without it the channels would grow from block to block without end.",
    ),
    Question(
        id="densenet-readings",
        section="densenet",
        kind=Readings(at("dense1")),
        varies=("layers",),
        lesson="In a chain there would be one arrow for each layer.",
    ),
    Question(
        id="densenet-layer-parameters",
        section="densenet",
        kind=Parameters(at("dense1.layer2.conv2")),
        varies=("growth_rate", "stem_channels", "bottleneck"),
        needs=CONCATENATED,
        lesson="It makes few channels, however many it reads: that keeps the layer small.",
    ),
    Question(
        id="densenet-bottleneck",
        section="densenet",
        kind=MoreOrFewer(
            {"bottleneck": True},
            "Put a 1×1 convolution to four times the growth rate before every 3×3.",
        ),
        varies=("growth_rate", "layers", "stem_channels"),
        needs=CONCATENATED,
        lesson="From c channels a layer then has 4kc + 36k² weights in place of 9kc, for a growth "
        "rate of k: it pays only where c is more than 7.2·k.",
    ),
    Question(
        id="densenet-most-parameters",
        section="densenet",
        kind=Most(
            "params",
            parts("dense1", "dense2", "dense3", "dense4", "transition1", "transition2"),
        ),
        varies=("growth_rate", "layers", "compression"),
    ),
    Question(
        id="densenet-side",
        section="densenet",
        kind=SideAfter(at("dense3")),
        varies=("image_size", "stem", "pooling"),
        lesson="Inside a dense block the side has to stay: only equal sides can be put side by "
        "side.",
    ),
)

"""Questions on the page of GoogLeNet."""

from cnnlab.questions.channels import Concatenated
from cnnlab.questions.counts import Parameters, PartParameters
from cnnlab.questions.parts import Most, parts
from cnnlab.questions.question import Question, at
from cnnlab.questions.settings import Difference
from cnnlab.questions.sizes import OutputSide, SideAfter

PATHS = tuple(f"inception3a.path{number}" for number in range(1, 5))

QUESTIONS = (
    Question(
        id="googlenet-first-side",
        section="googlenet",
        kind=OutputSide(at("conv1.conv")),
        varies=("image_size",),
    ),
    Question(
        id="googlenet-channels",
        section="googlenet",
        kind=Concatenated(at("inception3b")),
        varies=("width", "paths"),
        lesson="Nothing is added up: the next block reads all of them.",
    ),
    Question(
        id="googlenet-path-parameters",
        section="googlenet",
        kind=PartParameters(at("inception3a.path3")),
        varies=("width", "batch_norm"),
        lesson="Most of what it says about its input has to pass through the narrow 1×1.",
    ),
    Question(
        id="googlenet-direct",
        section="googlenet",
        kind=Parameters(
            at("inception3a.path3.0.conv"),
            {"reductions": False},
            "Leave out the 1×1 reductions: the third path then reads all channels itself.",
        ),
        varies=("width",),
        lesson="With the reduction in front the whole path has only a small part of that.",
    ),
    Question(
        id="googlenet-most-parameters",
        section="googlenet",
        kind=Most("params", parts(*PATHS), detailed=True),
        varies=("width", "reductions", "variant"),
    ),
    Question(
        id="googlenet-side",
        section="googlenet",
        kind=SideAfter(at("inception5b")),
        varies=("image_size",),
        lesson="No Inception block changes the side; all windows in them are padded.",
    ),
    Question(
        id="googlenet-head",
        section="googlenet",
        kind=Difference(
            {"head": "fully_connected"},
            "Let the last layer read all pixels of these maps in place of their averages.",
            shown=("inception5b",),
        ),
        varies=("image_size", "width", "num_classes"),
    ),
)

"""Questions on the page of batch normalization; they can be asked of every network."""

from cnnlab.questions.norms import (
    NormParameters,
    RunningMean,
    Standardized,
    Unmoved,
    ValuesPerMean,
    first_norm,
)
from cnnlab.questions.question import Question

MAPS, UNITS = first_norm(maps=True), first_norm(maps=False)

QUESTIONS = (
    Question(
        id="batch-norm-parameters",
        section="batch_norm",
        kind=NormParameters(),
        varies=("channels1", "channels2", "hidden1", "hidden2", "norm", "width", "base_channels"),
        lesson="Next to the weights of the layers this is little.",
    ),
    Question(
        id="batch-norm-values-maps",
        section="batch_norm",
        kind=ValuesPerMean(MAPS),
        varies=("batch_size", "image_size", "kernel_size", "padding"),
        lesson="The more values, the steadier the mean; but the pixels of one picture are alike.",
    ),
    Question(
        id="batch-norm-values-units",
        section="batch_norm",
        kind=ValuesPerMean(UNITS),
        varies=("batch_size", "hidden1"),
        lesson="With few pictures in a batch such a mean is noisy.",
    ),
    Question(
        id="batch-norm-standardized",
        section="batch_norm",
        kind=Standardized(MAPS),
        varies=("norm",),
    ),
    Question(
        id="batch-norm-running-mean",
        section="batch_norm",
        kind=RunningMean(MAPS),
        lesson="A small momentum remembers long; the word is used the other way round elsewhere.",
    ),
    Question(
        id="batch-norm-bias",
        section="batch_norm",
        kind=Unmoved(MAPS, "bias"),
        varies=("norm", "norm_place"),
    ),
    Question(
        id="batch-norm-scale",
        section="batch_norm",
        kind=Unmoved(MAPS, "scale"),
        varies=("norm", "norm_place"),
        lesson="This is one reason why the scale of the initial weights matters less with it.",
    ),
)

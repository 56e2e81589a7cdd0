"""Experiments on the page of batch normalization: its parts, taken out one at a time."""

from collections.abc import Mapping

from cnnlab.configuration import Value
from cnnlab.exercises.exercise import trained
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.metrics import AtEnd, Until
from cnnlab.experiments.verdict import Ahead, Alike
from cnnlab.training.probes.batch_norm import BatchNormProbe

RUN: Mapping[str, Value] = {
    "batch_norm": True,
    "activation": "relu",
    "pooling": "average",
    "train_size": 4000,
    "epochs": 4,
    "batch_size": 32,
}
# With the rate falling to zero the last epoch is calm: smaller differences show.
CALM: Mapping[str, Value] = {**RUN, "schedule": "cosine"}

EXPERIMENTS = (
    Experiment(
        id="norm-place",
        section="batch_norm",
        question="Batch norm before the activation, or after it?",
        claim="It belongs before the activation.",
        source="Ioffe & Szegedy 2015, section 3.2",
        arms=(
            trained("before", "lenet", norm_place="before_activation", **CALM),
            trained("after", "lenet", norm_place="after_activation", **CALM),
        ),
        differs=("norm_place",),
        metric=AtEnd("test_accuracy"),
        rule=Ahead(
            "before",
            "after",
            predictions=("Before the activation it does better", "After it does better"),
        ),
        also=(AtEnd("train_loss"),),
        why="Before the ReLU about half of the values are cut off, whatever the weights. After it, "
        "what the next layer reads has mean 0 and variance 1. Both keep the sizes alike, which is "
        "what counts most.",
        contested="The authors reasoned that what a linear layer gives is closer to a bell curve. "
        "Practice is divided, and many later tests found the place after it as good or better.",
    ),
    Experiment(
        id="norm-bias",
        section="batch_norm",
        question="Take the biases out of every layer before a batch norm. What is lost?",
        claim="Nothing: subtracting the mean removes any bias.",
        source="Ioffe & Szegedy 2015, section 3.2",
        arms=(
            trained("with biases", "lenet", bias=True, **RUN),
            trained("without", "lenet", bias=False, **RUN),
        ),
        differs=("bias",),
        metric=AtEnd("train_loss"),
        rule=Alike(
            "with biases",
            "without",
            within=0.02,
            predictions=("With biases it learns more", "Without biases it learns more"),
        ),
        also=(AtEnd("test_accuracy"),),
        shown=(BatchNormProbe(),),
        why="A bias shifts every value of a channel by the same amount, and their mean with them. "
        "What is left after the mean is subtracted is the same. β does the shifting instead.",
        contested="Rounding differs in the last digits, and training makes small differences "
        "grow. That is why the curves part a little.",
    ),
    Experiment(
        id="norm-frozen",
        section="batch_norm",
        question="Are the scale γ and the shift β needed, or is standardizing enough?",
        claim="They are needed: they let a layer undo the standardizing.",
        source="Ioffe & Szegedy 2015, section 3",
        arms=(
            trained("learned", "lenet", norm="full", **CALM),
            trained("frozen at 1 and 0", "lenet", norm="frozen", **CALM),
        ),
        differs=("norm",),
        metric=AtEnd("train_loss"),
        rule=Alike(
            "learned",
            "frozen at 1 and 0",
            within=0.06,
            claimed="first",
            predictions=("Learned they do better", "Frozen they do better"),
        ),
        also=(AtEnd("test_accuracy"),),
        shown=(BatchNormProbe(),),
        why="The next layer's weights can scale whatever they read, so γ is not missed. β decides "
        "how many values a ReLU lets through. Frozen at 0 that is about half of them, which is a "
        "good share to begin with.",
        contested="The paper argues from what a layer can express. It does not show a run without "
        "the two.",
    ),
    Experiment(
        id="norm-parts",
        section="batch_norm",
        question="Subtract the mean only, or divide by the standard deviation only: what helps?",
        claim="Both are needed.",
        source="the book's exercise; the claim is the paper's by implication",
        arms=(
            trained("both", "lenet", norm="full", **RUN),
            trained("mean only", "lenet", norm="mean_only", **RUN),
            trained("variance only", "lenet", norm="variance_only", **RUN),
            trained("no batch norm", "lenet", **{**RUN, "batch_norm": False}),
        ),
        differs=("norm", "batch_norm"),
        metric=Until("loss", 2.0),
        rule=Ahead(
            "both",
            "variance only",
            predictions=("Both together learn sooner", "The variance alone learns sooner"),
        ),
        also=(AtEnd("test_accuracy"), AtEnd("train_loss")),
        why="Dividing by the standard deviation keeps the sizes alike from layer to layer, and "
        "with them the gradients. Subtracting the mean keeps the values around the bend of the "
        "ReLU. In a shallow network the division does most for a quick start.",
        contested="How much each part does depends on the depth and on the first weights.",
    ),
    Experiment(
        id="norm-prediction",
        section="batch_norm",
        question="In prediction: the running statistics, or those of the batch at hand?",
        claim="Running averages stand in for the statistics of the whole set.",
        source="Ioffe & Szegedy 2015, section 3.1",
        arms=(
            trained("running", "lenet", norm="full", **CALM),
            trained("of the batch", "lenet", norm="batch_statistics", **CALM),
        ),
        differs=("norm",),
        metric=AtEnd("test_accuracy"),
        rule=Alike(
            "running",
            "of the batch",
            within=0.03,
            predictions=("The running ones do better", "Those of the batch do better"),
        ),
        also=(AtEnd("test_loss"),),
        shown=(BatchNormProbe(),),
        why="Training is the same in both arms; only the test differs. Averages over the last "
        "batches lag behind while the weights move quickly, and what they saw was training "
        "pictures. Once training slows down the two agree.",
        contested="With statistics of the batch a picture's answer depends on its neighbours: "
        "nobody would want that of a finished network.",
    ),
)

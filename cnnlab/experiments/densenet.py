"""Experiments on the page of DenseNet."""

from collections.abc import Mapping

from cnnlab.configuration import Value
from cnnlab.exercises.exercise import trained
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.metrics import AtEnd
from cnnlab.experiments.no_worse import NoWorse
from cnnlab.experiments.verdict import Ahead, Trend

RUN: Mapping[str, Value] = {"train_size": 2000, "epochs": 3}
# With the rate falling to zero the last epoch is calm: smaller differences show.
CALM: Mapping[str, Value] = {**RUN, "schedule": "cosine"}
RATES = (4, 8, 16)
SHORT: Mapping[str, Value] = {"train_size": 2000, "epochs": 2}

EXPERIMENTS = (
    Experiment(
        id="densenet-growth",
        section="densenet",
        question="How many channels does a layer have to add?",
        claim="A small growth rate is enough, a larger one is better.",
        source="Huang et al. 2016, section 3 and table 2",
        arms=tuple(
            trained(f"growth rate {rate}", "densenet", growth_rate=rate, **CALM) for rate in RATES
        ),
        differs=("growth_rate",),
        metric=AtEnd("train_loss"),
        rule=Trend(tuple(f"growth rate {rate}" for rate in RATES)),
        also=(AtEnd("test_accuracy"),),
        why="Every layer reads all channels so far, so that few new ones go a long way. More of "
        "them still help: each is one more thing that all later layers can look at.",
        contested="From 4 to 16 the network gets nearly seven times as many weights. That may be "
        "what helps, rather than where they are.",
    ),
    Experiment(
        id="densenet-join",
        section="densenet",
        question="Concatenate the new channels or add them, with as many parameters?",
        claim="Concatenation makes better use of parameters than addition.",
        source="Huang et al. 2016, sections 3 and 4.3",
        arms=(
            trained("concatenation", "densenet", join="concatenate", **CALM),
            trained("addition", "densenet", join="add", stem_channels=20, **CALM),
        ),
        differs=("join", "stem_channels"),
        metric=AtEnd("train_loss"),
        rule=Ahead(
            "concatenation",
            "addition",
            predictions=("Concatenation learns more", "Addition learns more"),
        ),
        also=(AtEnd("test_accuracy"),),
        why="What is concatenated stays readable for every later layer. What is added mixes with "
        "what was there. The adding network begins with 20 channels, so that both have nearly as "
        "many parameters.",
        contested="The adding network needs 1.7 times the arithmetic, since its early layers are "
        "wider. And both are tiny, of ten thousand parameters: DenseNet-121 has eight million.",
    ),
    Experiment(
        id="densenet-transitions",
        section="densenet",
        question="Leave out the transitions: channels only grow, and the size stays. Any better?",
        claim="Transitions save arithmetic and do not make the network learn less.",
        source="Huang et al. 2016, section 3; the claim is ours",
        arms=(
            trained("without", "densenet", transitions=False, **SHORT),
            trained("with", "densenet", transitions=True, **SHORT),
        ),
        differs=("transitions",),
        metric=AtEnd("train_loss"),
        rule=NoWorse(
            "with",
            "without",
            margin=0.1,
            predictions=(
                "With transitions it learns as much, or more",
                "With transitions it learns less",
            ),
        ),
        also=(AtEnd("test_accuracy"),),
        why="Without them every layer works at full size, which costs more than three times the "
        "arithmetic here. What a later layer sees of the picture stays small, too: nothing widens "
        "its view but its own 3×3. So transitions can even help.",
    ),
    Experiment(
        id="densenet-compression",
        section="densenet",
        question="A transition keeps half of the channels. Does it do harm to throw them away?",
        claim="Compression by half does no harm.",
        source="Huang et al. 2016, section 4.3 (DenseNet-BC)",
        arms=(
            trained("all channels", "densenet", compression=1.0, **CALM),
            trained("half of them", "densenet", compression=0.5, **CALM),
        ),
        differs=("compression",),
        metric=AtEnd("train_loss"),
        rule=NoWorse(
            "half of them",
            "all channels",
            margin=0.1,
            predictions=(
                "With half of them it learns as much, or more",
                "With half of them it learns less",
            ),
        ),
        also=(AtEnd("test_accuracy"),),
        why="The 1×1 convolution of a transition does not throw channels away, it mixes them into "
        "fewer. What several of them say alike needs to be kept once. Here that saves nearly half "
        "of the weights.",
    ),
    Experiment(
        id="densenet-pooling",
        section="densenet",
        question="Average or maximum where a transition halves the picture?",
        claim="It makes no difference: the paper pools by averages and gives no reason.",
        source="Huang et al. 2016, section 3; the claim is ours, the comparison the book's "
        "exercise",
        arms=(
            trained("average", "densenet", pooling="average", **RUN),
            trained("maximum", "densenet", pooling="max", **RUN),
        ),
        differs=("pooling",),
        metric=AtEnd("train_loss"),
        rule=Ahead(
            "average",
            "maximum",
            claimed="open",
            predictions=("The average does better", "The maximum does better"),
        ),
        also=(AtEnd("test_accuracy"),),
        why="The average keeps a little of every value and passes the gradient to all four "
        "pixels. The maximum keeps the strongest and passes it to one: what is small and clear is "
        "not thinned out. With no ReLU before the pooling it is also one more bend in the network.",
    ),
)

"""Every experiment: its arms, its texts, and each of its verdicts on made-up results."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cnnlab.catalog import SECTIONS
from cnnlab.experiments import EXPERIMENTS, SEEDS, Experiment, measured, of_section
from cnnlab.experiments.ceiling import Ceiling
from cnnlab.experiments.gain import GainGrows
from cnnlab.experiments.no_worse import NoWorse
from cnnlab.experiments.outcome import Outcome
from cnnlab.experiments.report import NOTHING_YET, conclusion, rows, table, verdict
from cnnlab.experiments.verdict import OPEN
from cnnlab.runs.comparison import flatten
from cnnlab.runs.records import Curve
from cnnlab.training.config import RunConfig
from cnnlab.training.events import Measurement

# A network's own knobs come and go with the network.
NETWORKS = "network"
BEST, MIDDLE, WORST = 0, 1, 2
# A steep, a slow and no learning at all: losses of a curve of 40 points.
STEPS = list(range(1, 41))
LOSSES = {
    BEST: [2.3 * 0.8**step for step in STEPS],
    MIDDLE: [2.3 * 0.95**step for step in STEPS],
    WORST: [2.3 for _ in STEPS],
}


def outcome(config: RunConfig, rank: float) -> Outcome:
    """A made-up run: the lower its rank, the better it does in every respect."""
    accuracy = 0.9 - 0.3 * rank
    losses = LOSSES[min(2, max(0, round(rank)))]
    if 0 < rank < 1:
        losses = [loss * (1 + rank / 10) for loss in losses]
    curve = Curve(
        steps=STEPS,
        epochs=[step / 10 for step in STEPS],
        seconds=[float(step) for step in STEPS],
        train_loss=losses,
        train_accuracy=[1 - loss / 2.4 for loss in losses],
    )
    figures = {
        "train_loss": 0.1 + rank,
        "test_loss": 0.1 + rank,
        "train_accuracy": accuracy + 0.05 * (1 + rank) - 0.1 * (rank == WORST),
        "test_accuracy": accuracy - 0.2 * rank - 0.1 * (rank == WORST),
        "named": [100] * (10 - round(4 * rank)) + [0] * round(4 * rank),
    }
    place = {"epoch": 1.0, "elapsed_s": 1.0, "kind": "layer_statistics"}
    norms = (("first", 1.0 / (1 + 10 * rank)), ("last", 1.0))
    measured = tuple(
        Measurement(step=1, layer=layer, values={"gradient_norm": norm, "dead": rank / 4}, **place)
        for layer, norm in norms
    )
    return Outcome(config, curve, "finished", figures, (*measured, *timed(rank)))


def timed(rank: float) -> Iterator[Measurement]:
    """A step whose activations take the longer, the higher the rank."""
    place = {"step": 1, "epoch": 1.0, "elapsed_s": 1.0, "kind": "activation_cost"}
    yield Measurement(layer=None, values={"pass_s": 0.1}, **place)
    yield Measurement(
        layer="act", values={"forward_s": 0.01 + rank / 1000, "backward_s": 0.01}, **place
    )


def outcomes(experiment: Experiment, ranks: dict[str, float]) -> list[Outcome]:
    """Three seeds that hardly differ."""
    return [
        outcome(experiment.config(arm, seed), ranks.get(arm.name, MIDDLE) + 0.001 * seed)
        for seed in SEEDS
        for arm in experiment.arms
    ]


def made_up(experiment: Experiment, answer: str) -> list[Outcome]:
    """Results that should give this answer."""
    first, last = experiment.rule.arms[0], experiment.rule.arms[-1]
    if isinstance(experiment.rule, Ceiling) and answer != OPEN:
        better = experiment.rule.first if answer == "first" else experiment.rule.second
        best = {arm for _, arm in better.rungs}
        ranks: dict[str, float] = {
            arm: BEST if arm in best else WORST for arm in experiment.rule.arms
        }
        return outcomes(experiment, ranks)
    if isinstance(experiment.rule, GainGrows) and answer != OPEN:
        # One family does the same at every rung; the other begins or ends where it does.
        rungs = [arm for _, arm in experiment.rule.first.rungs]
        alike = rungs[0] if answer == "grows" else rungs[-1]
        return outcomes(experiment, {arm: BEST for arm in rungs if arm != alike})
    if isinstance(experiment.rule, NoWorse) and answer == "worse":
        return outcomes(experiment, {last: BEST, first: WORST})
    if answer in ("first", "worse", "each"):
        order = list(experiment.rule.arms)
    elif answer in ("second", "better", "always", "not_all"):
        order = list(reversed(experiment.rule.arms))
    elif answer in ("alike", "never", "no_worse"):
        return outcomes(experiment, dict.fromkeys(experiment.rule.arms, MIDDLE))
    else:
        # Now the one is ahead, now the other.
        return [
            outcome(
                experiment.config(arm, seed),
                {first: (BEST, WORST)[seed % 2], last: (WORST, BEST)[seed % 2]}.get(
                    arm.name, MIDDLE
                ),
            )
            for seed in SEEDS
            for arm in experiment.arms
        ]
    step = (WORST - BEST) / (len(order) - 1)
    return outcomes(experiment, {name: place * step for place, name in enumerate(order)})


VERDICTS = [
    pytest.param(one, answer, id=f"{one.id}-{answer}")
    for one in EXPERIMENTS.values()
    for answer in one.rule.answers
]


@pytest.fixture(params=list(EXPERIMENTS.values()), ids=list(EXPERIMENTS))
def experiment(request: pytest.FixtureRequest) -> Experiment:
    found: Experiment = request.param
    return found


def test_every_section_has_experiments() -> None:
    assert {one.section for one in EXPERIMENTS.values()} == set(SECTIONS)
    assert [one.id for slug in SECTIONS for one in of_section(slug)] == list(EXPERIMENTS)


def test_arms_differ_only_where_they_say(experiment: Experiment) -> None:
    first, *others = (flatten(experiment.config(arm)) for arm in experiment.arms)
    found = {
        name for other in others for name in first | other if first.get(name) != other.get(name)
    }
    if NETWORKS in experiment.differs:
        # What only one of the networks has is a part of the network.
        found = {name for name in found if all(name in one for one in (first, *others))}
        for arm in experiment.arms:
            found -= set(arm.configuration.spec.options.model_fields)
    assert found == set(experiment.differs)


def test_arms_have_names_of_their_own_and_build(experiment: Experiment) -> None:
    names = [arm.name for arm in experiment.arms]
    assert len(set(names)) == len(names) > 1
    assert set(experiment.rule.arms) <= set(names)
    for arm in experiment.arms:
        config = experiment.config(arm)
        arm.configuration.spec.build(config.options, device="meta", image_size=config.image_size)
        assert experiment.arm_of(config.replace(seed=7)) == arm
        # One format for all: what is compared has to be computed alike.
        assert config.precision == "float32"


def test_an_arm_is_counted_as_its_network_is_built(experiment: Experiment) -> None:
    for arm, row in zip(experiment.arms, experiment.counts(), strict=True):
        config = experiment.config(arm)
        model = arm.configuration.spec.build(
            config.options, device="meta", image_size=config.image_size
        )
        assert row["Arm"] == arm.name
        # What is only there in training is not part of the table of one picture.
        kept = sum(
            p.numel() for name, p in model.named_parameters() if not name.startswith("auxiliary")
        )
        assert int(row["Parameters"].replace(",", "")) in (
            kept,
            sum(p.numel() for p in model.parameters()),
        )


@pytest.mark.parametrize("name", ["vgg-windows-5", "vgg-windows-7"])
def test_stacks_of_small_windows_see_as_much_as_one_large(name: str) -> None:
    sees = {row["Sees (pixels)"] for row in EXPERIMENTS[name].counts()}
    # One window k in each of five stages, and four poolings by 2 between them: a pixel, k - 1 at
    # strides of 1 to 16, and 1 at strides of 1 to 8.
    window = {"vgg-windows-5": 5, "vgg-windows-7": 7}[name]
    assert sees == {str(1 + (window - 1) * (1 + 2 + 4 + 8 + 16) + (1 + 2 + 4 + 8))}


def test_it_says_what_a_reader_needs(experiment: Experiment) -> None:
    assert experiment.section in SECTIONS
    assert experiment.question.endswith((".", "?"))
    assert len(experiment.question) <= 90
    assert experiment.claim.endswith(".")
    assert experiment.source
    assert experiment.why.endswith(".")
    assert experiment.rule.claimed in experiment.rule.answers
    assert len(set(experiment.rule.answers.values())) == len(experiment.rule.answers) >= 3


@pytest.mark.parametrize(("experiment", "answer"), VERDICTS)
def test_the_rule_can_say_each_of_its_answers(experiment: Experiment, answer: str) -> None:
    found = made_up(experiment, answer)
    judged = experiment.judge(found)
    assert judged is not None
    assert judged.answer == answer, judged.sentence
    assert judged.seeds == len(SEEDS)
    assert judged.is_final
    assert verdict(experiment, found).startswith(judged.sentence)
    said = conclusion(experiment, answer, 3)
    assert ("as claimed" in said) == (answer == experiment.rule.claimed)


def test_a_seed_counts_when_all_arms_have_ended(experiment: Experiment) -> None:
    found = made_up(experiment, next(iter(experiment.rule.answers)))
    arms = len(experiment.arms)
    assert experiment.judge(found[: arms - 1]) is None
    assert verdict(experiment, found[: arms - 1]) == NOTHING_YET
    judged = experiment.judge(found[: 2 * arms - 1])
    assert judged is not None
    assert (judged.seeds, judged.is_final) == (1, False)


def test_rows_have_every_figure(experiment: Experiment) -> None:
    found = rows(experiment, made_up(experiment, next(iter(experiment.rule.answers))))
    assert [row["Arm"] for row in found] == [arm.name for arm in experiment.arms]
    assert all(len(row) == 2 + len(experiment.also) for row in found)
    lines = table(experiment, [])
    assert lines[0] == "| Arm |"


def test_a_run_that_diverged_is_a_part_of_the_verdict() -> None:
    experiment = EXPERIMENTS["batch-norm-rate"]
    found = [
        Outcome(one.config, Curve(), "failed") if index % 8 == 5 else one
        for index, one in enumerate(made_up(experiment, "first"))
    ]
    judged = experiment.judge(found)
    assert judged is not None
    assert judged.answer == "first"
    assert judged.sentence.endswith("Diverged: without at 0.08 with 3 of 3 seeds.")


def test_a_stopped_run_does_not_count() -> None:
    experiment = EXPERIMENTS["batch-norm-rate"]
    found = [Outcome(one.config, one.curve, "cancelled") for one in made_up(experiment, "first")]
    assert experiment.judge(found) is None


def test_what_is_only_shown_is_observed_in_the_arms_that_have_it() -> None:
    experiment = EXPERIMENTS["batch-norm-lenet"]
    kinds = {
        arm.name: [probe.kind for probe in experiment.config(arm).probes] for arm in experiment.arms
    }
    assert kinds == {
        "with batch norm": ["layer_statistics", "batch_norm"],
        "without": ["layer_statistics"],
    }
    # It is no setting: the arms stay those that were measured.
    assert measured.settings(experiment) == measured.settings(replace(experiment, shown=()))

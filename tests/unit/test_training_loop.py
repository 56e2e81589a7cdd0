"""The training loop: what it reports, that it repeats itself, that it learns."""

import itertools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from cnnlab import catalog
from cnnlab.datasets import Dataset
from cnnlab.datasets.augment import Augment
from cnnlab.training import RunConfig, checkpoint, evaluation, loop, plan, train, trainer
from cnnlab.training.events import Evaluation, Event, Finished, Predicted, Progress, Started
from cnnlab.training.events import from_json as event_from_json

TIMES = {"elapsed_s", "images_per_s", "eta_s"}
CONFIG = RunConfig(
    network="lenet",
    options={"dropout": 0.5, "activation": "relu"},
    augment=Augment(flip=True, crop=True, color=True),
    train_size=96,
    batch_size=16,
    epochs=2,
    seed=3,
    device="cpu",
    precision="float32",
)
EASY = CONFIG.replace(
    options={"batch_norm": True, "activation": "relu"},
    augment=Augment(),
    train_size=320,
    batch_size=32,
    epochs=12,
)


def plain_colours(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ten classes, each of its own colour, with a little noise: as easy as it gets."""
    random = torch.Generator().manual_seed(seed)
    corners = list(itertools.product((30, 220), repeat=3))
    colours = torch.tensor([*corners, (125, 125, 125), (220, 125, 30)]).view(10, 3, 1, 1)
    labels = torch.arange(count) % 10
    noise = torch.randint(-20, 21, (count, 3, 32, 32), generator=random)
    return (colours[labels] + noise).to(torch.uint8), labels


@pytest.fixture(autouse=True)
def small_data(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Every data set is this one, which is there at once."""
    names = tuple("abcdefghij")
    data = Dataset(*plain_colours(320, 1), *plain_colours(70, 2), names)
    monkeypatch.setattr(loop, "resident", lambda _name, _device: data)
    # Batches of the evaluation that are not all of one size.
    monkeypatch.setattr(evaluation, "SMALLEST_BATCH", 32)
    return data


def without_times(events: Iterable[Event]) -> list[str]:
    return [event.model_dump_json(exclude=TIMES) for event in events]


def evaluate_by_hand(model: nn.Module, data: Dataset) -> tuple[float, float]:
    with torch.no_grad():
        logits = model(data.test_images / 255)
    accuracy = (logits.argmax(1) == data.test_labels).float().mean().item()
    return cross_entropy(logits, data.test_labels).item(), accuracy


def test_events_and_their_order() -> None:
    events = list(train(CONFIG))
    started, *later = events
    assert isinstance(started, Started)
    assert (started.device, started.precision) == ("cpu", "float32")
    assert (started.train_images, started.test_images, started.steps) == (96, 70, 12)
    model = catalog.NETWORKS["lenet"].build(CONFIG.options, image_size=CONFIG.image_size)
    assert started.params == sum(p.numel() for p in model.parameters())
    kinds = Progress | Evaluation | Predicted | Finished
    *middle, last = [e for e in later if isinstance(e, kinds)]
    assert len(later) == len(middle) + 1
    assert {type(event) for event in middle} == {Progress, Evaluation, Predicted}
    assert [e.step for e in middle if isinstance(e, Progress)] == list(range(1, 13))
    steps = [e.step for e in middle]
    assert steps == sorted(steps)
    assert all(e.epoch == e.step / 6 for e in [*middle, last])
    times = [e.elapsed_s for e in [*middle, last]]
    assert times == sorted(times)
    test = middle[-2]
    assert isinstance(test, Evaluation)
    assert isinstance(middle[-1], Predicted)
    assert isinstance(last, Finished)
    assert (last.step, last.epoch, last.weights, last.note) == (12, 2, None, None)
    assert (last.test_loss, last.test_accuracy) == (test.test_loss, test.test_accuracy)
    assert [event_from_json(e.model_dump_json()) for e in events] == events


def test_time_left_ends_at_nothing() -> None:
    etas = [e.eta_s for e in train(CONFIG) if isinstance(e, Progress)]
    assert all(math.isfinite(eta) and eta >= 0 for eta in etas)


def test_same_configuration_same_events() -> None:
    once, again = without_times(train(CONFIG)), without_times(train(CONFIG))
    assert once == again


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_same_events_with_other_optimizers_schedules_and_initializations(optimizer: str) -> None:
    config = CONFIG.replace(
        optimizer=optimizer, lr=1e-3, schedule="cosine", init="kaiming", weight_decay=0.01
    )
    events = list(train(config))
    assert without_times(events) == without_times(train(config))
    rates = [e.lr for e in events if isinstance(e, Progress)]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 4},
        {"lr": 0.03},
        {"init": "xavier"},
        {"init_scale": 0.1},
        {"momentum": 0},
        {"weight_decay": 0.1},
        {"schedule": "cosine"},
        {"augment": Augment(flip=True)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_defines_a_run_changes_it(change: dict[str, Any]) -> None:
    def losses(config: RunConfig) -> list[float]:
        return [e.train_loss for e in train(config) if isinstance(e, Progress)]

    assert losses(CONFIG) != losses(CONFIG.replace(**change))


def test_the_callers_random_numbers_stay() -> None:
    torch.manual_seed(42)
    expected = torch.rand(30)
    torch.manual_seed(42)
    drawn = [torch.rand(1) for _, _ in zip(range(30), train(CONFIG), strict=False)]
    assert torch.equal(torch.cat(drawn), expected[: len(drawn)])


def test_two_runs_at_once_do_not_disturb_each_other() -> None:
    other = CONFIG.replace(seed=4)
    alone = without_times(train(CONFIG)), without_times(train(other))
    pairs = list(zip(train(CONFIG), train(other), strict=True))
    assert tuple(map(without_times, zip(*pairs, strict=True))) == alone


def test_it_learns_and_the_figures_are_those_of_the_saved_weights(
    tmp_path: Path, small_data: Dataset
) -> None:
    *_, evaluation, _, last = train(EASY, save_to=tmp_path / "new" / "run.safetensors")
    assert isinstance(evaluation, Evaluation)
    assert isinstance(last, Finished)
    assert (last.test_accuracy or 0) > 0.95
    assert (last.train_accuracy or 0) > 0.95
    model, config = checkpoint.load(tmp_path / "new" / "run.safetensors")
    assert last.weights == str(tmp_path / "new" / "run.safetensors")
    assert config == EASY
    assert not model.training
    loss, accuracy = evaluate_by_hand(model, small_data)
    assert last.test_accuracy == evaluation.test_accuracy == pytest.approx(accuracy, abs=1e-9)
    assert last.test_loss == pytest.approx(loss, rel=1e-4)


def test_a_subset_is_the_same_for_every_seed_and_each_picture_comes_once_an_epoch(
    small_data: Dataset,
) -> None:
    config = EASY.replace(train_size=70)
    trainers = [
        trainer.Trainer(config.replace(seed=seed), small_data, torch.float32) for seed in (0, 1)
    ]
    assert torch.equal(trainers[0].subset, trainers[1].subset)
    batches = list(trainers[0].batches())
    assert len(batches) == 2 * config.epochs
    first, second = torch.cat(batches[:2]), torch.cat(batches[2:4])
    for epoch in (first, second):
        # 70 pictures are two full batches of 32; what is left over waits for another epoch.
        assert len(epoch) == len(set(epoch.tolist())) == 64
        assert set(epoch.tolist()) <= set(trainers[0].subset.tolist())
    assert not torch.equal(first, second)


def test_points_further_apart_are_means_over_the_steps_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    each = [e for e in train(CONFIG) if isinstance(e, Progress)]
    monkeypatch.setattr(plan, "REPORTS", 3)
    few = [e for e in train(CONFIG) if isinstance(e, Progress)]
    assert [e.step for e in few] == [1, 4, 8, 12]
    for previous, point in itertools.pairwise(few):
        steps = each[previous.step : point.step]
        for name in ("train_loss", "train_accuracy"):
            mean = sum(getattr(e, name) for e in steps) / len(steps)
            assert getattr(point, name) == pytest.approx(mean, rel=1e-5)


def test_evaluation_can_be_left_to_the_end() -> None:
    short = EASY.replace(epochs=4)
    spread, end = (list(train(short.replace(evaluate=how))) for how in ("spread", "end"))
    steps = [[e.step for e in run if isinstance(e, Evaluation)] for run in (spread, end)]
    assert len(steps[0]) > 1
    assert steps[1] == [40]
    points = [[e.train_loss for e in run if isinstance(e, Progress)] for run in (spread, end)]
    assert points[0] == points[1]
    ends = [run[-1] for run in (spread, end)]
    assert isinstance(ends[0], Finished)
    assert isinstance(ends[1], Finished)
    assert ends[0].test_accuracy == ends[1].test_accuracy


@pytest.mark.parametrize(("training", "size"), [(2, 64), (64, 64), (100, 100), (1024, 500)])
def test_batches_of_the_evaluation_fit_where_those_of_training_fit(
    monkeypatch: pytest.MonkeyPatch, training: int, size: int
) -> None:
    monkeypatch.undo()
    assert evaluation.batch_size(training) == size


SWITCHES = [
    (name, on)
    for name, spec in catalog.NETWORKS.items()
    for on in ((False, True) if "batch_norm" in spec.options.model_fields else (None,))
]


@pytest.mark.parametrize(("network", "batch_norm"), SWITCHES)
def test_every_network_trains_with_and_without_batch_norm(
    network: str, batch_norm: bool | None
) -> None:
    options = catalog.NETWORKS[network].preset("small")
    if batch_norm is not None:
        options = options.replace(batch_norm=batch_norm)
    config = RunConfig(
        network=network, options=options, train_size=24, batch_size=8, epochs=1, device="cpu"
    )
    events = list(train(config))
    assert isinstance(events[-1], Finished)
    assert events[-1].step == 3
    losses = [e.train_loss for e in events if isinstance(e, Progress)]
    assert len(set(losses)) == 3
    # Untrained, ten classes are a guess: ln 10 is 2.3, and more where the first logits are large.
    assert losses[0] > 1

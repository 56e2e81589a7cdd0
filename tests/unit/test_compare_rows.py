"""The table of all networks: its counts are the models', its figures are somebody's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import compare
from cnnlab.catalog import NETWORKS
from cnnlab.compare import measured, published
from cnnlab.compare.contenders import Contender, Size, contender_of, contenders, same_run
from cnnlab.compare.rows import Reached, Row, reached, rows
from cnnlab.datasets import DATASETS
from cnnlab.errors import ConfigError
from cnnlab.experiments.outcome import Outcome
from cnnlab.runs.store import Curve, RunRecord, RunStore
from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate

SMALL = contenders("small")
ALL = [*SMALL, *contenders("full")]
SPEED = Estimate(precision="float32", step_s=0.64, test_image_s=0.002)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    found = RunStore(tmp_path)
    yield found
    found.close()


def ended(store: RunStore, config: RunConfig, accuracy: float | None, status: str) -> RunRecord:
    run = store.add(config, "me", "vgg", "a run")
    store.ended(run, status, figures={"test_accuracy": accuracy})
    found = store.run(run)
    assert found
    return found


def test_every_preset_is_a_contender_once() -> None:
    assert [one.network for one in SMALL] == list(NETWORKS)
    assert len(ALL) == sum(len(spec.presets) for spec in NETWORKS.values())
    for size in ("small", "full"):
        titles = [one.title for one in contenders(size)]
        assert len(set(titles)) == len(titles)
    assert len({one.id for one in ALL}) == len(ALL)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.id)
def test_a_run_is_known_by_its_knobs(one: Contender) -> None:
    assert contender_of(one.config("shapes")) == one
    assert contender_of(one.config("fashion_mnist").replace(seed=3, epochs=1)) == one


def test_other_knobs_are_nobodys() -> None:
    config = RunConfig(network="lenet", options={"hidden1": 77})
    assert contender_of(config) is None


@pytest.mark.parametrize("size", ["small", "full"])
@pytest.mark.parametrize("dataset", DATASETS)
def test_counts_are_those_of_the_model(size: Size, dataset: str) -> None:
    for row in rows(size, dataset, [], None):
        one = row.contender
        config = one.config(dataset)
        model = one.spec.build(config.options, device="meta", image_size=config.image_size)
        assert row.params == sum(p.numel() for p in model.parameters())
        assert row.memory_bytes > 4 * row.params
        assert row.macs > 0
        assert (row.predict_s, row.train_s) == (None, None)


def test_speeds_are_per_picture_and_asked_for_one_after_the_other() -> None:
    asked: list[str] = []

    def speeds(config: RunConfig) -> Estimate | None:
        asked.append(config.network)
        return None if config.network == "vgg" else SPEED

    found = {row.contender.network: row for row in rows("small", "shapes", [], speeds)}
    assert asked == ["lenet", "alexnet", "vgg"]
    assert found["lenet"].predict_s == 0.002
    assert found["lenet"].train_s == pytest.approx(0.01)
    for later in ("vgg", "nin", "densenet"):
        assert (found[later].predict_s, found[later].train_s) == (None, None)


def test_what_cannot_work_has_no_speed_but_a_reason() -> None:
    first: Row = rows("small", "shapes", [], lambda _: Estimate(problem="Too large."))[0]
    assert (first.predict_s, first.train_s, first.problem) == (None, None, "Too large.")


def test_the_visitors_best_run_counts_first(store: RunStore) -> None:
    one = Contender("lenet")
    config = one.config("shapes")
    runs = [
        ended(store, config, 0.75, "finished"),
        ended(store, config.replace(seed=5, precision="float32"), 0.5, "finished"),
        # Stopped, other settings, other pictures, without a test: none of these counts.
        ended(store, config, 0.99, "cancelled"),
        ended(store, config.replace(lr=0.5), 0.98, "finished"),
        ended(store, config.replace(train_size=1000), 0.97, "finished"),
        ended(store, config, None, "finished"),
    ]
    assert reached(one, config, runs) == Reached(0.75, "your best of 2 runs")
    assert reached(one, config, runs[:1]) == Reached(0.75, "your run")
    assert reached(one, config, runs[2:]) == reached(one, config, [])


def test_all_pictures_may_be_asked_for_by_their_number() -> None:
    config = Contender("lenet").config("shapes")
    assert same_run(config, config.replace(train_size=12_000))
    assert not same_run(config, config.replace(train_size=11_000))


def test_then_what_we_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "FILE", tmp_path / "measured.json")
    measured._all.cache_clear()
    one = Contender("nin")
    config = one.config("shapes")
    assert reached(one, config, []) is None
    measured.keep(config, [0.5, 0.7, 0.9])
    found = reached(one, config.replace(seed=2), [])
    assert found is not None
    assert found.accuracy == pytest.approx(0.7)
    assert found.by == "we, 50.0 to 90.0 %"
    assert found.where.startswith("3 seeds, ")
    assert reached(one, config.replace(lr=0.002), []) is None
    monkeypatch.undo()
    measured._all.cache_clear()


def test_measuring_keeps_what_three_seeds_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[RunConfig] = []

    def run_all(configs: list[RunConfig]) -> list[Outcome]:
        asked.extend(configs)
        # One of VGG's runs away: a mean of the others would flatter it.
        return [
            Outcome(one, Curve(), "failed")
            if (one.network, one.seed) == ("vgg", 2)
            else Outcome(one, Curve(), "finished", {"test_accuracy": 0.5 + one.seed / 10})
            for one in configs
        ]

    monkeypatch.setattr(compare, "run_all", run_all)
    monkeypatch.setattr(measured, "FILE", tmp_path / "measured.json")
    measured._all.cache_clear()
    assert compare.main(["--networks", "lenet", "vgg"]) == 0
    assert [(one.network, one.seed) for one in asked] == [
        (network, seed) for network in ("lenet", "vgg") for seed in (0, 1, 2)
    ]
    assert "lenet on shapes: 50.0%, 60.0%, 70.0%" in capsys.readouterr().out
    found = measured.of(Contender("lenet").config("shapes"))
    assert found is not None
    assert found.accuracies == [0.5, 0.6, 0.7]
    assert measured.of(Contender("vgg").config("shapes")) is None
    assert compare.main(["--networks", "lenet", "--preset", "huge"]) == 1
    assert "no preset 'huge'" in capsys.readouterr().err
    monkeypatch.undo()
    measured._all.cache_clear()


def test_what_the_book_publishes_holds_on_its_own_data_set() -> None:
    one = Contender("vgg", "d2l")
    found = reached(one, one.config("fashion_mnist"), [])
    assert found == Reached(0.919, "the book, 91.3 to 92.3 %")
    assert reached(one, one.config("shapes"), []) is None
    bare = Contender("vgg", "vgg16")
    assert reached(bare, bare.config("fashion_mnist"), []) is None


@pytest.mark.parametrize("one", published.PUBLISHED, ids=lambda one: one.contender.id)
def test_published_parameters_are_those_of_our_models(one: published.Published) -> None:
    assert published.ours(one) == one.params


def test_published_accuracies_belong_to_the_recipes_of_the_book() -> None:
    for one in published.PUBLISHED:
        config = one.contender.config(published.BOOK_DATASET)
        assert config.dataset == "fashion_mnist"
        assert one.accuracy is None or config.epochs == published.BOOK_EPOCHS
        assert one.accuracy is None or one.accuracy.low <= one.accuracy.median <= one.accuracy.high


def test_a_contender_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="no preset 'huge'"):
        Contender("lenet", "huge")

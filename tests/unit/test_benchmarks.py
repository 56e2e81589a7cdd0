"""The arithmetic of the benchmarks, and what they say to odd arguments; no figure is taken here."""

import argparse
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks import book, experiments, figures, interaction, live_page, memory, probes
from cnnlab import catalog, datasets, images
from cnnlab.datasets import fashion_mnist
from cnnlab.errors import DatasetError
from cnnlab.experiments import EXPERIMENTS
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig


def test_p95_is_the_largest_of_few_and_leaves_out_five_of_a_hundred() -> None:
    assert figures.p95([3.0]) == 3
    assert figures.p95([3.0, 1.0, 2.0]) == 3
    assert figures.p95(range(1, 101)) == 95


def test_a_figure_is_judged_by_what_its_target_is_for() -> None:
    values = [1.0] * 9 + [10.0]
    assert figures.Figure("a", "s", values, 2, "median").met is True
    assert figures.Figure("a", "s", values, 2, "p95").met is False
    assert figures.Figure("a", "s", values).met is None
    assert figures.Figure("a", "s", values, 10).met is True  # just reached


def test_a_line_of_the_table_shows_the_figure_its_target_and_the_verdict() -> None:
    line = figures.Figure("stop", "s", [0.2, 0.7, 0.3], 0.5).line()
    assert line.split() == ["stop", "3", "0.3", "0.7", "s", "p95", "<=", "0.5", "s", "MISSED"]


def test_figures_are_written_as_json(tmp_path: Path) -> None:
    rows = [figures.Figure("stop", "s", [0.2, 0.4], 0.5).row()]
    figures.write(tmp_path / "a.json", figures.machine(), rows)
    read = json.loads((tmp_path / "a.json").read_text())
    assert read["machine"]["cores"] >= 1
    assert read["rows"][0]["values"] == [0.2, 0.4]
    assert read["rows"][0]["p95"] == 0.4


@pytest.mark.skipif(sys.platform != "linux", reason="clocks of other processes are Linux's own")
def test_processor_time_is_that_of_the_process_asked_for() -> None:
    before = time.process_time()
    found = live_page.cpu_s(os.getpid())
    assert before <= found <= time.process_time()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        # One that only waits has used less than this one, which has imported PyTorch.
        assert 0 <= live_page.cpu_s(other.pid) < before


def test_the_data_folder_is_the_same_but_for_measured_speeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "data"
    there.mkdir()
    (there / "shapes.safetensors").write_bytes(b"pictures")
    (there / "bfloat16.json").write_text("{}")
    monkeypatch.setenv("CNNLAB_CACHE", str(there))
    monkeypatch.setattr(datasets, "load", lambda _: None)  # nothing to draw
    linked = live_page.link_data(tmp_path / "linked")
    assert [entry.name for entry in linked.iterdir()] == ["shapes.safetensors"]
    assert (linked / "shapes.safetensors").read_bytes() == b"pictures"


def test_the_photo_is_one_that_the_app_takes() -> None:
    packed = io.BytesIO()
    interaction.photo(0).save(packed, "JPEG", quality=92)
    assert 2e6 < len(packed.getvalue()) < 10e6
    # The app's own reader, which shrinks what is larger than it needs.
    assert min(images.decode(packed.getvalue()).size) > 224
    assert interaction.photo(0).size == (4000, 3000)


def test_earlier_runs_have_whole_curves(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    interaction.add_earlier_runs(store, "somebody")
    runs = store.runs("somebody", page=interaction.SECTION)
    assert len(runs) == 4
    assert {run.status for run in runs} == {"finished"}
    curve = store.curve(runs[0].id)
    assert len(curve.steps) == 250
    assert len(curve.test_steps) == 25
    assert all(0 <= accuracy <= 1 for accuracy in curve.train_accuracy)
    store.close()


@pytest.mark.parametrize("name", ["seconds", "reruns", "photos", "starts", "cold"])
def test_interaction_refuses_to_measure_nothing(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        interaction.parse([f"--{name}", "0"])
    assert f"--{name} is 0; it has to be at least 1" in capsys.readouterr().err


def test_growth_is_that_of_the_peaks_before_and_after_the_third_run() -> None:
    assert memory.growth([50, 100, 90, 95, 110, 90]) == pytest.approx(0.10)
    assert memory.growth([100, 100, 100, 98]) == pytest.approx(-0.02)
    # A worker that keeps a little of every run is found out.
    assert memory.growth([100 + 2 * run for run in range(10)]) > memory.MOST_GROWTH


@pytest.mark.parametrize(
    ("own_mb", "mapped_data_mb", "expected"), [(410, 100, 1.1), (510, 0, 1.1), (510, 100, 2.1)]
)
def test_copies_are_counted_whether_read_or_mapped(
    own_mb: float, mapped_data_mb: float, expected: float
) -> None:
    warm, empty = memory.Memory(900, own_mb, mapped_data_mb), memory.Memory(700, 400, 0)
    assert memory.copies(warm, empty, size_mb=100) == pytest.approx(expected)


def test_memory_needs_more_runs_than_settle(capsys: pytest.CaptureFixture[str]) -> None:
    assert memory.parse(["--runs", "4"]).runs == 4
    with pytest.raises(SystemExit):
        memory.parse(["--runs", "3"])
    assert "--runs is 3" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of a process")
def test_memory_is_that_of_the_process() -> None:
    found = memory.memory(os.getpid())
    # PyTorch alone takes more than this, most of it in files of libraries.
    assert 50 < found.own_mb < found.resident_mb
    assert found.resident_mb == pytest.approx(psutil.Process().memory_info().rss / 1e6, rel=0.1)


def book_config(*arguments: str) -> RunConfig:
    ((_, config),) = book.configured(book.parse([*arguments], has_gpu=False))
    return config


@pytest.mark.parametrize("name", book.RUNS)
def test_the_book_is_followed(name: str) -> None:
    arguments = book.parse(["--networks", name, "--seeds", "4"], has_gpu=False)
    config = [config for _, config in book.configured(arguments)][-1]
    recipe = catalog.network(config.network).book
    assert (config.dataset, config.training_images) == ("fashion_mnist", 60_000)
    assert (config.optimizer, config.init) == ("sgd", "xavier")
    assert (config.momentum, config.weight_decay, config.schedule) == (0, 0, "constant")
    assert (config.image_size, config.batch_size) == (recipe.image_size, recipe.batch_size)
    assert (config.seed, config.epochs) == (3, 10)
    published = book.RUNS[name].accuracy
    assert published
    assert published.low <= published.median <= published.high


def test_every_network_is_in_the_book() -> None:
    assert {run.network for run in book.RUNS.values()} == set(catalog.NETWORKS)
    assert {"lenet", "lenet_bn"} <= set(book.RUNS)
    rates = [book_config("--networks", name).lr for name in ("lenet", "lenet_bn")]
    assert rates == [0.9, 1.0]


def test_an_accuracy_is_placed_beside_the_range_of_the_builds() -> None:
    published = book.RUNS["lenet"].accuracy
    assert published
    assert [published.verdict(x) for x in (0.780, 0.781, 0.820, 0.821)] == [
        "below",
        "inside",
        "inside",
        "above",
    ]


def test_all_networks_on_a_gpu_and_lenet_without_one() -> None:
    assert book.parse([], has_gpu=True).networks == list(book.RUNS)
    assert book.parse([], has_gpu=False).networks == ["lenet", "lenet_bn"]
    assert book.parse(["--networks", "nin"], has_gpu=False).networks == ["nin"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--networks", "lennet"], "invalid choice: 'lennet'"),
        (["--seeds", "0"], "--seeds is 0"),
    ],
)
def test_book_refuses_odd_arguments(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        book.main(arguments)
    assert refused.value.code == 2
    assert message in capsys.readouterr().err


def test_an_impossible_setting_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert book.main(["--networks", "lenet", "--epochs", "0"]) == 1
    assert "epochs: 0 was given" in capsys.readouterr().err


def test_a_missing_data_set_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))

    def offline(*_: object) -> None:
        raise DatasetError("It could not be downloaded. Check the connection.")

    monkeypatch.setattr(fashion_mnist, "fetch", offline)
    kept = tmp_path / "book.json"
    settings = ["--epochs", "1", "--device", "cpu", "--precision", "float32"]
    assert book.main([*settings, "--json", str(kept)]) == 1
    said = capsys.readouterr()
    assert said.err.strip() == "It could not be downloaded. Check the connection."
    assert json.loads(kept.read_text())["rows"] == []


def test_a_row_shows_ours_beside_the_book() -> None:
    ours = book.Outcome("lenet", 0, 0.8123, 0.45, 0.83, 61.2, 21_000)
    published = book.RUNS["lenet"].accuracy
    assert published
    row = book.line("LeNet", published, ours)
    for part in ("LeNet", "0.812", "0.809", "0.806 (0.781-0.820)", "inside", "61.2", "21,000"):
        assert part in row
    assert len(row) == len(book.HEADER)


def test_the_cost_of_probes_is_spread_over_the_steps_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def step_times_s(config: RunConfig) -> tuple[list[float], list[float], int]:
        looking = len(config.probes)
        return [0.010, 0.010, 0.5], [0.010 + 0.0025 * looking] * 3 if looking else [], looking

    monkeypatch.setattr(probes, "step_times_s", step_times_s)
    arguments = argparse.Namespace(steps=50, precision="float32", dataset="shapes", rounds=2)
    rows = {row["way"]: row for row in probes.measure("lenet", arguments)}
    assert list(rows) == ["none", "layer_statistics", "all kinds"]
    assert rows["none"]["cost"] == 0
    assert rows["layer_statistics"]["cost"] == pytest.approx(0.01)
    assert rows["all kinds"]["cost"] == pytest.approx(0.03)
    assert rows["all kinds"]["between"] == 1
    assert "1.00%     1%" in probes.line(rows["layer_statistics"])


def test_steps_that_were_looked_at_are_told_from_the_others() -> None:
    config = RunConfig(network="lenet", train_size=480, batch_size=16, epochs=1, device="cpu")
    looking = probes.ways("lenet")["layer_statistics"]
    between, observed, size = probes.step_times_s(config.replace(probes=looking, evaluate="end"))
    # 30 steps, of which the first ten are not counted; step 25 was looked at.
    assert (len(between), len(observed)) == (19, 1)
    assert size > 1000


def test_experiments_benchmark_times_what_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(experiments, "run", lambda one, *rest: asked.append((one.id, *rest)))
    (found,) = experiments.durations(["vgg-depth"], "fashion_mnist")
    assert asked == [("vgg-depth", (0, 1, 2), "fashion_mnist")]
    assert (found.name, found.target, found.met) == ("vgg-depth", 180, True)
    assert experiments.parse([]).only == list(EXPERIMENTS)
    assert experiments.parse(["--only"]).only == []
    with pytest.raises(SystemExit):
        experiments.parse(["--seconds", "0"])


def test_experiments_benchmark_times_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(experiments, "run_all", lambda configs: asked.append(len(configs)))
    found = list(experiments.grids([8, 32], "shapes"))
    assert asked == [16, 16]
    assert [figure.target for figure in found] == [90, 90]


def test_the_watched_experiment_has_six_runs() -> None:
    assert len(experiments.WATCHED.configs()) == 6
    assert experiments.BESIDE.section == experiments.WATCHED.section

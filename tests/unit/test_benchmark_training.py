"""The training benchmark: its rounds, its table, and its three loops on a few tiny steps."""

import contextlib
import io
import mmap
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from benchmarks import book_loop, figures, speed, training
from benchmarks.speed import Rounds, Speed, take_turns
from cnnlab import catalog, devices
from cnnlab.training import RunConfig
from tests.dataset_files import SmallFashion, small_fashion

CONFIG = RunConfig(
    network="lenet", train_size=24, batch_size=8, epochs=1, precision="float32", device="cpu"
)


def takes(*images_per_s: float) -> tuple[list[str], Any]:
    """A loop that is as fast as it is told, round after round."""
    values, calls = iter(images_per_s), []

    def measure() -> Speed:
        calls.append("called")
        return Speed(next(values), 10)

    return calls, measure


def test_loops_take_turns_and_agree_after_three_rounds() -> None:
    order: list[str] = []

    def way(name: str) -> Speed:
        order.append(name)
        return Speed(100, 5)

    ways = {name: partial(way, name) for name in "abc"}
    rounds = take_turns(ways, 3, 6)
    assert order == list("abcabcabc")
    assert rounds.steady
    assert rounds.ratio("a", "b") == 1


@pytest.mark.parametrize(
    ("speeds", "count", "steady", "median"),
    [
        ((100, 120, 129), 3, True, 120),
        # The first round was disturbed, and is replaced.
        ((50, 100, 100, 110), 4, True, 100),
        ((100, 50, 100, 50, 100, 50, 100), 6, False, 50),
    ],
)
def test_rounds_that_differ_are_measured_again(
    speeds: tuple[float, ...], count: int, steady: bool, median: float
) -> None:
    calls, measure = takes(*speeds)
    rounds = take_turns({"a": measure}, 3, 6)
    assert (len(calls), rounds.steady, rounds.images_per_s("a")) == (count, steady, median)


def test_a_ratio_is_taken_within_a_round() -> None:
    """A machine that gets slower and slower leaves it alone."""
    slower = {
        way: [Speed(factor * n, 1) for n in (9, 3, 1)] for way, factor in (("a", 2), ("b", 1))
    }
    assert Rounds(slower, False).ratio("a", "b") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="counts as Linux does")
def test_page_faults_are_counted() -> None:
    pages = 1000
    # Straight from the kernel: an allocator may have kept what an earlier test gave back.
    with mmap.mmap(-1, pages * mmap.PAGESIZE) as fresh:
        fresh.madvise(mmap.MADV_NOHUGEPAGE)
        meter = speed.Meter()
        for page in range(pages):
            fresh[page * mmap.PAGESIZE] = 1
        assert meter.read(2, 8).faults >= pages / 2


@pytest.mark.parametrize("loop", [training.bare, training.ours])
def test_a_loop_gives_its_speed(loop: Any) -> None:
    found = loop(CONFIG, 3)
    assert found.images_per_s > 0
    assert found.faults >= 0


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The book's loop is called instead of started; a process takes seconds to load PyTorch."""
    threads = torch.get_num_threads()

    def run(command: list[str], **_settings: object) -> SimpleNamespace:
        assert command[:3] == [sys.executable, "-m", "benchmarks.book_loop"]
        monkeypatch.setattr(sys, "argv", command[2:])
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            print("a library says something")
            book_loop.main()
        return SimpleNamespace(stdout=out.getvalue())

    monkeypatch.setattr(subprocess, "run", run)
    yield
    assert torch.get_num_threads() == threads


@pytest.mark.usefixtures("in_this_process")
def test_the_books_loop_reads_pictures_one_by_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fashion: SmallFashion = small_fashion(monkeypatch, tmp_path)
    fashion.write()
    config = training.configuration("lenet", 3, "float32").replace(batch_size=8)
    assert training.book(config, 3, workers=0).images_per_s > 0


@pytest.mark.parametrize("name", training.NETWORKS)
def test_a_configuration_is_the_books(name: str) -> None:
    config = training.configuration(name, 5, "auto")
    recipe = catalog.network(name.partition("/")[0]).book
    assert (config.image_size, config.batch_size) == (recipe.image_size, recipe.batch_size)
    assert (config.training_images, config.dataset) == (5 * recipe.batch_size, "fashion_mnist")
    # The recipe reaches the book's process as JSON.
    assert RunConfig.from_json(config.model_dump_json()) == config


def test_a_row_says_what_was_computed_and_doubts_what_differs() -> None:
    row = {
        "network": "lenet",
        "bare": 25_800.0,
        "ours": 23_529.0,
        "book": 7090.0,
        "b/a": 0.94,
        "b/c": 3.32,
        "faults": {"bare": 110.0, "ours": 120.0, "book": 4500.0},
        "way": "float32, channels last",
        "steps": 80,
        "steady": True,
    }
    text = "lenet 25,800 23,529 7,090 0.94 3.32 110 120 4,500 float32, channels last; 80 steps"
    assert " ".join(training.line(row).split()) == text
    assert "differ by more than 30 %" in training.line(row | {"steady": False})


@pytest.mark.parametrize("name", ["rounds", "threads"])
def test_nothing_is_not_measured(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        training.parse([f"--{name}", "0"])
    assert f"--{name} is 0; it has to be at least 1" in capsys.readouterr().err


def test_a_machine_says_whether_it_has_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    for has, words in ((True, "with bfloat16"), (False, "without bfloat16")):
        monkeypatch.setattr(devices, "has_bfloat16", lambda _device, has=has: has)
        assert figures.machine()["instructions"].endswith(words)

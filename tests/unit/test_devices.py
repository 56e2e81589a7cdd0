"""Which devices are offered: a listed GPU that does not compute is hidden, with the reason."""

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cnnlab import devices, gpus
from cnnlab.errors import ConfigError
from cnnlab.folders import PACKAGE, library_on_path
from cnnlab.gpus import Gpu
from cnnlab.jobs.local import engine
from cnnlab.jobs.local.engine import LocalEngine
from cnnlab.training import RunConfig

GOOD = Gpu(name="cuda:1", title="H100", memory_gb=80.0, bfloat16=True)
OLD = Gpu(name="cuda:0", title="K40", problem="this PyTorch was not built for a GPU of its kind")
APPLE = Gpu(name="mps", title="Apple GPU (MPS)", memory_gb=16.0)
CPU = torch.device("cpu")

Has = Callable[..., None]


@pytest.fixture
def has(monkeypatch: pytest.MonkeyPatch) -> Has:
    """Let this machine have GPUs."""
    return lambda *found: monkeypatch.setattr(gpus, "tried", lambda: found)


def test_a_gpu_that_does_not_compute_is_left_out_with_the_reason(has: Has) -> None:
    has(OLD, GOOD)
    assert [device.name for device in devices.available()] == ["cuda:1", "cpu"]
    assert devices.problems() == [
        "K40 is not used: this PyTorch was not built for a GPU of its kind."
    ]
    assert devices.resolve("auto") == torch.device("cuda:1")
    with pytest.raises(ConfigError, match=r"it has cuda:1, cpu.*K40 is not used"):
        devices.resolve("cuda:0")


def test_with_only_broken_gpus_the_cpu_does_the_work(has: Has) -> None:
    has(OLD)
    assert devices.resolve("auto") == CPU
    with pytest.raises(ConfigError, match="K40"):
        devices.resolve("cuda")


def test_apples_gpu_comes_before_the_cpu_and_computes_in_float32(has: Has) -> None:
    has(APPLE)
    assert [device.name for device in devices.available()] == ["mps", "cpu"]
    assert devices.resolve("auto") == devices.resolve("mps") == torch.device("mps")
    assert not devices.has_bfloat16(torch.device("mps"))


def test_bfloat16_is_known_from_the_trial(has: Has) -> None:
    has(GOOD, OLD)
    assert devices.has_bfloat16(torch.device("cuda:1"))
    assert not devices.has_bfloat16(torch.device("cuda:0"))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((OLD, GOOD), ["cuda:1", "cpu", "cpu"]),
        ((OLD,), ["cpu", "cpu"]),
        ((APPLE,), ["mps", "cpu", "cpu"]),
    ],
)
def test_no_worker_is_started_for_a_broken_gpu(
    has: Has, monkeypatch: pytest.MonkeyPatch, found: tuple[Gpu, ...], expected: list[str]
) -> None:
    has(*found)
    started: list[str] = []

    class Worker:
        ready = False

        def __init__(self, device: str, *_more: object) -> None:
            started.append(device)

        def kill(self) -> None:
            pass

    monkeypatch.setattr(engine, "Worker", Worker)
    local = LocalEngine(cpu_slots=2)
    assert started == local.devices == expected
    auto = RunConfig(network="lenet")
    assert [local.takes(slot, auto) for slot in range(len(local.devices))] == [
        device == expected[0] for device in expected
    ]
    local.close()


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let PyTorch list GPUs, on a machine that in truth has none."""

    def set_to(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.delenv(gpus.FOUND, raising=False)
        # What a trial leaves in the environment goes away with the test.
        monkeypatch.setattr(os, "environ", dict(os.environ))

    return set_to


def test_a_listed_gpu_is_really_tried_in_another_process(listed: Callable[[int], None]) -> None:
    """This machine has no GPU, so that the trial itself has to find the problem."""
    if torch.cuda.is_available():
        pytest.skip("has a GPU")
    listed(1)
    found = gpus.tried.__wrapped__()
    assert [(gpu.name, bool(gpu.problem)) for gpu in found] == [("cuda:0", True)]
    # Processes that this one starts are told.
    listed_again = json.loads(os.environ[gpus.FOUND])
    assert [gpu["problem"] for gpu in listed_again] == [gpu.problem for gpu in found]
    assert gpus.tried.__wrapped__() == found


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("import os; os.abort()", "ended its process (SIGABRT)"),
        ("import sys; sys.exit(3)", "ended its process (code 3)"),
        ("print('no JSON')", "ended its process (code 0)"),
        ("import time; time.sleep(60)", "did not answer for 1 s"),
        ('print(\'noise\'); print(\'{"name": "cuda:0", "title": "H100"}\')', ""),
    ],
)
def test_a_driver_can_end_or_block_only_the_trial(
    listed: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, program: str, problem: str
) -> None:
    listed(1)
    monkeypatch.setattr(gpus, "PATIENCE_S", 1.0)
    start = subprocess.Popen
    monkeypatch.setattr(
        subprocess,
        "Popen",
        lambda _command, **more: start([sys.executable, "-c", program], **more),
    )
    (found,) = gpus.tried.__wrapped__()
    assert problem in found.problem
    assert bool(problem) == bool(found.problem)


def test_a_machine_without_gpus_starts_no_process(
    listed: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(0)
    monkeypatch.setattr(gpus, "_start", None)
    assert gpus.tried.__wrapped__() == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("CUDA error: no kernel image is available for execution on the device\nmore", "not built"),
        ("The NVIDIA driver on your system is too old (found version 11040).", "too old"),
        ("something\nelse", "something"),
        ("x" * 1000, "x…"),
        ("", "no reason"),
    ],
)
def test_reasons_are_short(text: str, words: str) -> None:
    assert words in gpus.reason(text)
    assert len(gpus.reason(text)) < 250


def test_the_trial_computes_and_notices_a_device_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gpus.compute(CPU)
    monkeypatch.setattr(gpus, "conv2d", lambda x, kernels: (x.sum() * kernels).mul(0))
    with pytest.raises(RuntimeError, match="wrong result"):
        gpus.compute(CPU)


def test_a_complaint_of_the_driver_is_told(
    listed: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch warns and lists nothing where it cannot even ask."""
    listed(0)

    def complains() -> int:
        warnings.warn("CUDA initialization: The NVIDIA driver is too old", stacklevel=1)
        return 0

    monkeypatch.setattr(torch.cuda, "device_count", complains)
    (found,) = gpus.tried.__wrapped__()
    assert found.problem == "its driver is too old for this PyTorch"


def test_a_process_started_elsewhere_finds_the_library(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import cnnlab.jobs.local; print(cnnlab.__file__)"],
        cwd=tmp_path,
        env=library_on_path(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).parent == PACKAGE
    assert (PACKAGE / "jobs" / "ray" / "task.py").exists()

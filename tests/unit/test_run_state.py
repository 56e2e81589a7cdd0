"""What a run takes from its process and gives back: memory, random numbers, the current GPU."""

import gc
import itertools
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode

from cnnlab import datasets, devices
from cnnlab.datasets import Dataset
from cnnlab.datasets.augment import Augment
from cnnlab.jobs.local import worker
from cnnlab.training import RunConfig, loop, memory, precision, step_timing, train, trainer
from cnnlab.training.compute_format import ComputeFormat
from cnnlab.training.events import ENDINGS, Failed, Finished, Progress
from cnnlab.training.metrics import Metrics
from cnnlab.training.own_state import OwnState

CONFIG = RunConfig(
    network="lenet",
    options={"dropout": 0.5},
    train_size=32,
    batch_size=8,
    epochs=1,
    device="cpu",
    precision="float32",
)


@pytest.fixture(autouse=True)
def small_data(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (32, 3, 32, 32), dtype=torch.uint8, generator=random)
    labels = torch.arange(32) % 10
    names = datasets.DATASETS["shapes"].class_names
    data = Dataset(images, labels, images, labels, names)
    monkeypatch.setattr(loop, "resident", lambda _name, _device: data)
    return data


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Memory that only the garbage collector would free stays taken."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class FakeGPU:
    """Stands in for `torch.cuda`, on a machine without."""

    def __init__(self) -> None:
        self.current = 0
        self.states = {0: torch.zeros(4), 1: torch.zeros(4)}
        self.emptied = 0
        self.used: list[int] = []

    def current_device(self) -> int:
        return self.current

    def set_device(self, device: torch.device | int) -> None:
        self.current = device.index if isinstance(device, torch.device) else device

    def get_rng_state(self) -> torch.Tensor:
        return self.states[self.current].clone()

    def set_rng_state(self, state: torch.Tensor) -> None:
        self.states[self.current] = state.clone()

    def manual_seed(self, seed: int) -> None:
        self.states[self.current] = torch.full((4,), float(seed))

    def draw(self) -> float:
        """A random number that the current GPU makes."""
        self.states[self.current] += 1
        return float(self.states[self.current][0])

    def empty_cache(self) -> None:
        self.emptied += 1


@pytest.fixture
def second_gpu(monkeypatch: pytest.MonkeyPatch) -> FakeGPU:
    """Runs are on "cuda:1", as far as they can tell; their tensors stay on the CPU."""
    gpu = FakeGPU()
    monkeypatch.setattr(torch, "get_device_module", lambda _device: gpu)
    monkeypatch.setattr(devices, "resolve", lambda _name: torch.device("cuda:1"))
    way = ComputeFormat("float32")
    monkeypatch.setattr(precision, "choose", lambda *_arguments: way)
    update = trainer.Trainer.update

    def noted(self: trainer.Trainer, *arguments: Any, **more: Any) -> None:
        gpu.used.append(gpu.current)
        gpu.draw()
        update(self, *arguments, **more)

    monkeypatch.setattr(trainer.Trainer, "update", noted)
    return gpu


def test_a_run_on_the_second_gpu_makes_it_the_current_one_and_gives_everything_back(
    second_gpu: FakeGPU,
) -> None:
    for _event in train(CONFIG.replace(seed=5)):
        assert second_gpu.current == 0
        assert torch.equal(second_gpu.states[1], torch.zeros(4))
    assert second_gpu.used == [1] * 4
    assert torch.equal(second_gpu.states[0], torch.zeros(4))
    assert second_gpu.emptied == 1


def test_timed_steps_on_the_second_gpu_give_everything_back(
    second_gpu: FakeGPU, small_data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_timing, "made_up", lambda _config, _device: small_data)
    waited: list[torch.device] = []
    monkeypatch.setattr(devices, "synchronize", waited.append)
    device = torch.device("cuda:1")
    timer = step_timing.StepTimer(CONFIG, device, torch.float32)
    assert timer.step_s() > 0
    assert second_gpu.used == [1] * 3 * step_timing.GPU_STEPS
    assert len(waited) == 3
    assert second_gpu.current == 0
    assert all(torch.equal(state, torch.zeros(4)) for state in second_gpu.states.values())


def test_two_runs_on_one_gpu_each_have_their_random_numbers(second_gpu: FakeGPU) -> None:
    state = OwnState(torch.device("cuda:1")), OwnState(torch.device("cuda:1"))
    drawn: list[list[float]] = [[], []]
    for _ in range(3):
        for own, numbers in zip(state, drawn, strict=True):
            with own:
                numbers.append(second_gpu.draw())
    assert drawn == [[1, 2, 3], [1, 2, 3]]


def test_the_gpus_cache_is_emptied_after_a_run_that_broke(
    second_gpu: FakeGPU, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_arguments: Any) -> None:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(trainer.Trainer, "learn", breaks)
    with pytest.raises(RuntimeError, match="shapes"):
        list(train(CONFIG))
    assert second_gpu.emptied == 1
    assert second_gpu.current == 0


def models(monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref[torch.nn.Module]]:
    """The models of the runs from here on, as long as they live; none is timed before."""
    way = ComputeFormat("float32")
    monkeypatch.setattr(precision, "choose", lambda *_arguments: way)
    found: list[weakref.ref[torch.nn.Module]] = []
    begin = trainer.Trainer.__init__

    def noted(self: trainer.Trainer, *arguments: Any, **more: Any) -> None:
        begin(self, *arguments, **more)
        found.append(weakref.ref(self.model))

    monkeypatch.setattr(trainer.Trainer, "__init__", noted)
    return found


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("stops", [False, True])
def test_when_the_ending_is_told_the_model_is_gone(
    monkeypatch: pytest.MonkeyPatch, stops: bool
) -> None:
    found = models(monkeypatch)
    run = train(CONFIG, should_stop=lambda: stops)
    for event in run:
        assert (found[0]() is None) is isinstance(event, ENDINGS)
        if isinstance(event, ENDINGS):
            break
    assert len(found) == 1


@pytest.mark.usefixtures("no_collector")
def test_the_model_of_a_run_that_filled_the_memory_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = models(monkeypatch)
    calls = itertools.count()
    learn = trainer.Trainer.learn

    def fills(self: trainer.Trainer, images: torch.Tensor, labels: torch.Tensor) -> Any:
        if next(calls) == 2:
            raise torch.OutOfMemoryError
        return learn(self, images, labels)

    monkeypatch.setattr(trainer.Trainer, "learn", fills)
    run = train(CONFIG)
    last = next(event for event in run if isinstance(event, ENDINGS))
    assert isinstance(last, Failed)
    assert last.step == 3
    assert found[0]() is None


@pytest.mark.usefixtures("no_collector")
def test_the_model_of_a_run_that_nobody_follows_any_more_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = models(monkeypatch)
    run = train(CONFIG)
    next(run)
    assert found[0]() is not None
    del run
    assert found[0]() is None


FULL = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    torch.AcceleratorError("CUDA error: out of memory"),
    RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
]


@pytest.mark.parametrize("error", FULL, ids=str)
def test_full_memory_is_recognized_in_the_loop_and_in_the_worker(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_arguments: Any) -> None:
        raise error

    monkeypatch.setattr(trainer.Trainer, "learn", fails)
    last = list(train(CONFIG))[-1]
    assert isinstance(last, Failed)
    assert last.message.startswith(memory.ADVICE)
    assert worker.reason(error).startswith(memory.ADVICE)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("out of memory"),
        RuntimeError("CUBLAS_STATUS_EXECUTION_FAILED"),
        torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
    ],
    ids=str,
)
def test_other_errors_are_not_taken_for_it(error: Exception) -> None:
    assert not memory.is_lacking(error)


class Waits(TorchFunctionMode):
    """Notes what would make the program wait for a GPU."""

    # A number read from the device, and a tensor made of Python's numbers.
    CALLS = frozenset(("item", "tolist", "cpu", "numpy", "nonzero", "tensor", "as_tensor"))
    CONVERSIONS = frozenset(("__float__", "__int__", "__bool__", "__index__"))

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        if func.__name__ in self.CALLS | self.CONVERSIONS:
            self.found.append(func.__name__)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_no_step_waits_for_the_device(small_data: Dataset, optimizer: str) -> None:
    config = CONFIG.replace(
        augment=Augment(flip=True, crop=True, color=True),
        options={"batch_norm": True, "dropout": 0.5},
        optimizer=optimizer,
        schedule="cosine",
    )
    one = trainer.Trainer(config, small_data, torch.float32)
    batches, metrics = list(one.batches()), Metrics(one.device)
    one.update(batches[0], metrics)
    with Waits() as waits:
        one.update(batches[1], metrics)
    assert waits.found == []
    with waits:
        metrics.read()
    assert waits.found == ["tolist"]


def test_an_ending_comes_last_and_once() -> None:
    events = list(train(CONFIG))
    assert [isinstance(event, ENDINGS) for event in events].count(True) == 1
    assert isinstance(events[-1], Finished)
    assert sum(isinstance(event, Progress) for event in events) == 4

"""How long a step and a run are said to take, and whether other work made that longer."""

import itertools

import pytest
import torch

from cnnlab import devices, run_delay
from cnnlab.run_delay import Clock
from cnnlab.training import RunConfig, precision, step_timing
from cnnlab.training.estimate import Estimate, estimate
from cnnlab.training.plan import Plan

CPU = torch.device("cpu")
CONFIG = RunConfig(network="lenet", train_size=64, batch_size=16, epochs=1, device="cpu")


class FakeClock:
    """Time that passes only by work, for a share of which there is no core."""

    now_s = delay_s = 0.0

    def now(self) -> Clock:
        return Clock(self.now_s, self.now_s - self.delay_s, self.delay_s)

    def work(self, seconds: float, lost: float = 0.0) -> None:
        self.now_s += seconds
        self.delay_s += lost * seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    found = FakeClock()
    monkeypatch.setattr(run_delay, "now", found.now)
    return found


def timer() -> step_timing.StepTimer:
    return step_timing.StepTimer(CONFIG, CPU, torch.float32)


@pytest.mark.parametrize("batch_size", [2, 8, 9, 64, 100, 1024])
@pytest.mark.parametrize(("step_s", "image_s"), [(0.001, 1e-4), (0.05, 0.004), (0.3, 0.02)])
def test_long_batches_are_told_from_short_ones(
    clock: FakeClock, batch_size: int, step_s: float, image_s: float
) -> None:
    """A step with a fixed part and a part for each picture is foreseen without doing it."""
    longest = 0.0

    def work(size: int) -> None:
        nonlocal longest
        longest = max(longest, step_s + image_s * size)
        clock.work(step_s + image_s * size)

    found_s = timer()._batch_s(work, batch_size)
    first_s = step_s + image_s * min(8, batch_size)
    if first_s > step_timing.LONG_S:
        # From one size alone the fixed part cannot be told from the rest.
        assert found_s == pytest.approx(first_s * batch_size / min(8, batch_size))
    else:
        assert found_s == pytest.approx(step_s + image_s * batch_size)
    assert longest <= max(first_s, step_timing.GROWTH * step_timing.LONG_S)


@pytest.mark.usefixtures("really_timed")
def test_a_trial_gives_way_at_once_and_leaves_random_numbers_alone() -> None:
    torch.manual_seed(7)
    state = torch.get_rng_state()
    with pytest.raises(step_timing.Interrupted):
        step_timing.StepTimer(CONFIG, CPU, torch.float32, interrupted=lambda: True)
    # The network is built, and then a run comes.
    answers = itertools.chain([False], itertools.repeat(True))
    steps = step_timing.StepTimer(CONFIG, CPU, torch.float32, interrupted=lambda: next(answers))
    with pytest.raises(step_timing.Interrupted):
        steps.step_s()
    with pytest.raises(step_timing.Interrupted):
        estimate(CONFIG, lambda: True)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("losses", "busy"), [((0.5, 0.5), True), ((0.5, 0), False), ((0, 0), False)]
)
def test_steps_that_waited_for_a_core_are_marked(
    clock: FakeClock, losses: tuple[float, float], busy: bool
) -> None:
    """The shortest repetition counts: a step takes 0.2 s and what it loses."""
    own, shares = timer(), itertools.cycle(losses)

    def work(_size: int) -> None:
        lost = next(shares)
        clock.work(0.2 / (1 - lost), lost)

    own._batch_s(work, 8)
    assert own.busy is busy


def test_a_gpus_steps_are_timed_together(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in training, it works on one while the next is launched; then it is waited for."""
    own, waited = timer(), []
    monkeypatch.setattr(own, "_together", step_timing.GPU_STEPS)
    monkeypatch.setattr(devices, "synchronize", lambda _device: waited.append(clock.now_s))
    assert own._batch_s(lambda _size: clock.work(0.5), 8) == pytest.approx(0.5)
    assert waited == pytest.approx([2.5, 5.0, 7.5])


def test_random_numbers_of_timed_steps_are_their_own() -> None:
    config = CONFIG.replace(options={"dropout": 0.5})
    torch.manual_seed(7)
    state = torch.get_rng_state()
    step_timing.StepTimer(config, CPU, torch.float32).step_s()
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.usefixtures("really_timed")
@pytest.mark.parametrize("batch_norm", [False, True])
def test_an_estimate_of_a_real_network(batch_norm: bool) -> None:
    config = CONFIG.replace(options={"batch_norm": batch_norm}, dataset="fashion_mnist")
    found = estimate(config)
    assert found.problem == ""
    assert found.step_s > 0
    assert found.test_image_s > 0
    assert found.precision == precision.choose(config, CPU).precision


def test_the_time_of_a_run_is_its_steps_and_its_tests() -> None:
    known = Estimate(precision="float32", step_s=0.5, test_image_s=0.001)
    config = RunConfig(network="lenet", dataset="shapes", train_size=640, batch_size=64, epochs=3)
    plan = Plan(train_images=640, test_images=2000, batch_size=64, epochs=3)
    assert known.run_s(config) == pytest.approx(30 * 0.5 + len(plan.evaluation_steps) * 2)
    assert known.run_s(config.replace(budget_s=4)) == 4
    # What is done before the first step counts too.
    slow = known.model_copy(update={"build_s": 3.0})
    assert slow.run_s(config) == pytest.approx(known.run_s(config) + 3)

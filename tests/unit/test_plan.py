"""When a run reports and looks at the test set, and how its figures are added up."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from cnnlab.training import plan
from cnnlab.training.metrics import Metrics
from cnnlab.training.plan import Plan


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    batch_size = draw(st.integers(2, 1024))
    return Plan(
        train_images=draw(st.integers(batch_size, 60_000)),
        test_images=draw(st.integers(1, 10_000)),
        batch_size=batch_size,
        epochs=draw(st.integers(1, 200)),
    )


@settings(deadline=None, max_examples=100)
@given(plan_=plans())
def test_a_plan(plan_: Plan) -> None:
    steps = plan_.steps
    assert plan_.steps_per_epoch * plan_.batch_size <= plan_.train_images
    assert (plan_.steps_per_epoch + 1) * plan_.batch_size > plan_.train_images
    assert steps == plan_.steps_per_epoch * plan_.epochs

    looks = sorted(plan_.evaluation_steps)
    assert looks[-1] == steps
    assert looks[0] >= 1
    gaps = {later - earlier for earlier, later in itertools.pairwise([0, *looks])}
    assert max(gaps) - min(gaps) <= 1
    # A picture looked at costs a third of one trained on.
    share = len(looks) * plan_.test_images / 3 / (steps * plan_.batch_size)
    assert len(looks) == 1 or share <= plan.EVALUATION_SHARE + 1e-9

    assert plan_.reports(1)
    assert plan_.reports(steps)
    if steps < 20_000:
        points = sum(map(plan_.reports, range(1, steps + 1)))
        assert min(steps, plan.REPORTS) <= points <= 2 * plan.REPORTS + 1


@settings(deadline=None, max_examples=30)
@given(sizes=st.lists(st.integers(1, 20), min_size=1, max_size=6), seed=st.integers(0, 1000))
def test_metrics_count_samples_not_batches(sizes: list[int], seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    logits = torch.randn(sum(sizes), 10, generator=random)
    labels = torch.randint(10, (sum(sizes),), generator=random)
    metrics = Metrics(torch.device("cpu"))
    for x, y in zip(logits.split(sizes), labels.split(sizes), strict=True):
        metrics.add(cross_entropy(x, y), x, y)
    loss, accuracy = metrics.read()
    assert loss == pytest.approx(cross_entropy(logits, labels).item(), rel=1e-5)
    assert accuracy == pytest.approx((logits.argmax(1) == labels).double().mean().item(), rel=1e-6)
    metrics.reset()
    assert metrics.read() == (0, 0)

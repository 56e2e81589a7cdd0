"""Softmax written out, held against PyTorch's."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.scores import softmax

LOGITS = st.lists(st.floats(-2000, 2000, width=32), min_size=1, max_size=20)


@given(LOGITS)
def test_the_steps_end_where_pytorch_ends(values: list[float]) -> None:
    logits = torch.tensor(values)
    found = softmax(logits)
    assert found is not None
    assert found.shares == pytest.approx(torch.softmax(logits.double(), 0).tolist(), abs=1e-12)
    assert sum(found.shares) == pytest.approx(1)
    assert found.best == int(logits.argmax())


def test_each_step_follows_from_the_one_before() -> None:
    found = softmax(torch.tensor([1.0, 3.0, -2.0]))
    assert found is not None
    assert found.logits == (1, 3, -2)
    assert found.below == (-2, 0, -5)
    assert found.exponentials == pytest.approx([math.exp(x) for x in found.below])
    assert found.total == pytest.approx(sum(found.exponentials))
    assert found.shares == pytest.approx([x / found.total for x in found.exponentials])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_has_no_shares(value: float) -> None:
    assert softmax(torch.tensor([1.0, value])) is None

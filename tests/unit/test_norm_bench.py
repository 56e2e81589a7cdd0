"""The bench of batch norm computes what the network's own layer does."""

import pytest
import torch

from cnnlab import norm_bench
from cnnlab.errors import ConfigError
from cnnlab.norm_bench import BATCH_SIZES, CHANNELS, COMPANIONS, bench, layer, maps


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("size", [2, 64])
def test_it_is_what_pytorchs_layer_does(size: int, training: bool) -> None:
    theirs = torch.nn.BatchNorm2d(CHANNELS)
    theirs.load_state_dict(layer().state_dict())
    theirs.train(training)
    gamma, beta = torch.linspace(0.5, 2, CHANNELS), torch.linspace(-1, 1, CHANNELS)
    with torch.no_grad():
        theirs.weight.copy_(gamma)
        theirs.bias.copy_(beta)
        expected = theirs(maps(3)[:size])
    for channel in range(CHANNELS):
        found = bench(
            size,
            channel,
            float(gamma[channel]),
            float(beta[channel]),
            training=training,
            companions=3,
        )
        torch.testing.assert_close(found.after, expected[:, channel], atol=1e-5, rtol=1e-4)


def test_the_batch_has_mean_0_and_deviation_1_in_training() -> None:
    found = bench(32, channel=2)
    assert found.standardized.mean().item() == pytest.approx(0, abs=1e-5)
    assert found.standardized.std(correction=0).item() == pytest.approx(1, abs=1e-3)
    values = found.before.double()
    assert found.mean == pytest.approx(values.sum().item() / (32 * 32 * 32), abs=1e-5)
    assert found.variance == pytest.approx(((values - found.mean) ** 2).mean().item(), rel=1e-4)


def test_the_same_picture_depends_on_its_companions_in_training_only() -> None:
    one, other = (bench(8, 0, companions=which).after[0] for which in (0, 1))
    assert not torch.allclose(one, other, atol=0.01)
    one, other = (bench(8, 0, training=False, companions=which).after[0] for which in (0, 1))
    torch.testing.assert_close(one, other)
    assert len({bench(2, 0, companions=which).mean for which in range(COMPANIONS)}) == COMPANIONS


def test_statistics_of_larger_batches_scatter_less() -> None:
    spread = {
        size: torch.tensor([bench(size, 1, companions=c).mean for c in range(COMPANIONS)]).std()
        for size in (2, 64)
    }
    assert spread[2] > 2 * spread[64]


@pytest.mark.parametrize(
    "wrong", [{"batch_size": 3}, {"channel": CHANNELS}, {"companions": COMPANIONS}]
)
def test_what_there_is_not(wrong: dict[str, int]) -> None:
    given = {"batch_size": 8, "channel": 0, "companions": 0} | wrong
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        bench(given["batch_size"], given["channel"], companions=given["companions"])


def test_the_running_statistics_keep_the_unbiased_variance() -> None:
    """PyTorch's: a tenth of the way to each batch."""
    mean = torch.zeros(CHANNELS)
    variance = torch.ones(CHANNELS)
    for number in range(norm_bench.SEEN):
        batch = norm_bench._convolved(norm_bench.pictures(100 + number, BATCH_SIZES[-1]))
        mean += 0.1 * (batch.mean((0, 2, 3)) - mean)
        variance += 0.1 * (batch.var((0, 2, 3), correction=1) - variance)
    found = bench(2, 4, training=False)
    assert found.mean == pytest.approx(mean[4].item(), abs=1e-4)
    assert found.variance == pytest.approx(variance[4].item(), rel=1e-3)

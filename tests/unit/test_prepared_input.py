"""A network whose hook prepares the picture: its nodes are those of the network without."""

import pytest
import torch

from cnnlab import catalog
from cnnlab.checkpoints.imagenet import Standardize
from cnnlab.explain.capture import capture
from cnnlab.trace import trace


@pytest.mark.parametrize("name", ["lenet", "resnet", "densenet"])
def test_what_a_hook_does_to_the_picture_is_no_node(name: str) -> None:
    plain = catalog.build(name, "small", in_channels=3).eval()
    size = catalog.NETWORKS[name].preset_image_size("small")
    nodes = trace(plain, (1, 3, size, size)).nodes
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
    batch = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    prepared = (batch - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    hooked = catalog.build(name, "small", in_channels=3).eval()
    hooked.load_state_dict(plain.state_dict())
    hooked.register_forward_pre_hook(Standardize(mean, std))
    assert trace(hooked, (1, 3, size, size)).nodes == nodes
    for node in (1, 2, len(nodes) // 2, len(nodes) - 1):
        found, expected = capture(hooked, batch, node), capture(plain, prepared, node)
        assert found.node == expected.node
        torch.testing.assert_close(found.output, expected.output)
        for read, as_expected in zip(found.read, expected.read, strict=True):
            torch.testing.assert_close(read, as_expected)

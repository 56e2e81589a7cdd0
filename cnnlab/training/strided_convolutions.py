"""A detour around a fault of oneDNN, which computes convolutions on processors.

Its gradient of a 1×1 convolution with a stride writes beyond its memory where maps have their
channels last and fewer of them than it takes at once: 16 with AVX-512, 8 with AVX2. The process
dies ("double free"), hangs, or goes on with wrong numbers. Seen with oneDNN 3.13.3 (PyTorch 2.15)
and AVX-512 in float32 and bfloat16, from 46 pixels per side on; from 16 channels on and with
channels first never.

Source: https://github.com/uxlfoundation/oneDNN/issues/6035, open when this was written.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

# Which of the two a processor has is not asked: the detour costs a hundredth of a step.
FEWEST_CHANNELS = 16


class Subsampled(nn.Conv2d):
    """A 1×1 convolution that leaves out pixels itself, and then has no stride: the same values."""

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = self.stride
        return conv2d(x[:, :, ::rows, ::columns], self.weight, self.bias)


def avoid(model: nn.Module, device: torch.device, layout: torch.memory_format) -> None:
    """Let the convolutions of a model go around the fault, where it is trained in its reach."""
    if device.type != "cpu" or layout is not torch.channels_last:
        return
    for module in model.modules():
        if (
            type(module) is nn.Conv2d
            and module.kernel_size == (1, 1)
            and module.stride != (1, 1)
            and module.padding == (0, 0)
            and module.in_channels < FEWEST_CHANNELS
        ):
            module.__class__ = Subsampled

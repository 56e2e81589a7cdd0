"""A detour around a fault of oneDNN, which computes convolutions on processors.

With AVX-512, its gradient of a 1×1 convolution with a stride writes beyond its memory where maps
have their channels last, fewer than 16 of them, and 46 pixels or more per side: the process dies
("double free") or computes on with damaged numbers. Seen with oneDNN 3.13.3 (PyTorch 2.15), in
float32 and in bfloat16; from 16 channels on, and with channels first, it keeps to its memory. The
side depends on a processor's caches, so that it is no criterion here.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

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

"""A number format and a memory layout in which a network is computed."""

from typing import NamedTuple, Self

import torch

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
LAYOUTS = {"channels last": torch.channels_last, "channels first": torch.contiguous_format}
# Tensor cores of an NVIDIA GPU want channels last. Apple's GPU has kernels for channels first.
ACCELERATOR_LAYOUTS = {"cuda": "channels last", "mps": "channels first"}


class ComputeFormat(NamedTuple):
    """A number format and a layout, by their names. `name` is what files and pages call it."""

    precision: str
    layout: str = "channels last"

    @classmethod
    def of(cls, dtype: torch.dtype, memory_format: torch.memory_format) -> Self:
        """The names of what PyTorch calls otherwise."""
        layout = next(name for name, known in LAYOUTS.items() if known == memory_format)
        return cls(str(dtype).removeprefix("torch."), layout)

    @property
    def name(self) -> str:
        return f"{self.precision}, {self.layout}"

    @property
    def dtype(self) -> torch.dtype:
        return PRECISIONS[self.precision]

    @property
    def memory_format(self) -> torch.memory_format:
        return LAYOUTS[self.layout]


def layouts(device: torch.device) -> list[str]:
    """The layouts that are worth a trial: on a CPU that depends on the network."""
    return [ACCELERATOR_LAYOUTS[device.type]] if device.type != "cpu" else list(LAYOUTS)

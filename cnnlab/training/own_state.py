"""State that a run changes in its process and restores: random numbers and the current GPU."""

from types import TracebackType
from typing import Any

import torch
from torch import Tensor


class OwnState:
    """Inside `with`, a run's own random state and its device; outside, the caller's.

    The run's state is kept from one block to the next.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._accelerator = accelerator(device)
        self._own: list[Tensor] = []
        self._callers: list[Tensor] = []
        self._callers_gpu = 0

    def __enter__(self) -> None:
        if self._device.type == "cuda":
            self._callers_gpu = self._accelerator.current_device()
            self._accelerator.set_device(self._device)
        self._callers = self._read()
        if self._own:
            self._write(self._own)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._own = self._read()
        self._write(self._callers)
        if self._device.type == "cuda":
            self._accelerator.set_device(self._callers_gpu)

    def _read(self) -> list[Tensor]:
        states = [torch.get_rng_state()]
        return [*states, self._accelerator.get_rng_state()] if self._accelerator else states

    def _write(self, states: list[Tensor]) -> None:
        torch.set_rng_state(states[0])
        if self._accelerator:
            self._accelerator.set_rng_state(states[1])


def seed(device: torch.device, value: int) -> None:
    """Start the random numbers of the CPU and of the run's device; other GPUs keep theirs."""
    torch.default_generator.manual_seed(value)
    if found := accelerator(device):
        found.manual_seed(value)


def accelerator(device: torch.device) -> Any:
    """PyTorch's module for a device (`torch.cuda`, `torch.mps`); None for the CPU."""
    return None if device.type == "cpu" else torch.get_device_module(device)

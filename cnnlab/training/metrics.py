"""Loss and accuracy as sums over samples, kept on the device until somebody asks."""

import torch
from torch import Tensor


class Metrics:
    """Sums of loss and hits; reading them is the only time the device is waited for."""

    def __init__(self, device: torch.device) -> None:
        self._sums = torch.zeros(2, device=device, dtype=torch.float32)
        self._count = 0

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Add a batch, given its mean loss."""
        hits = (logits.argmax(1) == labels).sum()
        self._sums += torch.stack((loss.detach().float() * len(labels), hits.float()))
        self._count += len(labels)

    def read(self) -> tuple[float, float]:
        """Mean loss and accuracy of all samples since the last reset."""
        loss, hits = self._sums.tolist()
        return loss / max(1, self._count), hits / max(1, self._count)

    def absorb(self, other: "Metrics") -> None:
        """Count the samples of another to these."""
        self._sums += other._sums
        self._count += other._count

    def reset(self) -> None:
        self._sums.zero_()
        self._count = 0

"""Where a network can be trained: the machine's GPUs and its CPU."""

import os
from dataclasses import dataclass

import torch

from cnnlab import cgroups
from cnnlab.errors import ConfigError


@dataclass(frozen=True)
class Device:
    """A device as PyTorch names it, and as a reader knows it.

    Units: `memory_gb` in 10⁹ bytes, None for the CPU.
    """

    name: str
    title: str
    memory_gb: float | None = None


def available() -> list[Device]:
    """The devices of this machine, the fastest first."""
    gpus = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        gpus.append(Device(f"cuda:{index}", properties.name, properties.total_memory / 1e9))
    cores = usable_cores()
    return [*gpus, Device("cpu", f"CPU, {cores} core{'s' if cores > 1 else ''}")]


def usable_cores() -> int:
    """Cores that this process may keep busy: a container can limit them, and their time."""
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    # Of one and a half, one can be kept busy: a second thread would only be held back.
    limit = cgroups.cpu_limit()
    return cores if limit is None else max(1, min(cores, int(limit)))


def resolve(name: str) -> torch.device:
    """The device for a name; "auto" is the fastest there is.

    Raises: ConfigError naming the devices of this machine.
    """
    names = [device.name for device in available()]
    wanted = {"auto": names[0], "cuda": "cuda:0"}.get(name, name)
    if wanted not in names:
        raise ConfigError(
            f"There is no device {name!r} on this machine; it has {', '.join(names)}. "
            'Choose one of them, or "auto".'
        )
    return torch.device(wanted)


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies numbers of 16 bits in hardware, and not by detours."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if not hasattr(torch.cpu, "get_capabilities"):
        # PyTorch 2.11 cannot tell yet; there the CPU keeps to single precision.
        return False
    has = torch.cpu.get_capabilities()
    return any(has.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))

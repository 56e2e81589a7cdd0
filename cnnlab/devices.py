"""Devices that can train: the GPUs of this machine that work, and its CPU."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import torch

from cnnlab import cgroups, gpus
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
    """The devices of this machine on which a network can be trained, the fastest first."""
    working = [gpu for gpu in gpus.tried() if not gpu.problem]
    cores = usable_cores()
    return [
        *(Device(gpu.name, gpu.title, gpu.memory_gb) for gpu in working),
        Device("cpu", f"CPU, {cores} core{'s' if cores > 1 else ''}"),
    ]


def problems() -> list[str]:
    """A sentence for every GPU that is left out, with the reason."""
    return [f"{gpu.title} is not used: {gpu.problem}." for gpu in gpus.tried() if gpu.problem]


def usable_cores() -> int:
    """Cores that this process may keep busy: a container can limit them, and their time."""
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    # Of one and a half, one can be kept busy: a second thread would only be held back.
    limit = cgroups.cpu_limit()
    return cores if limit is None else max(1, min(cores, int(limit)))


def processor() -> str:
    """The processor's name; Python knows it only on some systems."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def resolve(name: str) -> torch.device:
    """The device for a name; "auto" is the fastest there is.

    Raises: ConfigError naming the devices of this machine.
    """
    names = [device.name for device in available()]
    wanted = {"auto": names[0], "cuda": "cuda:0"}.get(name, name)
    if wanted not in names:
        left_out = "".join(f" {problem}" for problem in problems())
        raise ConfigError(
            f"There is no device {name!r} on this machine; it has {', '.join(names)}. "
            f'Choose one of them, or "auto".{left_out}'
        )
    return torch.device(wanted)


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all that it was given; a CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies numbers of 16 bits in hardware, and not by detours."""
    if device.type != "cpu":
        return any(gpu.bfloat16 for gpu in gpus.tried() if gpu.name == str(device))
    if not hasattr(torch.cpu, "get_capabilities"):
        # PyTorch 2.11 cannot tell yet; there the CPU keeps to single precision.
        return False
    has = torch.cpu.get_capabilities()
    return any(has.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))

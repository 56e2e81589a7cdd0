"""The GPUs that PyTorch lists, and which of them compute: each is tried once.

`python -m cnnlab.gpus cuda:0` tries one and prints what it found. It is a process of its own,
because a driver that does not fit can end or block the process that asks it.
"""

import functools
import os
import signal
import subprocess
import sys
import warnings

import torch
from pydantic import BaseModel, ConfigDict, TypeAdapter
from torch.nn.functional import conv2d, interpolate

from cnnlab.folders import library_on_path

# What was found, for the processes that this one starts: they need not try again.
FOUND = "CNNLAB_GPUS"
PATIENCE_S = 60.0
LONGEST = 200


class Gpu(BaseModel):
    """One GPU: what it is, or why it cannot be used.

    Units: `memory_gb` in 10⁹ bytes.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    memory_gb: float | None = None
    bfloat16: bool = False
    problem: str = ""


_list = TypeAdapter(tuple[Gpu, ...])


@functools.cache
def tried() -> tuple[Gpu, ...]:
    """All GPUs of this machine, each with what its trial gave."""
    if FOUND in os.environ:
        return _list.validate_json(os.environ[FOUND])
    names, complaint = listed()
    found = tuple(_result(name, process) for name, process in [(n, _start(n)) for n in names])
    if complaint:
        found = (*found, Gpu(name="cuda", title="The GPU", problem=complaint))
    if found:
        os.environ[FOUND] = _list.dump_json(found).decode()
    return found


def listed() -> tuple[list[str], str]:
    """Names of the GPUs that PyTorch sees, and what it complains about while it looks."""
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        names = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return names, reason(str(complaints[0].message)) if complaints and not names else ""


def trial(name: str) -> Gpu:
    """Compute a little on a GPU, in this process."""
    title, memory_gb, bfloat16 = name, None, False
    try:
        if name == "mps":
            title = "Apple GPU (MPS)"
            memory_gb = torch.mps.recommended_max_memory() / 1e9
        else:
            properties = torch.cuda.get_device_properties(name)
            title, memory_gb = properties.name, properties.total_memory / 1e9
            with torch.cuda.device(name):
                bfloat16 = bool(torch.cuda.is_bf16_supported(including_emulation=False))
        compute(torch.device(name))
    except Exception as error:
        return Gpu(name=name, title=title, memory_gb=memory_gb, problem=reason(str(error)))
    return Gpu(name=name, title=title, memory_gb=memory_gb, bfloat16=bfloat16)


def compute(device: torch.device) -> None:
    """A convolution there and back over pictures that are resized, as in a training step.

    Raises: RuntimeError where the device cannot, or is wrong.
    """
    pictures = torch.full((2, 1, 8, 8), 255, dtype=torch.uint8, device=device) / 255
    pictures = interpolate(pictures, (6, 6), mode="bilinear", align_corners=False, antialias=True)
    kernels = torch.full((4, 1, 3, 3), 1 / 9, device=device, requires_grad=True)
    conv2d(pictures, kernels).square().sum().backward()
    assert kernels.grad is not None
    # White pictures give 1 everywhere, so every weight meets twice 1 at 16 places of 2 pictures.
    if not torch.allclose(kernels.grad.cpu(), torch.tensor(64.0), rtol=0.01):
        raise RuntimeError("a small convolution gave a wrong result")


def reason(text: str) -> str:
    """Why a GPU cannot be used, in a few words for the reader."""
    lower = text.lower()
    if "no kernel image" in lower or "not compatible with the current pytorch" in lower:
        return "this PyTorch was not built for a GPU of its kind"
    if "driver" in lower and "too old" in lower:
        return "its driver is too old for this PyTorch"
    first = next(iter(text.strip().splitlines()), "it gave no reason")
    return first if len(first) <= LONGEST else f"{first[:LONGEST]}…"


def _start(name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cnnlab.gpus", name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env=library_on_path(),
    )


def _result(name: str, process: subprocess.Popen[str]) -> Gpu:
    """What a trial found, or how it ended."""
    with process:
        try:
            out, _ = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return Gpu(name=name, title=name, problem=f"it did not answer for {PATIENCE_S:.0f} s")
    try:
        # A driver may print something, too; the answer is the last line.
        return Gpu.model_validate_json(out.splitlines()[-1])
    except (IndexError, ValueError):
        return Gpu(name=name, title=name, problem=_ended(process.returncode))


def _ended(code: int) -> str:
    how = f"code {code}" if code >= 0 else signal.Signals(-code).name
    return f"a small computation on it ended its process ({how})"


if __name__ == "__main__":
    print(trial(sys.argv[1]).model_dump_json())

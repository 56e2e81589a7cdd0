"""The weights of a run as a safetensors file that also holds its configuration."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from cnnlab import catalog, features
from cnnlab.atomic import replacing
from cnnlab.errors import ConfigError, TrainingError
from cnnlab.networks.options import Options
from cnnlab.trace import trace_of
from cnnlab.training.config import RunConfig
from cnnlab.training.initialization import initialize
from cnnlab.training.shared_weights import share

# A running variance may be smaller or larger than any number of 16 bits.
KEPT_WHOLE = ("running_mean", "running_var")
# Ten times what the network with the most layers has. Units: bytes.
LONGEST_HEADER = 2_000_000
# What `save` writes, as the format calls it.
FLOATS, INTEGERS = ("F32", "F16", "BF16"), ("I64",)


def save(model: nn.Module, config: RunConfig, path: Path, *, half: bool = False) -> None:
    """Write the weights, on request with 16 bits a number; a reader never sees half a file.

    Raises: OSError when the disk is full or the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: (_halved(name, tensor) if half else tensor).detach().cpu().contiguous()
        for name, tensor in model.state_dict().items()
    }
    with replacing(path) as partial:
        try:
            save_file(tensors, partial, metadata={"config": config.model_dump_json()})
        except SafetensorError as error:
            raise OSError(str(error)) from error


def _halved(name: str, tensor: Tensor) -> Tensor:
    """Half as many bytes, where a number has room in them."""
    whole = not tensor.is_floating_point() or name.endswith(KEPT_WHOLE)
    return tensor if whole else tensor.to(torch.float16)


def load(path: Path, *, head: bool = True) -> tuple[nn.Module, RunConfig]:
    """Build the network of a run with the weights that it learned, in prediction mode.

    Without its head it makes the same maps, but classifies nothing.

    Raises: TrainingError when the file is absent or damaged.
    """
    try:
        _check_header(path)
        with safe_open(path, framework="pt") as file:
            config = RunConfig.from_json((file.metadata() or {}).get("config", ""))
            spec = catalog.network(config.network)
            # Without memory: what a file says of itself may be far more than it holds.
            model = spec.build(config.options, device="meta", image_size=config.image_size)
            _check_tensors(file, model)
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        model.to_empty(device="cpu").load_state_dict(state)
        if not head:
            shapes = trace_of(spec, config.options, config.image_size).shapes
            features.take_off_head(model, shapes)
    except (OSError, SafetensorError, RuntimeError, ValueError, ConfigError) as error:
        raise TrainingError(
            f"The weights in {path.name} cannot be read ({type(error).__name__}). "
            "Train the network again to get new ones."
        ) from error
    return model.eval(), config


def _check_header(path: Path) -> None:
    """Raises: ValueError where the list of tensors is longer than any network's."""
    with path.open("rb") as file:
        if int.from_bytes(file.read(8), "little") > LONGEST_HEADER:
            raise ValueError("its header is too long")


def _check_tensors(file: Any, model: nn.Module) -> None:
    """Raises: ValueError where the tensors in a file are not those of the network."""
    expected = model.state_dict()
    if set(file.keys()) != expected.keys():
        raise ValueError("its tensors are not those of its network")
    for name, tensor in expected.items():
        found = file.get_slice(name)
        kinds = FLOATS if tensor.is_floating_point() else INTEGERS
        if tuple(found.get_shape()) != tensor.shape or found.get_dtype() not in kinds:
            raise ValueError(f"{name} is not as in its network")


def parameters(model: nn.Module) -> int:
    """Number of values that training changes."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def fresh(
    name: str,
    options: Options,
    image_size: int,
    seed: int,
    *,
    head: bool = True,
    shared: bool = False,
) -> nn.Module:
    """A network as a run with this seed and PyTorch's initialization begins.

    Without its head it makes the same maps, but classifies nothing. The caller's random numbers
    stay. `shared`: its weights are those of other such networks too, and not to be changed.

    Raises: ConfigError when it would not fit in memory.
    """
    spec = catalog.network(name)
    spec.check_affordable(options, image_size)
    model = spec.build(options, device="meta", image_size=image_size)
    if not head:
        features.take_off_head(model, trace_of(spec, options, image_size).shapes)
    if shared:
        return share(model, "default", seed).eval()
    model.to_empty(device="cpu")
    initialize(model, "default", seed)
    return model.eval()

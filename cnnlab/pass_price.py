"""What one picture may cost on its way through a network, and how long it is expected to take."""

from math import prod

from cnnlab.errors import ConfigError
from cnnlab.trace import Trace

# What one picture may take. VGG-19 at 256 pixels makes 42 MB and multiplies 25 billion times.
MOST_BYTES = 128 * 2**20
MOST_MACS = 40 * 10**9
# What one core does in a second, to the order of magnitude.
MACS_A_SECOND = 2e10
VALUES_A_SECOND = 3e8


def check_price(found: Trace) -> None:
    """Raises: ConfigError when a pass would take more memory or time than one picture may."""
    values = sum(prod(node.output_shape) for node in found.nodes if len(node.output_shape) == 4)
    macs = sum(node.macs for node in found.nodes)
    if values > MOST_BYTES or macs > MOST_MACS:
        raise ConfigError(
            f"One picture takes {macs / 1e9:,.1f} billion multiplications and "
            f"{values / 2**20:,.0f} MB of maps in this network; up to {MOST_MACS / 1e9:,.0f} "
            f"billion and {MOST_BYTES // 2**20} MB are allowed. Make the network narrower or the "
            "input smaller."
        )


def expected_s(found: Trace, layer: str = "") -> float:
    """How long a pass is expected to take on one core, to the order of magnitude.

    `layer`: the pass ends there. Convolutions multiply fast; what only moves values, such as batch
    norm, waits for memory. What every layer takes however small it is, is not counted: 0.1 ms,
    which small networks consist of.

    Units: seconds.
    """
    nodes = found.nodes[: found.ends[layer] + 1] if layer else found.nodes
    values = sum(prod(node.output_shape) for node in nodes)
    return sum(node.macs for node in nodes) / MACS_A_SECOND + values / VALUES_A_SECOND

"""Budget: what a request will take of memory, held against what the machine has."""

import os
from math import prod

from cnnlab import cgroups
from cnnlab.errors import ConfigError
from cnnlab.trace import Trace

# Of the machine's memory: all runs together, and one picture's way through a network. The rest is
# for the server itself, what it keeps, and other programs.
RUNS, PASS = 0.6, 0.125
# Where a system does not tell how much it has.
USUAL_BYTES = 8 * 2**30
FLOAT = 4


def memory_bytes() -> int:
    """Memory that this process and its workers may use: the container's, or the machine's.

    Units: bytes.
    """
    limit = cgroups.memory_limit()
    installed = _installed_bytes()
    return installed if limit is None else min(limit, installed)


def runs_bytes() -> int:
    """What all runs on the CPU may take together: CNNLAB_MEMORY_MB, or a share of all there is.

    Raises: ConfigError where the variable is no whole number of megabytes.
    """
    given = os.environ.get("CNNLAB_MEMORY_MB")
    if given is None:
        return int(RUNS * memory_bytes())
    if not (given.isascii() and given.isdecimal() and int(given)):
        raise ConfigError(
            f"CNNLAB_MEMORY_MB is {given!r}; it has to be a whole number of megabytes, such as "
            "4000, that all runs together may take."
        )
    return int(given) * 2**20


def check_pass(found: Trace, params: int) -> None:
    """Hold a network, with those weights that are loaded, and one picture against a page's share.

    Raises: ConfigError naming both amounts.
    """
    weights = FLOAT * params
    # A layer's input and output are there at once, and what is made on the way.
    largest = FLOAT * max(prod(node.output_shape) for node in found.nodes)
    needed, allowed = weights + 3 * largest, int(PASS * memory_bytes())
    if needed > allowed:
        raise ConfigError(
            f"This network with one picture takes {needed / 2**20:,.0f} MB of memory, and a page "
            f"may take {allowed / 2**20:,.0f} MB on this machine. Make the network narrower or the "
            "input smaller."
        )


def _installed_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return USUAL_BYTES

"""The memory that the tests' process has taken so far."""

import resource
import sys


def peak_mb() -> float:
    """The most memory that this process has had. Units: megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in kilobytes, macOS in bytes.
    return peak / (2**20 if sys.platform == "darwin" else 2**10)

"""glibc's memory allocator: told to keep what a training step gives back, or to have few heaps.

By default it returns large blocks to the kernel as soon as they are free. The activations of every
step then come as fresh pages, each of which costs a page fault: a tenth to a third of the step.
docs/performance.md has the figures. Other systems and libraries keep to what they do.
"""

import ctypes
import functools
import os

# Parameters of `mallopt`, from glibc's malloc.h.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
NEVER, NONE, PAD_BYTES = -1, 0, 64 * 2**20
M_ARENA_MAX, FEW = -8, 2

_keeping = False


def keep_memory() -> bool:
    """Keep freed memory in this process for the next step; whether that could be set.

    Has to come before the first tensor: what is mapped by then stays as it is.
    """
    global _keeping
    if (libc := glibc()) is not None:
        # Large blocks come from the heap as well, and the heap is not cut at its end.
        settings = ((M_MMAP_MAX, NONE), (M_TRIM_THRESHOLD, NEVER), (M_TOP_PAD, PAD_BYTES))
        _keeping = all(libc.mallopt(name, value) for name, value in settings)
    return _keeping


def few_heaps() -> bool:
    """Have all threads share a few heaps; whether that could be set.

    For a server: each answer is made in a thread, each thread by default takes one of several
    heaps, and each heap grows to the most that was ever needed in it.
    """
    libc = glibc()
    return libc is not None and bool(libc.mallopt(M_ARENA_MAX, FEW))


def give_back() -> None:
    """Return what is free to the system: between two runs, or two visitors, nobody uses it."""
    if (libc := glibc()) is not None:
        libc.malloc_trim(0)


def name() -> str:
    """What this process does with freed memory; steps differ in speed by it."""
    return "memory kept" if _keeping else "memory given back"


@functools.cache
def glibc() -> ctypes.CDLL | None:
    """The C library, where it is glibc."""
    try:
        is_glibc = (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError, OSError):
        # Windows has no such question, macOS and musl no such answer.
        return None
    return ctypes.CDLL(None) if is_glibc else None

"""The priority of a process that trains, below that of the pages."""

import ctypes
import os
import sys
from pathlib import Path

# On a core that both want, the pages get nine times as much of it.
STEPS_BACK = 10
BELOW_NORMAL_PRIORITY_CLASS = 0x4000


def step_back() -> None:
    """Let other processes go first.

    On Linux each thread has a priority of its own, which those that it starts take over.
    """
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), BELOW_NORMAL_PRIORITY_CLASS)
        return
    priority = os.nice(STEPS_BACK)
    for thread in Path("/proc/self/task").glob("*"):
        # Libraries have started some while they were imported.
        os.setpriority(os.PRIO_PROCESS, int(thread.name), priority)

"""A step's memory stays with the process, and goes back to the system between two runs."""

import json
import os
import subprocess
import sys

import pytest

from cnnlab import allocator
from tests.conftest import ROOT

STEPS = """
import json, resource, statistics, sys
from pathlib import Path
from cnnlab import allocator
could = allocator.keep_memory() if sys.argv[1] == "keep" else False
import torch
from torch.nn.functional import avg_pool2d, conv2d

torch.set_num_threads(1)
images = torch.rand(128, 1, 28, 28)
kernels = torch.rand(8, 1, 5, 5, requires_grad=True)

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

def step():
    avg_pool2d(conv2d(images, kernels).sigmoid(), 2).sum().backward()

def faults_of_a_step():
    before = faults()
    step()
    return faults() - before

for _ in range(5):
    step()
each = [faults_of_a_step() for _ in range(15)]
before = resident_mb()
filled = [torch.ones(1_000_000) for _ in range(50)]
kept = torch.ones(1)  # lies behind the others, so that the heap cannot simply be cut
del filled
held = resident_mb()
allocator.give_back()
figures = [statistics.median(each), held - before, held - resident_mb()]
print(json.dumps([could, allocator.name(), *figures]))
"""

THREADS = """
import json, sys, threading
from pathlib import Path
from cnnlab import allocator
could = allocator.few_heaps() if sys.argv[1] == "few" else False
import torch

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

def answer():
    # Blocks that grow: by default what was mapped for the first comes from the heap afterwards.
    for n in (1, 2, 4, 6):
        blocks = [torch.ones(n * 250_000) for _ in range(10)]
    kept.append(torch.ones(1))

kept = []
torch.ones(1)
before = resident_mb()
for _ in range(4):
    threads = [threading.Thread(target=answer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
most = resident_mb() - before
allocator.give_back()
print(json.dumps([could, most, resident_mb() - before]))
"""

pytestmark = pytest.mark.skipif(allocator.glibc() is None, reason="the C library is not glibc")


def steps(way: str) -> tuple[bool, str, float, float, float]:
    """Whether memory is kept, in words, faults of a usual step, MB held and MB given back."""
    done = subprocess.run(
        [sys.executable, "-c", STEPS, way], cwd=ROOT, capture_output=True, text=True, check=True
    )
    could, words, faults, held_mb, given_back_mb = json.loads(done.stdout)
    return could, words, faults, held_mb, given_back_mb


def test_a_step_costs_hardly_a_page_fault_where_memory_is_kept() -> None:
    kept, words, faults, held_mb, given_back_mb = steps("keep")
    assert (kept, words) == (True, "memory kept")
    # Two megabytes are 500 pages, which one step would fetch again and again.
    assert faults < 20
    assert min(held_mb, given_back_mb) > 100


def test_threads_of_a_server_leave_little_behind() -> None:
    done = subprocess.run(
        [sys.executable, "-c", THREADS, "few"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    could, most_mb, left_mb = json.loads(done.stdout)
    assert could
    # What each heap keeps of the most that was needed in it goes back when nobody is there.
    assert most_mb > 200
    assert left_mb < 150


def test_by_default_nothing_is_set() -> None:
    # How much then goes back, and when, is up to the C library and to where its blocks lie.
    kept, words, *_ = steps("default")
    assert (kept, words) == (False, "memory given back")


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator, "glibc", lambda: None)
    assert allocator.keep_memory() is False
    allocator.give_back()
    assert allocator.name() == "memory given back"


@pytest.mark.parametrize("answer", [None, "", "musl 1.2"])
def test_glibc_is_told_from_others(monkeypatch: pytest.MonkeyPatch, answer: str | None) -> None:
    monkeypatch.setattr(os, "confstr", lambda _name: answer)
    assert allocator.glibc.__wrapped__() is None
    monkeypatch.delattr(os, "confstr")
    assert allocator.glibc.__wrapped__() is None

"""Whether a worker holds one copy of the data, and no more after ten runs than after three.

    python -m benchmarks.memory --network resnet --runs 10 --json memory.json

The runs go through the run manager and a local engine, as those of the pages do, with a home
folder that is deleted afterwards, on the CPU: the memory of a GPU is not looked at. Resident
memory counts all that the worker has in memory; its own leaves out the pages of files, such as
libraries. The data set may be either: read into memory, or mapped from its file. Linux only.

Ends with code 1 when a later run leaves more memory in use than any of the first three did, by
more than 5 %; when the worker holds the data twice; or when a run failed.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.figures import heading, machine, write
from cnnlab import catalog, datasets, folders
from cnnlab.errors import CnnLabError
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.local.engine import LocalEngine
from cnnlab.jobs.manager import RunManager
from cnnlab.runs.store import ACTIVE, RunStore
from cnnlab.training import RunConfig

VISITOR = "benchmark"
# The last one on every machine; its worker keeps the data in memory that can be seen from here.
CPU_SLOT = -1
# The first runs load what PyTorch loads on first use.
SETTLED, MOST_GROWTH = 3, 0.05
# Between one copy and two; libraries take a little after the data.
MOST_COPIES = 1.5
POLL_S = 0.05
PATIENCE_S = 300
# A worker without data, for comparison; it says when it has imported everything.
EMPTY = "import cnnlab.jobs.local.worker; print(flush=True); input()"


@dataclass(frozen=True)
class Memory:
    """What a process has in memory. Units: 10⁶ bytes."""

    resident_mb: float
    own_mb: float
    mapped_data_mb: float


def memory(pid: int) -> Memory:
    """What a process has in memory now, as Linux counts it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    # "  1234 kB", and such a kB has 1024 bytes.
    resident, own = (int(fields[name].split()[0]) for name in ("VmRSS", "RssAnon"))
    data = tuple(str(f().resolve()) for f in (folders.data_folder, folders.cache_folder))
    maps = psutil.Process(pid).memory_maps(grouped=True)
    mapped_bytes = sum(part.rss for part in maps if part.path.startswith(data))
    return Memory(resident * 1024 / 1e6, own * 1024 / 1e6, mapped_bytes / 1e6)


def copies(warm: Memory, empty: Memory, size_mb: float) -> float:
    """How many times a worker holds data of a size that an empty one does not."""
    return (warm.own_mb - empty.own_mb + warm.mapped_data_mb) / size_mb


def growth(mb: list[float]) -> float:
    """By how much the largest of the later runs exceeds the largest of the first, as a share.

    Peaks, because memory that is given back between two runs comes and goes.
    """
    return max(mb[SETTLED:]) / max(mb[:SETTLED]) - 1


def empty_worker() -> Memory:
    """The memory of a process that has imported what a worker does, without any data."""
    with subprocess.Popen(
        [sys.executable, "-c", EMPTY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = memory(process.pid)
        process.kill()
    return found


def data_mb(name: str) -> float:
    """The size of a data set's tensors."""
    data = datasets.load(name)
    tensors = (data.train_images, data.train_labels, data.test_images, data.test_labels)
    return sum(tensor.nbytes for tensor in tensors) / 1e6


def wait_until_warm(engine: LocalEngine) -> None:
    """Raises: TimeoutError when the workers do not get ready."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not engine.warm:
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"no worker was ready after {PATIENCE_S} s")
        time.sleep(POLL_S)


def one_run(manager: RunManager, config: RunConfig) -> float:
    """Do a run and return its seconds. Raises: CnnLabError when it does not finish."""
    begin_s = time.monotonic()
    run = manager.submit(config, VISITOR, "benchmark")
    while (record := manager.store.run(run)) and record.status in ACTIVE:
        manager.seen(VISITOR)
        time.sleep(POLL_S)
    if record is None or record.status != "finished":
        raise CnnLabError(f"A run did not finish: {record.message if record else 'it is gone'}")
    return time.monotonic() - begin_s


def measure(configs: list[RunConfig], manager: RunManager, engine: LocalEngine) -> dict[str, Any]:
    """Memory of the warm worker and after each run, printed as it comes."""
    wait_until_warm(engine)
    pid = engine.worker_pids()[CPU_SLOT]
    warm = memory(pid)
    print(f"{'warm':>6} {'':>8} {warm.resident_mb:>10,.1f} {warm.own_mb:>10,.1f}", flush=True)
    taken: list[Memory] = []
    for number, config in enumerate(configs, 1):
        run_s = one_run(manager, config)
        if engine.worker_pids()[CPU_SLOT] != pid:
            raise CnnLabError("The worker was replaced during the runs; see the log above.")
        taken.append(memory(pid))
        columns = f"{taken[-1].resident_mb:>10,.1f} {taken[-1].own_mb:>10,.1f}"
        print(f"{number:>6} {run_s:>7.1f}s {columns}", flush=True)
    return {
        "warm": asdict(warm),
        "after_runs": [asdict(found) for found in taken],
        "growth": growth([found.resident_mb for found in taken]),
    }


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line. Raises: SystemExit for too few runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=catalog.NETWORKS, default="resnet")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--train-size", type=int, default=1000, help="pictures of each run")
    parser.add_argument("--json", type=Path)
    found = parser.parse_args(arguments)
    if found.runs <= SETTLED:
        parser.error(f"--runs is {found.runs}; growth is seen after more than {SETTLED} runs")
    return found


def main() -> int:
    arguments = parse()
    found = machine()
    print(heading(found))
    configs = [
        RunConfig(
            network=arguments.network,
            train_size=arguments.train_size,
            epochs=1,
            seed=seed,
            device="cpu",
        )
        for seed in range(arguments.runs)
    ]
    size_mb, empty = data_mb("shapes"), empty_worker()
    print(f"data set {size_mb:,.1f} MB, a worker without it {empty.own_mb:,.1f} MB of its own")
    print(f"{'run':>6} {'':>8} {'resident':>10} {'own':>10}  MB")
    with tempfile.TemporaryDirectory(prefix="cnnlab-benchmark-") as home:
        engine = LocalEngine()
        manager = RunManager(RunStore(Path(home)), engine, Settings.from_environment())
        try:
            row = measure(configs, manager, engine)
        except CnnLabError as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            manager.close()
            manager.store.close()
    held = copies(Memory(**row["warm"]), empty, size_mb)
    print(f"copies of the data in the warm worker: {held:.2f} (at most {MOST_COPIES})")
    print(f"growth after run {SETTLED}: {row['growth']:+.1%} (at most 5 %)")
    if arguments.json:
        write(arguments.json, found, [row | {"copies": held}])
    return int(row["growth"] > MOST_GROWTH or held > MOST_COPIES)


if __name__ == "__main__":
    sys.exit(main())

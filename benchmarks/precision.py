"""Whether bfloat16 costs accuracy: every network's quick run in both number formats.

    python -m benchmarks.precision --networks lenet resnet --seeds 3 --json precision.json

Each network is trained by its quick recipe, without and with batch normalization where it can be
switched, from the same seeds in float32 and in bfloat16. The formats agree where their means
differ by no more than the larger of the two spreads (the best seed less the worst).
"""

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.figures import heading, machine, write
from cnnlab import catalog
from cnnlab.networks.options import Options
from cnnlab.training import RunConfig, train
from cnnlab.training.events import Finished

FORMATS = ("float32", "bfloat16")


def variants(network: str) -> Iterator[tuple[str, Options]]:
    """The small preset, and the same with batch normalization the other way."""
    spec = catalog.network(network)
    options = spec.preset("small")
    if "batch_norm" in spec.options.model_fields:
        yield network, options.replace(batch_norm=False)
        yield f"{network} with BN", options.replace(batch_norm=True)
    else:
        yield network, options


def accuracy(config: RunConfig) -> float:
    """Test accuracy at the end of a run; 0 where the loss ran away."""
    *_, ending = train(config)
    if not isinstance(ending, Finished) or ending.test_accuracy is None:
        return 0.0
    return ending.test_accuracy


def agree(one: list[float], other: list[float]) -> bool:
    """Whether the means differ by no more than the larger spread."""
    spread = max(max(values) - min(values) for values in (one, other))
    return abs(statistics.mean(one) - statistics.mean(other)) <= spread


def compare(title: str, options: Options, network: str, seeds: int) -> dict[str, Any]:
    """Accuracies of one network in both formats; the formats take turns."""
    found: dict[str, list[float]] = {name: [] for name in FORMATS}
    for seed in range(seeds):
        for name in FORMATS:
            config = RunConfig(network=network, options=options, seed=seed, precision=name)
            found[name].append(accuracy(config))
    return {"network": title, **found, "agree": agree(*found.values())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=list(catalog.NETWORKS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()

    found = machine()
    print(f"{heading(found)}, {torch.get_num_threads()} threads")
    print(f"{'network':>18} {'float32':>22} {'bfloat16':>22}")
    rows = []
    for network in arguments.networks:
        for title, options in variants(network):
            rows.append(compare(title, options, network, arguments.seeds))
            columns = (" ".join(f"{100 * a:6.1f}" for a in rows[-1][name]) for name in FORMATS)
            verdict = "agree" if rows[-1]["agree"] else "DIFFER"
            print(f"{title:>18} " + " ".join(f"{c:>22}" for c in columns), verdict, flush=True)
    if arguments.json:
        write(arguments.json, found, rows)


if __name__ == "__main__":
    main()

"""What the Compare page says that we measured: each network by its preset's recipe, three seeds.

    python -m benchmarks.compare --networks lenet nin --datasets shapes fashion_mnist

Writes `cnnlab/compare/measured.json`. The small networks unless `--preset` names others.
"""

import argparse
import sys

from cnnlab.catalog import NETWORKS
from cnnlab.compare import measured
from cnnlab.compare.contenders import Contender
from cnnlab.configuration import SMALL
from cnnlab.datasets import DATASETS
from cnnlab.errors import CnnLabError
from cnnlab.experiments.running import run_all

SEEDS = (0, 1, 2)


def main(command_line: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.compare", description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=["shapes"])
    parser.add_argument("--preset", default=SMALL)
    arguments = parser.parse_args(command_line)
    try:
        for dataset in arguments.datasets:
            for network in arguments.networks:
                config = Contender(network, arguments.preset).config(dataset)
                runs = run_all([config.replace(seed=seed) for seed in SEEDS])
                found = [one.figures["test_accuracy"] for one in runs if not one.failed]
                print(f"{network} on {dataset}: {', '.join(f'{one:.1%}' for one in found)}")
                if len(found) == len(SEEDS):
                    measured.keep(config, found)
    except CnnLabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

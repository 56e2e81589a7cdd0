"""Get a data set ahead of a lesson: `python -m cnnlab.datasets fashion_mnist`."""

import argparse
import sys

from cnnlab import datasets
from cnnlab.errors import DatasetError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=list(datasets.DATASETS))
    name = parser.parse_args().name

    def progress(done_bytes: int, total_bytes: int | None) -> None:
        whole = f" of {total_bytes / 1e6:.1f}" if total_bytes else ""
        print(f"\r{done_bytes / 1e6:8.1f}{whole} MB", end="", file=sys.stderr, flush=True)

    try:
        dataset = datasets.load(name, progress=progress)
    except DatasetError as error:
        sys.exit(f"\n{error}")
    print(
        f"{datasets.DATASETS[name].title}: {len(dataset.train_labels):,} training and "
        f"{len(dataset.test_labels):,} test pictures in {datasets.data_folder()}"
    )


if __name__ == "__main__":
    main()

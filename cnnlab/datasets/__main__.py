"""Get a data set ahead of a lesson: `python -m cnnlab.datasets fashion_mnist`."""

import argparse
import sys

from cnnlab import datasets
from cnnlab.errors import DatasetError

BAR_WIDTH = 30


def bar(done_bytes: int, total_bytes: int | None) -> str:
    """A progress bar in text; only the count where the whole is not known."""
    if not total_bytes:
        return f"{done_bytes / 1e6:8.1f} MB"
    filled = "#" * min(BAR_WIDTH, BAR_WIDTH * done_bytes // total_bytes)
    return f"[{filled:.<{BAR_WIDTH}}] {done_bytes / 1e6:.1f} of {total_bytes / 1e6:.1f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=list(datasets.DATASETS))
    parser.add_argument("--again", action="store_true", help="download what is damaged again")
    asked = parser.parse_args()
    name, get = asked.name, datasets.mend if asked.again else datasets.load

    def progress(done_bytes: int, total_bytes: int | None) -> None:
        end = "\n" if done_bytes == total_bytes else ""
        print(f"\r{bar(done_bytes, total_bytes)}", end=end, file=sys.stderr, flush=True)

    try:
        dataset = get(name, progress=progress)
    except DatasetError as error:
        sys.exit(f"\n{error}")
    print(
        f"{datasets.DATASETS[name].title}: {len(dataset.train_labels):,} training and "
        f"{len(dataset.test_labels):,} test pictures. {datasets.state(name).message}"
    )


if __name__ == "__main__":
    main()

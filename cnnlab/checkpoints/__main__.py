"""The checkpoints in a terminal.

python -m cnnlab.checkpoints list                what there is to train, and what is there
python -m cnnlab.checkpoints train [NAME ...]    train those that are not there, or do not fit
python -m cnnlab.checkpoints check [NAME ...]    hold each file against its card, on the test set
python -m cnnlab.checkpoints imagenet PRESET [PICTURE]
                                                 fetch ImageNet weights; what they see in a picture
"""

import argparse
import sys
from pathlib import Path

import torch

from cnnlab import images
from cnnlab.checkpoints import imagenet
from cnnlab.checkpoints.making import accuracy, make
from cnnlab.checkpoints.recipes import RECIPES, Recipe, recipe
from cnnlab.checkpoints.shipped import FOLDER, Shipped, shipped
from cnnlab.errors import CnnLabError, ImageError
from cnnlab.training.events import Event, Progress

# A card is rounded to four digits; another machine may decide a picture or two otherwise.
TOLERANCE = 0.002


def main(arguments: list[str] | None = None, folder: Path = FOLDER) -> int:
    """Do what the command line asks; 1 where it cannot be done or a file does not fit."""
    asked = parse(arguments)
    try:
        if asked.command == "imagenet":
            see(asked.preset, asked.picture)
            return 0
        chosen = [recipe(name) for name in asked.names or RECIPES]
        if asked.command == "train":
            for one in chosen:
                train_missing(one, folder)
        elif asked.command == "check":
            fitting = [check(one, folder) for one in chosen]
            return int(not all(fitting))
        else:
            for one in chosen:
                print(f"{one.name:<36} {summary(one, folder)}")
    except CnnLabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line. Raises: SystemExit for what it does not know."""
    parser = argparse.ArgumentParser(prog="cnnlab.checkpoints", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("list", "train", "check"):
        commands.add_parser(name).add_argument("names", nargs="*", metavar="NAME")
    published = commands.add_parser("imagenet")
    published.add_argument("preset", choices=[f"{n}-{p}" for n, p in imagenet.WEIGHTS])
    published.add_argument("picture", nargs="?", type=Path)
    return parser.parse_args(arguments)


def see(name: str, file: Path | None) -> None:
    """Fetch ImageNet weights, and print the five classes that they see in a picture."""
    network, _, preset = name.partition("-")
    found = imagenet.published(network, preset)
    imagenet.fetch(found, fetching)
    print(f"{name}: {found.path}, {found.test_accuracy:.1%} of ImageNet's validation pictures")
    if file is not None:
        try:
            picture = images.decode(file.read_bytes())
        except OSError as error:
            raise ImageError(f"{file} cannot be read: {error.strerror}.") from error
        with torch.inference_mode():
            logits = imagenet.load(found)(found.batch(picture))
        for title, probability in found.top(logits):
            print(f"{probability:6.1%}  {title}")


def fetching(done_bytes: int, total_bytes: int | None) -> None:
    """How far a download is, in a line that replaces itself."""
    whole = f" of {total_bytes / 1e6:.0f}" if total_bytes else ""
    print(f"\r{done_bytes / 1e6:.1f}{whole} MB", end="", file=sys.stderr, flush=True)


def there(one: Recipe, folder: Path) -> Shipped | None:
    """The checkpoint of a recipe, if its card is about this recipe."""
    found = {s.path.stem: s for s in shipped(folder=folder)}.get(one.name)
    return found if found and found.config == one.config else None


def summary(one: Recipe, folder: Path) -> str:
    """What there is of a recipe, in a line."""
    found = there(one, folder)
    if found is None:
        return "not trained"
    card = found.card
    return (
        f"{card.test_accuracy:.2%} of {card.test_images:,} · {card.params:,} parameters · "
        f"{card.size_bytes / 1e6:.2f} MB · {card.config.epochs} epochs in {card.training_s:,.0f} s"
    )


def train_missing(one: Recipe, folder: Path) -> None:
    """Train a network whose weights are not there or do not fit their card."""
    found = there(one, folder)
    try:
        if found is not None:
            found.load()
            print(f"{one.name}: there already")
            return
    except CnnLabError as error:
        print(error)
    made = make(one, show, folder)
    print(f"\n{one.name}: {made.test_accuracy:.2%}", flush=True)


def show(event: Event) -> None:
    """How far a run is, in a line that replaces itself."""
    if isinstance(event, Progress):
        print(
            f"\repoch {event.epoch:6.2f}  loss {event.train_loss:.3f}  accuracy "
            f"{event.train_accuracy:.3f}  {event.eta_s:5.0f} s left",
            end="",
            file=sys.stderr,
            flush=True,
        )


def check(one: Recipe, folder: Path) -> bool:
    """Whether a file is there, fits its card, and is as good as the card says."""
    found = there(one, folder)
    if found is None:
        print(f"{one.name}: not trained by its recipe")
        return False
    try:
        seen = accuracy(found.load(), found.config)
    except CnnLabError as error:
        print(f"{one.name}: {error}")
        return False
    holds = abs(seen - found.test_accuracy) <= TOLERANCE
    print(f"{one.name}: {seen:.2%}, the card says {found.test_accuracy:.2%}")
    return holds


if __name__ == "__main__":
    raise SystemExit(main())

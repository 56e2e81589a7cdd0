"""Training speed of every network: a bare step, our loop, and the book's way.

    python -m benchmarks.training --networks lenet lenet/d2l_bn resnet --json speed.json

(a) bare   forward, backward and optimizer on one batch that is already in memory
(b) ours   `train()` with everything it reports, from its first to its last point
(c) book   `DataLoader` over torchvision's Fashion-MNIST with Resize and ToTensor per picture,
           a plain loop, accuracy summed per batch

Same model, batch size, picture size, optimizer and device; (c) is in float32 and PyTorch's usual
layout, as the book writes it. The three take turns; a figure is the median of the repetitions, a
ratio the median of the ratios within a repetition. Evaluations are not in the figures.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import FashionMNIST

from benchmarks.figures import heading, machine, write
from cnnlab import catalog, devices, folders
from cnnlab.training import RunConfig, train
from cnnlab.training.estimate import estimate
from cnnlab.training.events import Progress
from cnnlab.training.optimizers import build_optimizer
from cnnlab.training.precision import choose

# Every network of the chapter, and the one whose batch normalization the chapter switches.
NETWORKS = ["lenet", "lenet/d2l_bn", *(name for name in catalog.NETWORKS if name != "lenet")]
FEWEST_STEPS, MOST_STEPS = 4, 80


def configuration(name: str, steps: int, precision: str) -> RunConfig:
    """The book's recipe for a network, cut to a few steps."""
    network, _, preset = name.partition("/")
    recipe = catalog.NETWORKS[network].book
    return RunConfig(
        network=network,
        options=preset or "d2l",
        dataset="fashion_mnist",
        image_size=recipe.image_size,
        batch_size=recipe.batch_size,
        train_size=recipe.batch_size * steps,
        lr=recipe.lr,
        momentum=recipe.momentum,
        init=recipe.init,
        epochs=1,
        precision=precision,
    )


def build(config: RunConfig, layout: torch.memory_format) -> nn.Module:
    """The network of a run on its device."""
    torch.manual_seed(config.seed)
    spec = catalog.NETWORKS[config.network]
    model = spec.build(config.options, image_size=config.image_size)
    return model.to(devices.resolve(config.device)).to(memory_format=layout).train()


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def bare(config: RunConfig, steps: int) -> float:
    """Images per second of the step alone."""
    device = devices.resolve(config.device)
    way = choose(config, device)
    model = build(config, way.memory_format)
    optimizer = build_optimizer(config, model.parameters(), device)
    size = config.image_size
    images = torch.rand(config.batch_size, 1, size, size, device=device)
    images = images.contiguous(memory_format=way.memory_format)
    labels = torch.randint(0, 10, (config.batch_size,), device=device)

    def step() -> None:
        with torch.autocast(device.type, way.dtype, enabled=way.dtype != torch.float32):
            loss = cross_entropy(model(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    step()
    synchronize(device)
    begin_s = time.perf_counter()
    for _ in range(steps - 1):
        step()
    synchronize(device)
    return (steps - 1) * config.batch_size / (time.perf_counter() - begin_s)


def ours(config: RunConfig, steps: int) -> float:
    """Images per second of `train()`, between the first point and the last."""
    run = train(config)
    points = []
    for event in run:
        if isinstance(event, Progress):
            points.append(event)
            if event.step == steps:
                break
    run.close()  # type: ignore[attr-defined]
    first, last = points[0], points[-1]
    return (last.step - first.step) * config.batch_size / (last.elapsed_s - first.elapsed_s)


def book(config: RunConfig, steps: int, workers: int) -> float:
    """Images per second of the loop that the book writes."""
    device = devices.resolve(config.device)
    prepare = transforms.Compose([transforms.Resize(config.image_size), transforms.ToTensor()])
    dataset = FashionMNIST(str(folders.data_folder()), train=True, transform=prepare)
    model = build(config, torch.contiguous_format)
    optimizer = torch.optim.SGD(model.parameters(), lr=config.lr)
    loader = DataLoader(dataset, config.batch_size, shuffle=True, num_workers=workers)
    begin_s, sums = 0.0, [0.0, 0.0]
    for i, (images, labels) in enumerate(batches(loader, device)):
        logits = model(images)
        loss = cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        sums[0] += float(loss.detach()) * len(labels)
        sums[1] += float((logits.argmax(1) == labels).sum())
        if i == 0:
            begin_s = time.perf_counter()
        if i == steps - 1:
            break
    return (steps - 1) * config.batch_size / (time.perf_counter() - begin_s)


def batches(
    loader: DataLoader[tuple[Tensor, Tensor]], device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    for images, labels in loader:
        yield images.to(device), labels.to(device)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=NETWORKS, help="name or name/preset")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--seconds", type=float, default=6, help="for each loop, about")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--workers", type=int, default=4, help="of the book's DataLoader")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()

    found = machine()
    print(f"{heading(found)}, {torch.get_num_threads()} threads")
    print(f"{'network':>14} {'bare':>9} {'ours':>9} {'book':>9} {'b/a':>6} {'b/c':>6}  computed in")
    rows = []
    for name in arguments.networks:
        rows.append(measure(name, arguments))
        figures = rows[-1]
        print(
            f"{name:>14} {figures['bare']:9,.0f} {figures['ours']:9,.0f} "
            f"{figures['book']:9,.0f} {figures['b/a']:6.2f} {figures['b/c']:6.2f}  "
            f"{figures['way']}; {figures['steps']} steps",
            flush=True,
        )
    mean = statistics.geometric_mean(float(row["b/c"]) for row in rows)
    print(f"geometric mean of b/c: {mean:.2f}")
    if arguments.json:
        write(arguments.json, found, rows)


def measure(name: str, arguments: argparse.Namespace) -> dict[str, float | str]:
    """Medians of interleaved repetitions for one network."""
    speed = estimate(configuration(name, MOST_STEPS, arguments.precision))
    steps = int(min(max(arguments.seconds / speed.step_s, FEWEST_STEPS), MOST_STEPS))
    config = configuration(name, steps, arguments.precision)
    a, b, c = [], [], []
    for _ in range(arguments.repetitions):
        a.append(bare(config, steps))
        b.append(ours(config, steps))
        c.append(book(config, steps, arguments.workers))
    return {
        "network": name,
        "way": choose(config, devices.resolve(config.device)).name,
        "steps": steps,
        "bare": statistics.median(a),
        "ours": statistics.median(b),
        "book": statistics.median(c),
        "b/a": statistics.median(y / x for x, y in zip(a, b, strict=True)),
        "b/c": statistics.median(y / x for x, y in zip(c, b, strict=True)),
    }


if __name__ == "__main__":
    main()

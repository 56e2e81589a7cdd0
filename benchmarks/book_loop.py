"""The training loop as the book writes it, in a process of its own: prints its speed as JSON.

    python -m benchmarks.book_loop '{"network": "lenet"}' --steps 20

`DataLoader` over torchvision's Fashion-MNIST with Resize and ToTensor per picture, float32,
PyTorch's usual layout, accuracy summed per batch, and the C library's allocator as it comes.
"""

import argparse
import json
from dataclasses import asdict

import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import FashionMNIST

from benchmarks.speed import Meter, Speed
from cnnlab import catalog, devices, folders
from cnnlab.training import RunConfig


def measure(config: RunConfig, steps: int, workers: int) -> Speed:
    """The speed of the loop; the first step is not counted."""
    device = devices.resolve(config.device)
    prepare = transforms.Compose([transforms.Resize(config.image_size), transforms.ToTensor()])
    dataset = FashionMNIST(str(folders.data_folder()), train=True, transform=prepare)
    torch.manual_seed(config.seed)
    spec = catalog.network(config.network)
    model = spec.build(config.options, image_size=config.image_size).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=config.lr)
    loader = DataLoader(dataset, config.batch_size, shuffle=True, num_workers=workers)
    meter, sums = Meter(), [0.0, 0.0]
    for step, (images, labels) in enumerate(loader, 1):
        x, y = images.to(device), labels.to(device)
        logits = model(x)
        loss = cross_entropy(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        sums[0] += float(loss.detach()) * len(y)
        sums[1] += float((logits.argmax(1) == y).sum())
        if step == 1:
            meter = Meter()
        if step == steps:
            break
    return meter.read(steps - 1, config.batch_size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", help="the run as JSON")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = RunConfig.from_json(arguments.config)
    print(json.dumps(asdict(measure(config, arguments.steps, arguments.workers))))


if __name__ == "__main__":
    main()

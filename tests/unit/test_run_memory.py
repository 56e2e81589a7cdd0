"""The memory of a run, foreseen and measured."""

import json
import subprocess
import sys
from typing import Any

import pytest

from cnnlab.training import RunConfig, run_memory
from tests.conftest import ROOT

MEASURE = """
import json, sys
from pathlib import Path
import torch
from cnnlab import allocator
from cnnlab.training import RunConfig
from cnnlab.training.metrics import Metrics
from cnnlab.training.step_timing import made_up
from cnnlab.training.trainer import Trainer

def resident_bytes(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024

def steps(config):
    cpu = torch.device("cpu")
    trainer = Trainer(config, made_up(config, cpu), torch.float32)
    trainer.model.train()
    for _ in range(2):
        trainer.update(torch.arange(config.batch_size), Metrics(cpu))

allocator.keep_memory()
torch.set_num_threads(1)
steps(RunConfig(network="lenet", batch_size=8, device="cpu"))
before = resident_bytes("VmRSS")
steps(RunConfig.from_json(sys.argv[1]))
print(resident_bytes("VmHWM") - before)
"""


# Where the weights count, where the maps count, and where normalization keeps most.
@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of a process")
@pytest.mark.parametrize(
    "fields",
    [
        {"network": "alexnet", "options": "d2l", "image_size": 80, "batch_size": 8},
        {"network": "resnet", "options": "small", "image_size": 64, "batch_size": 128},
        {"network": "lenet", "options": "d2l_bn", "image_size": 64, "batch_size": 512},
    ],
)
def test_no_run_takes_more_than_was_foreseen(fields: dict[str, Any]) -> None:
    config = RunConfig.model_validate(fields | {"device": "cpu"})
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, config.model_dump_json()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    measured, foreseen = json.loads(done.stdout), run_memory.run_bytes(config)
    assert measured <= foreseen <= 2.5 * measured


def test_every_part_of_the_price_counts() -> None:
    config = RunConfig(network="resnet", options="resnet18", image_size=96, batch_size=64)
    price = run_memory.run_bytes(config)
    assert run_memory.run_bytes(config.replace(batch_size=128)) > 1.5 * price
    assert run_memory.run_bytes(config.replace(image_size=192)) > 2.5 * price
    assert run_memory.run_bytes(config.replace(optimizer="adam")) > price
    plain = config.replace(momentum=0.0)
    assert run_memory.run_bytes(plain) < price

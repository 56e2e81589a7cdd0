"""One new thing of each kind, as somebody who reads CONTRIBUTING.md would add it."""

from dataclasses import dataclass
from pathlib import Path

NETWORK = '''"""Plain: one block and a classifier."""

from pydantic import Field
from torch import nn

from cnnlab.networks.options import Options


class PlainOptions(Options):
    """The knobs of Plain."""

    channels: int = Field(8, ge=4, le=32, description="Channels of the block.")


class PlainBlock(nn.Sequential):
    """A convolution and a pooling."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.act = nn.ReLU()
        self.pool = nn.MaxPool2d(2)


class Plain(nn.Sequential):
    """The network."""

    def __init__(self, options: PlainOptions | None = None) -> None:
        super().__init__()
        o = self.options = options or PlainOptions()
        self.block = PlainBlock(o.in_channels, o.channels)
        self.flatten = nn.Flatten()
        self.fc = nn.LazyLinear(o.num_classes)


PRESETS = {"d2l": PlainOptions(channels=16), "small": PlainOptions()}
'''
NETWORK_ENTRY = """
        NetworkSpec(
            name="plain",
            title="Plain",
            year=2026,
            paper="nobody 2026",
            network=plain.Plain,
            options=plain.PlainOptions,
            presets=plain.PRESETS,
            blocks=(plain.PlainBlock,),
            book=Recipe(image_size=28, batch_size=32, lr=0.1, epochs=1),
            quick=Recipe(image_size=16, batch_size=16, lr=0.1, epochs=1),
        ),"""
SECTION_ENTRY = """
        Section(
            slug="plain",
            number="9.8",
            title="Plain",
            aim="See that a page is added in two files and one entry.",
            networks=("plain",),
            main_knobs=("channels",),
        ),"""
SECTION_PAGE = """from cnnlab.catalog import SECTIONS
from pages.components import section

section.show(SECTIONS["plain"])
"""
DATASET = '''"""`dots`: two classes, dark and bright."""

import torch

from cnnlab.datasets.dataset import Dataset, DatasetSpec, State
from cnnlab.datasets.download import Progress


def load(_progress: Progress | None = None) -> Dataset:
    """Drawn at once."""
    labels = torch.arange(64) % 2
    images = (labels * 255).to(torch.uint8).reshape(-1, 1, 1, 1).expand(-1, 1, 8, 8).contiguous()
    return Dataset(images, labels, images[:8], labels[:8], ("dark", "bright"))


SPEC = DatasetSpec(
    name="dots",
    title="Dots",
    description="Dark and bright pictures.",
    channels=1,
    image_size=8,
    class_names=("dark", "bright"),
    train_size=64,
    test_size=8,
    source="drawn",
    load=load,
    state=lambda: State("ready", "Dots are drawn."),
)
'''
EXERCISES = '''"""Things to try on the page of Plain."""

from cnnlab.exercises.checks import Times
from cnnlab.exercises.exercise import Arm, Claim, Exercise
from cnnlab.exercises.measures import PARAMS

EXERCISES = (
    Exercise(
        id="plain-width",
        section="plain",
        view="Architecture",
        text="Double the channels. How many parameters does that cost?",
        arms=(
            Arm("8", "plain", "d2l", {"channels": 8}),
            Arm("16", "plain", "d2l", {"channels": 16}),
        ),
        claims=(Claim(PARAMS, Times("16", "8", 1.9, 2.1)),),
    ),
)
'''
OPTIMIZER = """
def rmsprop(
    parameters: list[nn.Parameter], _config: "RunConfig", fused: bool, **common: Any
) -> torch.optim.RMSprop:
    \"\"\"There is no fused kernel for it.\"\"\"
    del fused
    return torch.optim.RMSprop(parameters, **common)


"""
PROBE = '''"""Probe: the size of the logits."""

from collections.abc import Generator
from typing import Literal

from torch import Tensor

from cnnlab.training.probes.probe import Observed, Probe, Readings


class LogitsProbe(Probe):
    """The mean of what the network answers."""

    kind: Literal["logits"] = "logits"

    def observe(self, run: Observed) -> Generator[None, None, Readings]:
        seen: list[Tensor] = []
        handle = run.model.register_forward_hook(lambda _m, _x, y: seen.append(y.detach().mean()))
        try:
            yield
        finally:
            handle.remove()
        yield
        return {"": {"mean": seen[0]}}
'''
WORKBENCH_PAGE = """from pages.components import glossary

glossary.show()
"""
WORKBENCH_VIEW = '''"""A page across sections: what is on it."""

import streamlit as st


def show() -> None:
    """One sentence."""
    st.title("Glossary")
'''


@dataclass(frozen=True)
class Edit:
    """Lines put behind a place in a file; `imports` go to those of the file."""

    file: str
    behind: str
    lines: str
    imports: str = ""

    def apply(self, root: Path) -> None:
        """Change the file. Raises: AssertionError where the place is not in it just once."""
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        assert text.count(self.behind) == 1, (self.file, self.behind)
        text = text.replace(self.behind, self.behind + self.lines)
        if self.imports:
            first = text.index("\nfrom ")
            text = f"{text[:first]}\n{self.imports}{text[first:]}"
        path.write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Addition:
    """Something new: its own files with their contents, and its entry in a list."""

    name: str
    files: dict[str, str]
    edits: tuple[Edit, ...]

    @property
    def touched(self) -> set[str]:
        return {*self.files, *(edit.file for edit in self.edits)}

    def apply(self, root: Path) -> None:
        """Write the files and the entry into a copy of the project."""
        for name, text in self.files.items():
            assert not (root / name).exists()
            (root / name).write_text(text, encoding="utf-8")
        for edit in self.edits:
            edit.apply(root)


ADDITIONS = [
    Addition(
        "network",
        {"cnnlab/networks/plain.py": NETWORK},
        (
            Edit(
                "cnnlab/catalog.py",
                "    spec.name: spec\n    for spec in (",
                NETWORK_ENTRY,
                "from cnnlab.networks import plain",
            ),
        ),
    ),
    Addition(
        "section",
        {
            "pages/chapter/plain.py": SECTION_PAGE,
            "assets/text/plain.md": "In plain words.\n\n{figure: network}\n\n{exercises}\n",
        },
        (
            Edit(
                "cnnlab/catalog.py",
                "    section.slug: section\n    for section in (",
                SECTION_ENTRY,
            ),
        ),
    ),
    Addition(
        "set of exercises",
        {"cnnlab/exercises/plain.py": EXERCISES},
        (
            Edit(
                "cnnlab/exercises/__init__.py",
                "_PAGES = (",
                "plain, ",
                "from cnnlab.exercises import plain",
            ),
        ),
    ),
    Addition(
        "data set",
        {"cnnlab/datasets/dots.py": DATASET},
        (
            Edit(
                "cnnlab/datasets/__init__.py",
                "    spec.name: spec for spec in (",
                "dots.SPEC, ",
                "from cnnlab.datasets import dots",
            ),
        ),
    ),
    Addition(
        "optimizer",
        {},
        (
            Edit(
                "cnnlab/training/optimizers.py",
                "    from cnnlab.training.config import RunConfig\n",
                OPTIMIZER,
            ),
            Edit(
                "cnnlab/training/optimizers.py",
                "OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {",
                '\n    "rmsprop": rmsprop,',
            ),
        ),
    ),
    Addition(
        "probe",
        {"cnnlab/training/probes/logits.py": PROBE},
        (
            Edit(
                "cnnlab/training/probes/__init__.py",
                "KINDS: list[type[Probe]] = [",
                "LogitsProbe, ",
                "from cnnlab.training.probes.logits import LogitsProbe",
            ),
        ),
    ),
    Addition(
        "page across sections",
        {
            "pages/workbench/glossary.py": WORKBENCH_PAGE,
            "pages/components/glossary.py": WORKBENCH_VIEW,
        },
        (Edit("pages/components/frame.py", "WORKBENCH_PAGES = {", '"glossary": "Glossary", '),),
    ),
]

"""The pictures that come with the course: readable, credited, and what they say they are."""

from pathlib import Path

import numpy as np
import pytest
import torch

from cnnlab import datasets, images
from cnnlab.datasets import DATASETS


@pytest.mark.parametrize("sample", images.samples(), ids=lambda sample: sample.name)
def test_samples_are_small_and_readable(sample: images.Sample) -> None:
    raw = sample.path.read_bytes()
    assert len(raw) < 80_000
    picture = images.decode(raw)
    # A test picture is as the data set has it.
    smallest = DATASETS[sample.dataset].image_size if sample.dataset else 64
    assert smallest <= min(picture.size) <= max(picture.size) <= 512
    assert images.to_batch(picture, 224, 3).std() > 0.1
    assert sample.title
    assert sample.credit


@pytest.mark.parametrize("name", ["fashion_mnist", "shapes"])
def test_there_is_a_test_picture_of_every_class(name: str) -> None:
    titles = [sample.title for sample in images.samples() if sample.dataset == name]
    assert sorted(titles) == sorted(DATASETS[name].class_names)


def test_the_shapes_are_test_pictures_as_they_are() -> None:
    shapes = datasets.load("shapes")
    for sample in images.samples():
        if sample.dataset == "shapes":
            picture = torch.from_numpy(np.array(images.decode(sample.path.read_bytes())))
            same = (shapes.test_images == picture.permute(2, 0, 1)).flatten(1).all(1)
            assert [shapes.class_names[i] for i in shapes.test_labels[same]] == [sample.title]


def test_samples_are_the_files_in_the_folder_and_credited_there() -> None:
    folder = Path(__file__).parents[2] / "assets" / "samples"
    listed = [sample.path.name for sample in images.samples()]
    assert sorted(listed) == sorted(p.name for p in folder.iterdir() if p.suffix != ".md")
    assert len({sample.name for sample in images.samples()}) == len(listed)
    credits = (folder / "README.md").read_text()
    assert all(f"`{name}`" in credits for name in listed)

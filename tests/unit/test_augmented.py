"""Augmented pictures are those that training makes."""

import pytest
import torch

from cnnlab import augmented, datasets
from cnnlab.datasets.augment import Augment
from cnnlab.errors import DatasetError
from cnnlab.experiments import EXPERIMENTS
from cnnlab.training import RunConfig
from cnnlab.training.subset import subset
from cnnlab.training.trainer import Trainer

ALL = Augment(flip=True, crop=True, color=True)
CONFIG = RunConfig(network="lenet", dataset="shapes", train_size=64, image_size=32, augment=ALL)


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return augmented.first_pictures("shapes", 4)


def test_they_belong_to_every_runs_training_pictures(pictures: torch.Tensor) -> None:
    data = datasets.load("shapes")
    for size in (8, 64, None):
        trainer = Trainer(CONFIG.replace(train_size=size, batch_size=8), data, torch.float32)
        assert torch.equal(data.train_images[trainer.subset[:4]], pictures)


@pytest.mark.parametrize("size", [1, 10, 12_000])
def test_a_larger_subset_begins_with_the_smaller_one(size: int) -> None:
    found = subset(12_000, size)
    assert len(found) == len(set(found.tolist())) == size
    assert torch.equal(found, subset(12_000, 12_000)[:size])


def test_training_makes_the_same_of_the_same_draws(pictures: torch.Tensor) -> None:
    trainer = Trainer(CONFIG.replace(batch_size=8), datasets.load("shapes"), torch.float32)
    expected = torch.stack([trainer.pictures(pictures, ALL) for _ in range(3)], 1)
    assert torch.equal(augmented.as_trained(CONFIG, pictures, 3), expected)


def test_every_epoch_differs_unless_nothing_is_changed(pictures: torch.Tensor) -> None:
    seen = augmented.as_trained(CONFIG, pictures, 5)
    assert seen.shape == (4, 5, 3, 32, 32)
    assert len({tuple(seen[0, epoch].flatten().tolist()) for epoch in range(5)}) == 5
    plain = augmented.as_trained(CONFIG.replace(augment=Augment()), pictures, 5)
    assert torch.equal(plain, plain[:, :1].expand_as(plain))


def test_a_flip_alone_mirrors_some_and_leaves_the_others(pictures: torch.Tensor) -> None:
    only = CONFIG.replace(augment=Augment(flip=True))
    plain = augmented.as_trained(CONFIG.replace(augment=Augment()), pictures, 8)
    seen = augmented.as_trained(only, pictures, 8)
    same, mirrored = (seen == plain).all((2, 3, 4)), (seen == plain.flip(-1)).all((2, 3, 4))
    assert (same | mirrored).all()
    assert same.any()
    assert mirrored.any()


def test_the_arms_of_one_experiment_see_their_pictures_differently() -> None:
    found = {
        name: [one.config(arm) for arm in one.arms]
        for name, one in EXPERIMENTS.items()
        if augmented.differ(one.config(arm) for arm in one.arms)
    }
    assert list(found) == ["augmentation-gap"]
    # Every change by itself, all of them, and none.
    assert {config.augment for config in found["augmentation-gap"]} == {
        *(ALL, Augment()),
        *(Augment(**{name: True}) for name in Augment.model_fields),
    }


def test_a_set_that_there_is_not() -> None:
    with pytest.raises(DatasetError, match="There is no data set 'cats'"):
        augmented.first_pictures("cats", 2)

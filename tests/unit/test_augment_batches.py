"""Augmentation over whole batches: what repeats, what differs, and each change on its own scale."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cnnlab.datasets.augment import JITTER, LARGEST_SHIFT, Augment, prepare

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
FLIP, CROP, COLOR = Augment(flip=True), Augment(crop=True), Augment(color=True)
ALL = Augment(flip=True, crop=True, color=True)


def prepared(images: Tensor, size: int, augment: Augment, seed: int = 0) -> Tensor:
    return prepare(images, size, augment, torch.Generator(images.device).manual_seed(seed))


def copies(count: int, device: str = "cpu") -> Tensor:
    """One picture many times: every difference afterwards was drawn for that picture alone."""
    random = torch.Generator().manual_seed(0)
    one = torch.randint(0, 256, (1, 3, 24, 24), generator=random, dtype=torch.uint8)
    return one.to(device).expand(count, -1, -1, -1)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("augment", "kinds"), [(FLIP, 2), (CROP, 25), (COLOR, 60), (ALL, 60)])
def test_pictures_differ_on_the_device_and_another_seed_differs(
    augment: Augment, kinds: int, device: str
) -> None:
    x = prepared(copies(64, device), 24, augment)
    # 7 x 7 shifts give 36 different ones or so in 64 draws.
    assert len({picture.cpu().numpy().tobytes() for picture in x}) >= kinds
    assert torch.equal(x, prepared(copies(64, device), 24, augment))
    assert not torch.equal(x, prepared(copies(64, device), 24, augment, seed=1))


def test_the_next_batch_is_changed_in_another_way() -> None:
    random = torch.Generator().manual_seed(0)
    first, second = (prepare(copies(16), 24, ALL, random) for _ in range(2))
    assert not torch.equal(first, second)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31 - 1))
def test_flipping_twice_with_the_same_draws_changes_nothing(seed: int) -> None:
    once = prepared(copies(8), 24, FLIP, seed)
    twice = prepared((once * 255).round().to(torch.uint8), 24, FLIP, seed)
    assert torch.equal(twice, copies(8) / 255)


@settings(max_examples=20, deadline=None)
@given(side=st.integers(1, 40), seed=st.integers(0, 2**31 - 1))
def test_a_crop_keeps_the_size_and_the_middle(side: int, seed: int) -> None:
    white = torch.full((4, 1, side, side), 255, dtype=torch.uint8)
    x = prepared(white, side, CROP, seed)
    most = max(1, round(side * LARGEST_SHIFT))
    assert x.shape == white.shape
    assert (x[..., most : side - most, most : side - most] == 1).all()


def test_contrast_is_changed_around_the_mean() -> None:
    # Near the middle of the range, so that nothing is cut off at 0 or 1.
    one = torch.full((1, 1, 8, 8), 100, dtype=torch.uint8)
    one[..., :4] = 120
    x = prepared(one.expand(500, -1, -1, -1), 8, COLOR)
    # Brightness scales difference and mean alike; what is left is contrast.
    contrast = (x[..., 0] - x[..., 7]).mean((1, 2)) / x.mean((1, 2, 3)) / (20 / 110)
    assert contrast.min() == pytest.approx(1 - JITTER, abs=0.02)
    assert contrast.max() == pytest.approx(1 + JITTER, abs=0.02)


def test_shrinking_averages_instead_of_dropping_pixels() -> None:
    lines = torch.zeros(1, 1, 64, 64, dtype=torch.uint8)
    lines[..., ::2] = 255
    inner = prepared(lines, 16, Augment())[..., 2:-2]
    assert inner.mean().item() == pytest.approx(0.5, abs=0.01)
    assert inner.std() < 0.05  # without averaging the lines would turn black or white


def test_a_picture_that_is_not_square_becomes_square() -> None:
    wide = torch.zeros(2, 3, 20, 32, dtype=torch.uint8)
    assert prepared(wide, 32, Augment()).shape == (2, 3, 32, 32)


def test_the_choice_survives_json_and_cannot_be_changed() -> None:
    assert Augment.from_json(ALL.model_dump_json()) == ALL
    with pytest.raises(ValueError, match="frozen"):
        ALL.flip = False  # type: ignore[misc]

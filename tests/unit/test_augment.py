"""Resizing and augmentation: properties of every picture, and of whole batches."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import interpolate, pad

from cnnlab.datasets.augment import JITTER, LARGEST_SHIFT, Augment, flip, jitter, prepare, shift
from cnnlab.errors import ConfigError

ONE_EACH = [Augment(flip=True), Augment(crop=True), Augment(color=True)]
AUGMENTS = st.builds(Augment, flip=st.booleans(), crop=st.booleans(), color=st.booleans())
SEEDS = st.integers(0, 2**31 - 1)
quickly = settings(deadline=None, max_examples=30)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@st.composite
def pictures(draw: st.DrawFn) -> Tensor:
    """A batch of random bytes, some of them all black or all white."""
    shape = (
        draw(st.integers(1, 5)),
        draw(st.sampled_from([1, 3])),
        *[draw(st.integers(8, 40))] * 2,
    )
    low, high = draw(st.sampled_from([(0, 256), (0, 1), (255, 256), (250, 256)]))
    random = generator(draw(SEEDS))
    return torch.randint(low, high, shape, dtype=torch.uint8, generator=random)


@quickly
@given(images=pictures(), size=st.integers(8, 48), augment=AUGMENTS, seed=SEEDS)
def test_numbers_from_0_to_1_in_the_size_asked_for(
    images: Tensor, size: int, augment: Augment, seed: int
) -> None:
    before = images.clone()
    x = prepare(images, size, augment, generator(seed))
    assert x.shape == (*images.shape[:2], size, size)
    assert x.dtype == torch.float32
    # Weights of the resizing sum to 1 but for rounding.
    assert x.min() >= -1e-6
    assert x.max() <= 1 + 1e-6
    assert torch.equal(images, before)


@quickly
@given(images=pictures(), size=st.integers(8, 48), augment=AUGMENTS, seed=SEEDS)
def test_same_seed_same_changes(images: Tensor, size: int, augment: Augment, seed: int) -> None:
    once, again = (prepare(images, size, augment, generator(seed)) for _ in range(2))
    assert torch.equal(once, again)


@quickly
@given(images=pictures(), size=st.integers(8, 48))
def test_without_augmentation_only_the_size_changes(images: Tensor, size: int) -> None:
    random = generator()
    state = random.get_state()
    x = prepare(images, size, Augment(), random)
    side = images.shape[-1]
    expected = images.float() / 255
    if size != side:
        expected = interpolate(expected, (size, size), mode="bilinear", antialias=size < side)
    assert torch.equal(x, expected)
    assert torch.equal(random.get_state(), state)


@quickly
@given(images=pictures(), seed=SEEDS)
def test_a_flip_gives_the_picture_or_its_mirror_image(images: Tensor, seed: int) -> None:
    x = images.float()
    for original, flipped in zip(x, flip(x, generator(seed)), strict=True):
        assert torch.equal(flipped, original) or torch.equal(flipped, original.flip(-1))


@quickly
@given(images=pictures(), seed=SEEDS)
def test_a_symmetric_picture_is_its_own_flip(images: Tensor, seed: int) -> None:
    symmetric = torch.cat((images, images.flip(-1)), dim=-1).float()
    assert torch.equal(flip(symmetric, generator(seed)), symmetric)


def test_about_half_are_flipped() -> None:
    x = torch.tensor([0.0, 1.0]).expand(1000, 1, 1, 2)
    assert 430 < flip(x, generator())[:, 0, 0, 0].sum() < 570


def offsets(original: Tensor, shifted: Tensor, most: int) -> list[tuple[int, int]]:
    """All (down, right) by which the picture was moved, zeros coming in."""
    side = original.shape[-1]
    around = pad(original, (most,) * 4)
    return [
        (most - top, most - left)
        for top in range(2 * most + 1)
        for left in range(2 * most + 1)
        if torch.equal(around[:, top : top + side, left : left + side], shifted)
    ]


@quickly
@given(side=st.integers(8, 24), channels=st.sampled_from([1, 3]), seed=SEEDS)
def test_a_shift_moves_whole_pixels_and_brings_zeros_in(
    side: int, channels: int, seed: int
) -> None:
    x = torch.rand(4, channels, side, side, generator=generator(seed)) + 0.1
    for original, shifted in zip(x, shift(x, generator(seed)), strict=True):
        assert len(offsets(original, shifted, most=max(1, round(side / 8)))) == 1


def test_every_offset_up_to_an_eighth_of_the_side_comes() -> None:
    x = torch.rand(1, 1, 16, 16, generator=generator()).expand(400, -1, -1, -1)
    seen = {offsets(x[0], shifted, most=2)[0] for shifted in shift(x, generator())}
    assert seen == {(down, right) for down in range(-2, 3) for right in range(-2, 3)}


@pytest.mark.parametrize("channels", [1, 3])
def test_brightness_changes_by_the_factor_announced(channels: int) -> None:
    grey = torch.full((500, channels, 4, 4), 0.5)
    # A grey picture of one tone has neither contrast nor saturation to change.
    factors = jitter(grey, generator()) / 0.5
    assert factors.min() == pytest.approx(1 - JITTER, abs=0.02)
    assert factors.max() == pytest.approx(1 + JITTER, abs=0.02)
    assert (factors.flatten(1).std(1) < 1e-6).all()


def test_colour_pictures_change_their_saturation_and_grey_ones_stay_grey() -> None:
    grey = torch.rand(8, 1, 6, 6, generator=generator()).expand(-1, 3, -1, -1)
    changed = jitter(grey, generator())
    assert torch.allclose(changed[:, 0], changed[:, 1], atol=1e-5)
    # Of one colour, so that contrast does nothing: red over green is changed by saturation only.
    red = torch.tensor([0.6, 0.3, 0.3]).view(1, 3, 1, 1).expand(64, 3, 4, 4)
    mean = red.mean()
    changed = jitter(red, generator())
    ratio = (changed[:, 0] - changed[:, 1]) / changed.mean((1, 2, 3))[:, None, None]
    assert ratio.std() > 0.01
    assert mean > 0


@pytest.mark.parametrize("augment", ONE_EACH, ids=["flip", "crop", "color"])
def test_every_picture_of_a_batch_is_changed_in_its_own_way(augment: Augment) -> None:
    one = torch.randint(0, 256, (1, 3, 16, 16), dtype=torch.uint8, generator=generator())
    x = prepare(one.expand(32, -1, -1, -1), 16, augment, generator())
    kinds = len({picture.numpy().tobytes() for picture in x})
    assert kinds == 2 if augment.flip else kinds > 10


def test_an_unknown_change_is_named() -> None:
    with pytest.raises(ConfigError, match="turn: there is no such field"):
        Augment.from_json('{"turn": true}')


# Whole batches

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


@quickly
@given(seed=SEEDS)
def test_flipping_twice_with_the_same_draws_changes_nothing(seed: int) -> None:
    once = prepared(copies(8), 24, FLIP, seed)
    twice = prepared((once * 255).round().to(torch.uint8), 24, FLIP, seed)
    assert torch.equal(twice, copies(8) / 255)


@quickly
@given(side=st.integers(1, 40), seed=SEEDS)
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

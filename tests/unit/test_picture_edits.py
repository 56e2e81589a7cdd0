"""Edits of a picture: what each does, that nothing is done unasked, and the bounds."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cnnlab.errors import ConfigError
from cnnlab.images import to_batch
from cnnlab.picture_edits import BOUNDS, COVER, Edits, edited

SIZE = 32


def random_picture(width: int = 48, height: int = 40) -> Image.Image:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def pixels(picture: Image.Image, size: int = SIZE, **changes: Any) -> np.ndarray:
    return np.asarray(edited(picture, Edits(**changes), size), np.int64)


def test_left_alone_it_is_what_the_network_saw_before() -> None:
    picture = random_picture()
    assert Edits().changed == ()
    seen = to_batch(edited(picture, Edits(), SIZE), SIZE, 3)
    assert (seen == to_batch(picture, SIZE, 3)).all()


def test_a_quarter_turn_moves_every_pixel_to_its_place() -> None:
    picture = random_picture(SIZE, SIZE)
    assert (pixels(picture, rotate=90) == np.rot90(pixels(picture))).all()
    assert (pixels(picture, rotate=-180) == np.rot90(pixels(picture), 2)).all()


def test_a_shift_moves_and_black_comes_in() -> None:
    picture = random_picture(SIZE, SIZE)
    plain, moved = pixels(picture), pixels(picture, right=25, down=-12.5)
    assert (moved[: SIZE - 4, 8:] == plain[4:, : SIZE - 8]).all()
    assert (moved[:, :8] == 0).all()
    assert (moved[SIZE - 4 :] == 0).all()


def test_a_crop_is_the_middle_enlarged() -> None:
    picture = random_picture(64, 64)
    middle = picture.crop((16, 16, 48, 48))
    assert abs(pixels(picture, crop=50) - np.asarray(middle, np.int64)).mean() < 1


def test_blur_flattens_and_keeps_the_mean() -> None:
    plain, blurred = pixels(random_picture()), pixels(random_picture(), blur=5)
    assert blurred.std() < plain.std() / 2
    assert blurred.mean() == pytest.approx(plain.mean(), abs=3)


def test_noise_is_as_strong_as_said_and_the_same_each_time() -> None:
    grey = Image.new("RGB", (SIZE, SIZE), (128, 128, 128))
    noisy = pixels(grey, 128, noise=10)
    assert noisy.std() == pytest.approx(25.5, rel=0.03)
    assert (noisy == pixels(grey, 128, noise=10)).all()
    assert (noisy[..., 0] == noisy[..., 1]).all()


def test_a_square_covers_where_it_lies_and_nothing_else() -> None:
    picture = random_picture(SIZE, SIZE)
    plain = pixels(picture)
    found = pixels(picture, cover=25, cover_x=75, cover_y=25)
    inside = np.zeros((SIZE, SIZE), bool)
    inside[4:12, 20:28] = True
    assert (found[inside] == COVER).all()
    assert (found[~inside] == plain[~inside]).all()
    # Half of it lies beyond the corner.
    corner = pixels(picture, cover=25, cover_x=0, cover_y=0)
    assert (corner[:4, :4] == COVER).all()
    assert (corner[4:] == plain[4:]).all()


def test_invert_and_grey() -> None:
    picture = random_picture(SIZE, SIZE)
    assert (pixels(picture, invert=True) == 255 - pixels(picture)).all()
    grey = pixels(picture, grey=True)
    assert (grey == grey[..., :1]).all()
    assert (grey[..., 0] == np.asarray(picture.convert("L"))).all()


def test_where_a_square_would_lie_is_no_edit() -> None:
    assert Edits(cover_x=10).changed == ()
    assert Edits(cover=5, cover_x=10, blur=1).changed == ("blur", "cover", "cover_x")


@pytest.mark.parametrize("name", BOUNDS)
def test_what_is_out_of_bounds_is_said_to_be(name: str) -> None:
    low, high = BOUNDS[name]
    for value in (low - 1, high + 1, float("nan")):
        with pytest.raises(ConfigError, match=f"{name}: .* can be from"):
            Edits(**{name: value})  # type: ignore[arg-type]


EVERY_EDIT = st.builds(
    Edits,
    **{name: st.floats(*bounds) for name, bounds in BOUNDS.items()},
    invert=st.booleans(),
    grey=st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(edits=EVERY_EDIT, size=st.sampled_from([8, 31, 96]), wide=st.integers(1, 200))
def test_every_edit_of_every_picture_gives_a_square(edits: Edits, size: int, wide: int) -> None:
    found = edited(random_picture(wide, 40), edits, size)
    assert found.size == (size, size)
    assert found.mode == "RGB"


def test_every_number_has_bounds() -> None:
    assert {one.name for one in fields(Edits) if not isinstance(one.default, bool)} == set(BOUNDS)

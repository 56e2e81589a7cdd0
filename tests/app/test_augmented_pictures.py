"""Training pictures as the arms of an experiment see them, and the next run."""

import dataclasses

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab import datasets
from cnnlab.datasets import DATASETS
from cnnlab.datasets.dataset import State
from cnnlab.errors import DatasetError
from cnnlab.runs.store import RunStore
from pages.components import augmented_pictures
from tests.app.conftest import Open
from tests.app.runs_page import ME

CARD = {"experiment_choice": "augmentation-gap"}
ARMS = ["all three", "flips", "shifts", "brightness", "none"]


@pytest.fixture(autouse=True)
def nothing_predicted(store: RunStore) -> None:
    store.predictions.forget(ME, "augmentation-gap")


def captions(app: AppTest) -> list[str]:
    assert not app.exception, [box.value for box in app.exception]
    return [str(picture.proto.imgs[0].caption) for picture in app.image]


def test_the_card_shows_every_arm_before_the_prediction_and_after(
    open_page: Open, store: RunStore
) -> None:
    app = open_page("alexnet", "Experiments", **CARD)
    assert captions(app) == ARMS
    store.predictions.predict(ME, "augmentation-gap", "first")
    assert captions(app.run()) == ARMS


def test_other_cards_have_no_pictures(open_page: Open) -> None:
    app = open_page("alexnet", "Experiments", experiment_choice="dropout-gap")
    assert captions(app) == []


def test_train_shows_them_where_the_knob_is_on(open_page: Open) -> None:
    assert captions(open_page("alexnet", "Train")) == []
    app = open_page("alexnet", "Train", link={"flip": "true"})
    assert captions(app) == ["2 training pictures in 4 epochs"]


def test_pictures_that_are_not_here_are_not_shown(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = dataclasses.replace(
        DATASETS["shapes"], state=lambda: State("not downloaded", "Not here.")
    )
    monkeypatch.setitem(DATASETS, "shapes", absent)
    app = open_page("alexnet", "Train", link={"flip": "true"})
    assert captions(app) == []


def test_damaged_pictures_are_told(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> None:
        raise DatasetError(f"{name} is damaged. Delete it.")

    augmented_pictures._first_pictures.clear()
    augmented_pictures._strip.clear()
    monkeypatch.setattr(datasets, "load", load)
    app = open_page("alexnet", "Train", link={"flip": "true"})
    assert captions(app) == []
    assert "shapes is damaged. Delete it." in [box.value for box in app.caption]


def test_grey_pictures_and_coloured_ones_are_laid_out_alike() -> None:
    for channels in (1, 3):
        seen = augmented_pictures.laid_out(
            datasets.load("shapes").train_images[:6].reshape(2, 3, 3, 64, 64)[:, :, :channels] / 255
        )
        assert seen.size == (3 * 64 + 2 * 2, 2 * 64 + 2)
        opaque = seen.getchannel("A")
        assert opaque.getpixel((64, 0)) == 0, "the page shows through"
        assert opaque.getpixel((63, 63)) == 255

"""ImageNet weights in the Feature maps view: offered, missed, refused, used."""

import re
from pathlib import Path

import pytest
import torch
from torchvision.models import get_model

from cnnlab.checkpoints import imagenet
from cnnlab.errors import WeightsError
from tests.app.conftest import Open
from tests.app.maps_page import alts, fine, texts

CHOSEN = "imagenet-resnet18"


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path))


def test_weights_that_are_not_here_are_offered_and_the_view_works(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object) -> None:
        raise WeightsError("The ImageNet weights could not be downloaded.")

    monkeypatch.setattr(imagenet, "fetch", offline)
    app = open_page("resnet", "Feature maps", weights=CHOSEN)
    assert fine(app)
    assert app.button(key="imagenet_download").label == "Download 47 MB"
    app.button(key="imagenet_download").click().run()
    assert not app.exception
    assert [box.value for box in app.error] == ["The ImageNet weights could not be downloaded."]
    assert "the network sees" in " ".join(alts(app))


def test_weights_that_are_here_name_what_they_see(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imagenet, "_is_right", lambda *_: True)
    asked = imagenet.published("resnet", "resnet18")
    asked.path.parent.mkdir(parents=True)
    torch.manual_seed(0)
    torch.save(get_model("resnet18", weights=None).state_dict(), asked.path)
    taken = ("stem.conv", 5, 7)
    app = open_page("resnet", "Feature maps", weights=CHOSEN, layer="stem.conv", value_taken=taken)
    assert fine(app)
    assert re.search(r"channel \d+, row 5, column 7", texts(app))
    assert "69.8% of ImageNet's validation pictures right" in texts(app)
    assert alts(app)[:2] == ["Original: cat", "What the network sees: 224×224 pixels of cat"]
    shares = app.dataframe[-1].value
    assert list(shares["Class"]) == list(asked.class_names)
    best = shares["Class"][shares["Share"].idxmax()]
    assert any(box.value.startswith(f"It says **{best}**") for box in app.markdown)

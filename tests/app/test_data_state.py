"""A data set that is damaged: the page says so and gets it again on request."""

from pathlib import Path

import pytest

from cnnlab.datasets import fashion_mnist
from tests.app.conftest import Open
from tests.mirror import serving_small_sets


def test_a_damaged_set_is_downloaded_again_by_a_button(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving_small_sets(monkeypatch, tmp_path):
        fashion_mnist.load()
        images = fashion_mnist.raw_folder() / "train-images-idx3-ubyte"
        images.write_bytes(b"some of it")
        app = open_page("alexnet", "Train", {"dataset": "fashion_mnist"})
        assert any("Fashion-MNIST is damaged" in box.value for box in app.warning)
        (button,) = [b for b in app.button if b.label == "Download Fashion-MNIST again"]
        button.click().run()
        assert not app.exception
        assert not any("damaged" in box.value for box in app.warning)
        assert "Start" in [b.label for b in app.button]

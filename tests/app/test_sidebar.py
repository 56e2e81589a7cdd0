"""What the sidebar says of the machine."""

import pytest

from cnnlab import gpus
from tests.app.conftest import Open


def test_a_gpu_that_cannot_be_used_is_named_with_the_reason_and_the_page_works(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = gpus.Gpu(name="cuda:0", title="Tesla K40", problem="its driver is too old")
    monkeypatch.setattr(gpus, "tried", lambda: (broken,))
    app = open_page("alexnet", "Train")
    said = [caption.value for caption in app.sidebar.caption]
    assert any("Tesla K40 is not used: its driver is too old." in text for text in said)
    assert any("CPU" in text for text in said)
    assert not app.exception
    (device,) = [box for box in app.selectbox if box.label == "Device"]
    assert device.options[0] == "Auto"
    assert [option[:4] for option in device.options[1:]] == ["CPU,"]

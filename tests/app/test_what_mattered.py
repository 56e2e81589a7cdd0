"""What mattered, and the pictures that excite a channel: folded, opened, and refused."""

import sys

import pytest
import torch
from streamlit.testing.v1 import AppTest

from cnnlab import catalog, datasets
from cnnlab.datasets import State
from cnnlab.explain import attribution, exciting
from cnnlab.explain.overlay import FOR
from cnnlab.runs.store import RunStore
from pages.components import exciting_pictures, what_mattered
from pages.components.maps_cache import Weights
from tests.app.conftest import Open
from tests.app.maps_page import add_trained, alts, fine, texts


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    what_mattered.maps.clear()
    exciting_pictures.kept.clear()


def opened(open_page: Open, slug: str = "batch_norm", **widgets: object) -> AppTest:
    return open_page(slug, "Feature maps", mattered__open=True, **widgets)


def map_alts(app: AppTest) -> list[str]:
    titles = tuple(method.title for method in attribution.METHODS.values())
    return [alt for alt in alts(app) if alt.startswith((*titles, "The same under random"))]


def test_folded_it_computes_nothing(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("this is folded")

    monkeypatch.setattr(attribution, "attribute", refuse)
    monkeypatch.setattr(exciting, "most_exciting", refuse)
    assert fine(open_page("batch_norm", "Feature maps"))


def test_every_method_and_the_same_under_random_weights(open_page: Open) -> None:
    app = opened(open_page)
    assert fine(app)
    for name, method in attribution.METHODS.items():
        app.segmented_control(key="mattered.method").set_value(name).run()
        assert fine(app)
        (alt,) = map_alts(app)
        assert alt.startswith(f"{method.title} for ")
        assert f"million multiplications · {method.source}" in texts(app)
        assert "**It does not say:**" in texts(app)
    app.toggle(key="mattered.sanity").set_value(True).run()
    assert fine(app)
    assert len(map_alts(app)) == 2
    assert "Rank correlation of the two maps" in texts(app)


def test_any_class_can_be_asked_about(open_page: Open) -> None:
    app = opened(open_page, weights="fresh", mattered__class=7)
    assert map_alts(app)[0].startswith("Grad-CAM for class 7: ")


def test_a_class_that_this_network_does_not_have_is_forgotten(open_page: Open) -> None:
    app = opened(open_page, mattered__class=500)
    assert fine(app)
    assert app.selectbox(key="mattered.class").value == -1


def test_classes_have_the_names_that_were_learned(open_page: Open, store: RunStore) -> None:
    run = add_trained(store, "Mine", 0.5)
    app = opened(open_page, weights=run)
    assert fine(app)
    options = app.selectbox(key="mattered.class").options
    assert options[0].startswith("The one that it names: ")
    assert options[1:] == list(datasets.DATASETS["shapes"].class_names)


def test_a_network_that_is_too_large_is_refused_with_a_sentence(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attribution, "MOST_MACS", 1000)
    app = opened(open_page)
    assert not app.exception
    assert "Choose another method, a narrower network or a smaller input" in app.error[0].value


def test_without_captum_the_page_works(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    attribution.captum.cache_clear()
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    app = opened(open_page)
    attribution.captum.cache_clear()
    assert not app.exception
    assert [error.value for error in app.error] == [
        "These maps are computed by captum, which is not installed here. Install it with "
        "`pip install captum` and start the app again."
    ]


def test_a_network_without_its_head_names_no_class(open_page: Open) -> None:
    app = opened(open_page, "vgg", weights="fresh")
    assert fine(app)
    assert "there is no class to ask about" in texts(app)


def test_pictures_that_excite_a_channel(open_page: Open, store: RunStore) -> None:
    run = add_trained(store, "Mine", 0.5)
    app = open_page("batch_norm", "Feature maps", exciting__open=True, weights=run, channel=1)
    assert fine(app)
    (alt,) = [alt for alt in alts(app) if "test pictures" in alt]
    assert alt.startswith("The 9 of 500 test pictures that excite channel 1 of ")
    assert alt.count(", ") == 8
    computed = exciting_pictures.kept().used_bytes
    app.slider(key="channel").set_value(2).run()
    assert fine(app)
    assert exciting_pictures.kept().used_bytes == computed


def test_the_frame_is_what_the_value_sees() -> None:
    weights = Weights("lenet", catalog.network("lenet").preset("small"), 32)
    # A kernel of 5×5 with 2 pixels of padding: in the corner 3×3 of it see the picture.
    corner, middle = exciting_pictures.seen(weights, "conv1", 0, [[0, 0], [16, 16]])
    assert tuple(corner) == (0, 3 / 32, 0, 3 / 32)
    assert tuple(middle) == (14 / 32, 19 / 32, 14 / 32, 19 / 32)
    drawn = exciting_pictures.tiled(torch.zeros(2, 1, 28, 28, dtype=torch.uint8), [corner, middle])
    orange = (drawn == FOR).all(-1)
    assert orange[:9, :9].sum() == 9 * 9 - 5 * 5
    assert orange[:96, :96].sum() == 9 * 9 - 5 * 5
    assert orange[42:57, 142:157].sum() == 15 * 15 - 11 * 11
    assert orange.sum() == 9 * 9 - 5 * 5 + 15 * 15 - 11 * 11


def test_fresh_weights_without_pictures_of_their_kind(open_page: Open) -> None:
    app = open_page("batch_norm", "Feature maps", exciting__open=True, weights="fresh")
    assert fine(app)
    assert "There are no test pictures here with 1 channels" in texts(app)


def test_pictures_that_are_gone(
    open_page: Open, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = add_trained(store, "Mine", 0.5)
    monkeypatch.setattr(datasets, "state", lambda _: State("not downloaded", "Gone."))
    app = open_page("batch_norm", "Feature maps", exciting__open=True, weights=run)
    assert fine(app)
    assert "There are no test pictures here" in texts(app)

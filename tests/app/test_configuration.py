"""One configuration a page: in every view, and in the link."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from torch import nn

from cnnlab.catalog import NETWORKS, SECTIONS
from cnnlab.configuration import Configuration
from cnnlab.training import RunConfig
from pages.components import configuration, knobs, links
from pages.components.markdown import escaped
from pages.components.section import VIEWS
from tests.app.conftest import Open


def in_view(app: AppTest, view: str) -> AppTest:
    app.query_params["view"] = view
    app.session_state["view"] = view
    return app.run()


def value(app: AppTest, key: str) -> object:
    widget: Any = app.get_by_key(key)
    return widget.value


def chosen(app: AppTest, slug: str, network: str) -> Configuration:
    key = f"{slug}.{network}.configuration"
    spec = NETWORKS[network]
    if key not in app.session_state:
        return configuration.start(SECTIONS[slug], spec)
    found = app.session_state[key]
    assert isinstance(found, Configuration)
    return found


def test_a_knob_changed_in_one_view_is_changed_in_all(open_page: Open) -> None:
    app = open_page("resnet", "Architecture")
    app.selectbox(key="resnet.resnet.depth").set_value(34).run()
    in_view(app, "Feature maps")
    assert value(app, "resnet.resnet.depth") == 34
    app.selectbox(key="resnet.resnet.depth").set_value(10).run()
    in_view(app, "Train")
    assert value(app, "resnet.resnet.depth") == 10
    app.toggle(key="resnet.resnet.skip").set_value(False).run()
    app.selectbox(key="resnet.resnet.epochs").set_value("5").run()
    in_view(app, "Read")
    in_view(app, "Architecture")
    assert (value(app, "resnet.resnet.depth"), value(app, "resnet.resnet.skip")) == (10, False)
    in_view(app, "Train")
    assert value(app, "resnet.resnet.epochs") == "5"
    assert not [*app.exception, *app.error, *app.warning]


def test_the_address_says_what_differs_from_the_page(open_page: Open) -> None:
    app = open_page("vgg", "Train")
    assert app.query_params == {"view": "Train"}
    app.selectbox(key="vgg.vgg.batch_size").set_value("4").run()
    app.selectbox(key="vgg.vgg.lr").set_value("0.02").run()
    app.number_input(key="vgg.vgg.seed").set_value(7).run()
    changes = {"batch_size": "4", "lr": "0.02", "seed": "7"}
    assert app.query_params == {"view": "Train", **changes}
    in_view(app, "Architecture")
    assert app.query_params == {"view": "Architecture", **changes}
    app.selectbox(key="vgg.vgg.preset").set_value("vgg19").run()
    # The seed is no preset's.
    assert app.query_params == {"view": "Architecture", "preset": "vgg19", "seed": "7"}


@pytest.mark.parametrize("view", VIEWS)
def test_no_part_of_the_address_says_two_things(open_page: Open, view: str) -> None:
    """What a widget writes into the address by itself, the configuration must not write too."""
    app = open_page("resnet", view)
    bound = {getattr(element.proto, "query_param_key", "") for element in app.main}
    assert not bound & links.PARTS


def test_a_knob_is_no_word_of_the_maps(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps", weights="fresh")
    app.selectbox(key="resnet.resnet.order").set_value("pre-activation").run()
    assert app.query_params["order"] == "pre-activation"
    assert not [*app.exception, *app.error, *app.warning]


CHOICES = {
    "alexnet": Configuration("lenet", "d2l", {"pooling": "max", "batch_size": 2}, exact=True),
    "vgg": Configuration("vgg", "d2l_full", {"depth": 13, "train_size": 500}, exact=False),
    "batch_norm": Configuration("densenet", "small", {"layers": "2-2-2", "seed": 12345}),
    "resnet": Configuration(
        "resnet",
        "resnet34",
        {
            "precision": "float32",
            "device": "cpu",
            "weight_decay": 0.003,
            "flip": True,
            "image_size": 64,
            "epochs": 7,
            "schedule": "cosine",
        },
        exact=False,
    ),
}


@pytest.mark.parametrize("slug", CHOICES)
def test_a_link_restores_all_that_was_chosen(open_page: Open, slug: str) -> None:
    wanted = CHOICES[slug]
    app = open_page(slug, link=links.link(slug, "Train", wanted))
    assert not [*app.exception, *app.warning]
    assert chosen(app, slug, wanted.network) == wanted
    assert app.session_state["view"] == "Train"
    for name, setting in wanted.trained.values.items():
        if name not in ("in_channels", "num_classes"):
            shown = value(app, f"{slug}.{wanted.network}.{name}")
            assert shown in (setting, knobs.number(setting)), name
    # The address stays what it was.
    assert app.query_params == links.link(slug, "Train", wanted)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("epochs", "9000", "less than or equal to 200"),
        ("batch_size", "1", "greater than or equal to 2"),
        ("activation", "swish", "it can be relu"),
        ("preset", "d3l", "has no preset 'd3l'"),
        ("exact", "maybe", "it can be true or false"),
        ("growth_rate", "12", "has no setting 'growth_rate'"),
    ],
)
def test_a_part_of_a_link_that_cannot_be_is_answered(
    open_page: Open, name: str, text: str, said: str
) -> None:
    app = open_page("resnet", "Train", link={name: text, "seed": "5"})
    assert not [*app.exception, *app.error]
    (warning,) = [box.value for box in app.warning if "link" in box.value]
    assert escaped(said) in warning
    # The rest holds, and the address no longer asks for it.
    assert chosen(app, "resnet", "resnet").changes == {"seed": 5}
    assert app.query_params == {"view": "Train", "seed": "5"}
    app.toggle(key="resnet.resnet.skip").set_value(False).run()
    assert not [box for box in app.warning if "link" in box.value]


def test_what_is_typed_and_cannot_be_is_answered(open_page: Open) -> None:
    app = open_page("vgg", "Train")
    rate = app.selectbox(key="vgg.vgg.lr")
    # The browser sends what was typed; the test client knows only what is listed.
    rate.options += ["0.0123", "fast"]
    rate.set_value("0.0123").run()
    rate = app.selectbox(key="vgg.vgg.lr")
    assert rate.value == "0.0123"
    rate.options += ["fast"]
    rate.set_value("fast").run()
    assert not app.exception
    assert any(escaped("lr: 'fast' was given") in box.value for box in app.warning)
    assert value(app, "vgg.vgg.lr") == "0.0123"


def test_a_link_on_another_page_leaves_this_one_as_it_was(open_page: Open) -> None:
    app = open_page("vgg", "Architecture")
    app.selectbox(key="vgg.vgg.depth").set_value(16).run()
    app.query_params.clear()
    app.switch_page("pages/chapter/nin.py").run()
    app.slider(key="nin.nin.pointwise").set_value(4).run()
    assert app.query_params["pointwise"] == "4"
    app.query_params.clear()
    app.switch_page("pages/chapter/vgg.py").run()
    assert value(app, "vgg.vgg.depth") == 16
    assert app.query_params["depth"] == "16"


def test_another_network_on_a_page_has_its_own_knobs(open_page: Open) -> None:
    app = open_page("batch_norm", "Architecture")
    app.slider(key="batch_norm.lenet.kernel_size").set_value(3).run()
    app.selectbox(key="network").set_value("resnet").run()
    assert not [*app.exception, *app.warning]
    assert "kernel_size" not in app.query_params
    app.selectbox(key="network").set_value("lenet").run()
    assert value(app, "batch_norm.lenet.kernel_size") == 3
    assert app.query_params["kernel_size"] == "3"


@pytest.mark.parametrize("network", SECTIONS["batch_norm"].networks)
def test_batch_norm_is_on_where_the_page_is_about_it(open_page: Open, network: str) -> None:
    app = open_page("batch_norm", "Train", link={"network": NETWORKS[network].title})
    assert value(app, f"batch_norm.{network}.batch_norm") is True
    assert chosen(app, "batch_norm", network).run_config.options.model_dump()["batch_norm"] is True


def captions(app: AppTest) -> str:
    return " ".join(box.value for box in app.caption)


def test_a_preset_that_was_changed_says_so_and_can_be_taken_back(open_page: Open) -> None:
    app = open_page("resnet", "Architecture")
    preset = app.selectbox(key="resnet.resnet.preset")
    assert (preset.value, preset.options[0]) == ("d2l", "The book's")
    app.selectbox(key="resnet.resnet.depth").set_value(34).run()
    preset = app.selectbox(key="resnet.resnet.preset")
    assert preset.value == "The book's, changed"
    assert "Changed: depth 34." in captions(app)
    app.button(key="resnet.resnet.reset").click().run()
    assert app.selectbox(key="resnet.resnet.preset").value == "d2l"
    assert value(app, "resnet.resnet.depth") == 18
    # Choosing the preset again takes the changes back too.
    app.toggle(key="resnet.resnet.skip").set_value(False).run()
    app.selectbox(key="resnet.resnet.preset").set_value("d2l").run()
    assert value(app, "resnet.resnet.skip") is True
    assert not [*app.exception, *app.error]


def test_train_says_that_it_takes_a_stand_in_and_trains_the_network_itself_on_request(
    open_page: Open,
) -> None:
    app = open_page("alexnet", "Train", link={"dropout": "0.25"})
    assert app.selectbox(key="alexnet.alexnet.preset").value == "Quick stand-in, changed"
    small, whole = (
        Configuration("alexnet", preset, {"dropout": 0.25}).run_config
        for preset in ("small", "d2l")
    )
    thousands, millions = (
        sum(p.numel() for p in model_of(run).parameters()) / unit
        for run, unit in ((small, 1e3), (whole, 1e6))
    )
    sizes = f"{thousands:.3g} thousand parameters instead of {millions:.3g} million"
    assert sizes in captions(app)
    assert value(app, "alexnet.alexnet.dropout") == 0.25
    app.button(key="exact").click().run()
    assert chosen(app, "alexnet", "alexnet").run_config == whole
    assert value(app, "alexnet.alexnet.image_size") == 224
    assert "stand-in" not in captions(app)
    assert app.query_params["exact"] == "true"


def model_of(run: RunConfig) -> nn.Module:
    return NETWORKS[run.network].build(run.options, device="meta", image_size=run.image_size)


def test_the_books_under_train_sets_all_that_the_book_sets(open_page: Open) -> None:
    app = open_page("batch_norm", "Train", link={"batch_size": "4", "seed": "3"})
    app.selectbox(key="batch_norm.lenet.preset").set_value("d2l_bn").run()
    run = chosen(app, "batch_norm", "lenet").run_config
    assert run == Configuration("lenet", "d2l_bn", {"seed": 3}).run_config
    assert (run.lr, run.dataset, run.batch_size) == (1.0, "fashion_mnist", 256)
    # It is not on this machine, which is said instead of starting anything.
    assert any("Fashion-MNIST" in box.value for box in app.info)
    assert not [button for button in app.button if button.key == "start"]

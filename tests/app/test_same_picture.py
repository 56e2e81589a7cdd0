"""One picture through all networks, on the Compare page."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab import checkpoints
from cnnlab.catalog import NETWORKS
from pages.components import picture_choice
from tests.app.test_compare import open_compare, said, speeds  # noqa: F401  nothing is measured


def table(app: AppTest) -> str:
    found = [str(block.proto.body) for block in app.get("html")]
    return next(body for body in found if "One picture through all networks" in body)


def test_folded_it_computes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_choice, "choose", None)
    assert "Each row is one size" not in said(open_compare())


@pytest.mark.parametrize("dataset", ["shapes", "fashion_mnist"])
def test_every_network_that_has_learned_is_a_column_and_says_what_it_sees(dataset: str) -> None:
    app = open_compare(same__open=True, compare__dataset=dataset)
    assert "Each row is one size" in said(app)
    known = {one.network for one in checkpoints.shipped() if one.dataset == dataset}
    body = table(app)
    heads = re.findall(r'<th scope="col">(\w+)<br>.*?(It says [^<]+)', body)
    assert [title for title, _ in heads] == [
        spec.title for name, spec in NETWORKS.items() if name in known
    ]
    words = re.findall(r'alt="(.*?)"', body)
    assert len(words) > 2 * len(known)
    assert all("the four channels that vary most" in alt for alt in words)


def test_another_picture_is_another_table() -> None:
    app = open_compare(same__open=True)
    before = table(app)
    app.selectbox(key="sample").set_value("cat").run()
    assert table(app) != before


def test_where_nothing_was_learned_it_is_said() -> None:
    app = open_compare(same__open=True, compare__dataset="cifar10")
    assert "Choose another data set" in said(app)

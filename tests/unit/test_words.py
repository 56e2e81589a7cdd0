"""Names of fields and choices, as labels and inside sentences."""

import pytest
from pydantic import BaseModel, Field

from cnnlab.catalog import NETWORKS
from cnnlab.training.config import RunConfig
from cnnlab.words import inside, title, words


@pytest.mark.parametrize(
    ("label", "in_a_sentence"),
    [
        ("Learning rate", "learning rate"),
        ("Leaky ReLU", "leaky ReLU"),
        ("ReLU", "ReLU"),
        ("SGD", "SGD"),
        ("Adam", "Adam"),
        ("1×1 convolutions", "1×1 convolutions"),
        ("VGG-16", "VGG-16"),
        ("", ""),
    ],
)
def test_inside_a_sentence(label: str, in_a_sentence: str) -> None:
    assert inside(label) == in_a_sentence


def test_a_field_is_called_by_its_own_title() -> None:
    class Model(BaseModel):
        lr: float = 0.1
        hidden1: int = Field(3, title="Units of the first hidden layer")

    assert title(Model, "lr") == "Learning rate"
    assert title(Model, "hidden1") == "Units of the first hidden layer"


@pytest.mark.parametrize("name", NETWORKS)
def test_no_two_knobs_of_a_network_share_a_name(name: str) -> None:
    models = (NETWORKS[name].options, RunConfig)
    titles = [title(model, field) for model in models for field in model.model_fields]
    assert len(set(titles)) == len(titles)


def test_presets_named_after_their_depth() -> None:
    assert [words(name) for name in ("vgg16", "resnet50", "densenet121")] == [
        "VGG-16",
        "ResNet-50",
        "DenseNet-121",
    ]

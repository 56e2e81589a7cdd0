"""Names of fields and of their choices as a reader says them."""

import re

from pydantic import BaseModel

WORDS = {
    "batch_norm": "Batch norm",
    "lr": "Learning rate",
    "relu": "ReLU",
    "leaky_relu": "Leaky ReLU",
    "gelu": "GELU",
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "d2l": "The book's",
    "d2l_bn": "The book's, with batch norm",
    "d2l_full": "The book's, full width",
    "torchvision": "torchvision's",
    "pointwise": "1×1 convolutions",
    "stem_kernel_size": "First kernel size",
    "stem_stride": "First stride",
    "stem_padding": "First padding",
    "in_channels": "Input channels",
    "num_classes": "Classes",
    "channels1": "First channels",
    "channels2": "Second channels",
    "hidden1": "First hidden units",
    "hidden2": "Second hidden units",
    "hidden": "Hidden units",
    "skip": "Skip connections",
    "layers": "Layers per block",
    "adaptive_pool": "Adaptive pooling",
    "bias": "Biases",
    "init": "Initialization",
    "train_size": "Training pictures",
}
# Written with a capital also inside a sentence, though a small letter follows.
PROPER = ("ReLU", "Adam", "AdamW", "Xavier", "Kaiming")


def words(name: object) -> str:
    """A field's or choice's name as a reader says it."""
    text = str(name)
    if text in WORDS:
        return WORDS[text]
    if text.startswith(("vgg", "resnet", "densenet")) and text[-1].isdigit():
        return {"v": "VGG-", "r": "ResNet-", "d": "DenseNet-"}[text[0]] + text.lstrip("vgresntd")
    return re.sub(r"(?<=\d)x(?=\d)", "×", text).replace("_", " ").capitalize()


def title(model: type[BaseModel], name: str) -> str:
    """What a field is called: its own title, where it has one."""
    return model.model_fields[name].title or words(name)


def inside(text: str) -> str:
    """Words as they stand inside a sentence: "leaky ReLU", "learning rate", "SGD"."""
    if text in PROPER or not text[1:2].islower():
        return text
    return text[:1].lower() + text[1:]

"""Captions of blocks, by what is in them."""

from cnnlab.diagrams.wording import convolutions, square
from cnnlab.networks.densenet import DenseBlock
from cnnlab.networks.inception import Inception
from cnnlab.networks.nin import NiNBlock
from cnnlab.networks.vgg import VGGBlock


def of_vgg(block: VGGBlock) -> str:
    """What the convolutions keep and the pooling does not."""
    side = square(convolutions(block)[0].kernel_size)
    return (
        f"A {side} convolution with padding keeps height and width, the pooling at the end halves "
        "them."
    )


def of_nin(block: NiNBlock) -> str:
    """What follows the first convolution, and how far it sees."""
    _, *inner = convolutions(block)
    if not inner:
        return "Without 1×1 convolutions the block is one convolution, as in AlexNet."
    if inner[0].kernel_size != (1, 1):
        return (
            f"{square(inner[0].kernel_size)} convolutions stand in place of the 1×1: at every "
            "pixel they read its neighbours too."
        )
    return (
        "The 1×1 convolutions are a small fully-connected network, the same at every pixel: they "
        "read its channels and nothing beside it."
    )


def of_inception(block: Inception) -> str:
    """Which paths there are, and what a pooling without a reduction does."""
    paths = list(block.children())
    if len(paths) == 1:
        return "One path alone makes as many channels as the four would."
    said = "All paths read the same input; the concatenation puts their channels one after another."
    if all(convolutions(path) for path in paths):
        return said
    return f"{said} The pooling passes on every channel that it reads: the blocks grow."


def of_dense(block: DenseBlock) -> str:
    """What every layer reads, and what becomes of what it makes."""
    if block.join == "concatenate":
        return (
            "Every layer reads the channels of the input and of all layers before it, "
            "concatenated, and adds its own."
        )
    return (
        "What arrows bring together is added: every layer reads the sum of the input and of all "
        "layers before it, and makes as many channels."
    )

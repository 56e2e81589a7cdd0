"""Captions of blocks, by what is in them."""

from cnnlab.diagrams.wording import convolutions, square
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

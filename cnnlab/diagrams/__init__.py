"""Diagrams of the networks as Mermaid source, drawn from the trace of a model."""

from cnnlab.diagrams.drawings import block_diagram, network_diagram, norm_placement_diagram
from cnnlab.diagrams.figures import Figure, compared, figures

__all__ = [
    "Figure",
    "block_diagram",
    "compared",
    "figures",
    "network_diagram",
    "norm_placement_diagram",
]

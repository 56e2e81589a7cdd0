"""Checkpoints: networks that were trained for the course, so that nobody has to wait for one."""

from cnnlab.checkpoints.shipped import Shipped, find, load, shipped

__all__ = ["Shipped", "find", "load", "shipped"]

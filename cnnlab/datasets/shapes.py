"""`shapes`: ten classes of coloured, textured shapes on cluttered backgrounds, made on the spot.

A shape is the set of points where a signed distance function is negative (Quilez, "2D distance
functions"). All pictures of a class are drawn at once. Pixels are computed with sums, products,
square roots, minima and maxima only: IEEE 754 rounds these the same way everywhere, so the same
seed gives the same bytes on any machine with the same PyTorch.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from cnnlab.devices import usable_cores

SIZE = 64
# Small enough that the intermediate pictures stay in the processor's cache.
CHUNK = 20
# How hard the set is: docs/adr/0004-embedded-data-set.md says what was measured.
# Lengths are in half sides of the picture, colours and noise from 0 to 1.
SHAPE_SIZE = (0.35, 0.75)
DISTRACTORS = 3
DISTRACTOR_SIZE = (0.05, 0.2)
BAR_WIDTH = (0.0, 0.08)
SLANT = 0.5
PAPER, INK, CLUTTER = (0.0, 0.5), (0.5, 1.0), (0.0, 0.8)
NOISE = (0.1, 0.4)

Distance = Callable[[Tensor, Tensor], Tensor]


def circle(x: Tensor, y: Tensor) -> Tensor:
    return (x * x + y * y).sqrt() - 0.9


def square(x: Tensor, y: Tensor) -> Tensor:
    return torch.maximum(x.abs(), y.abs()) - 0.8


def regular_polygon(x: Tensor, y: Tensor, sides: int, inradius: float) -> Tensor:
    """The farthest of the half-planes that the sides bound."""
    distances = [
        x * math.cos(2 * math.pi * k / sides) + y * math.sin(2 * math.pi * k / sides)
        for k in range(sides)
    ]
    farthest = distances[0]
    for distance in distances[1:]:
        farthest = torch.maximum(farthest, distance)
    return farthest - inradius


def triangle(x: Tensor, y: Tensor) -> Tensor:
    return regular_polygon(x, y, sides=3, inradius=0.55)


def hexagon(x: Tensor, y: Tensor) -> Tensor:
    return regular_polygon(x, y, sides=6, inradius=0.85)


def star(x: Tensor, y: Tensor) -> Tensor:
    """Five points: a pentagram is where at least four of five half-planes agree."""
    planes = torch.stack(
        [
            x * math.cos(2 * math.pi * k / 5) + y * math.sin(2 * math.pi * k / 5) - 0.38
            for k in range(5)
        ]
    )
    return planes.topk(2, dim=0).values[1]


def cross(x: Tensor, y: Tensor) -> Tensor:
    across = torch.maximum(x.abs() - 0.95, y.abs() - 0.32)
    upright = torch.maximum(x.abs() - 0.32, y.abs() - 0.95)
    return torch.minimum(across, upright)


def ring(x: Tensor, y: Tensor) -> Tensor:
    return ((x * x + y * y).sqrt() - 0.7).abs() - 0.24


def heart(x: Tensor, y: Tensor) -> Tensor:
    """A square that stands on its corner, and a disc over each of its two upper sides."""
    x = x.abs()
    square = (x + (y - 0.1).abs() - 0.792) * 0.7071
    disc = ((x - 0.396) * (x - 0.396) + (y + 0.296) * (y + 0.296)).sqrt() - 0.56
    return torch.minimum(square, disc)


def crescent(x: Tensor, y: Tensor) -> Tensor:
    bite = ((x - 0.45) * (x - 0.45) + y * y).sqrt() - 0.75
    return torch.maximum((x * x + y * y).sqrt() - 0.95, -bite)


def dome(x: Tensor, y: Tensor) -> Tensor:
    return torch.maximum((x * x + y * y).sqrt() - 1.0, y - 0.15)


SHAPES: dict[str, Distance] = {
    shape.__name__: shape
    for shape in (circle, square, triangle, hexagon, star, cross, ring, heart, crescent, dome)
}


def render(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw `count` pictures, the classes balanced and in random order.

    Shape: uint8 (count, 3, 64, 64) and int64 (count,).
    """
    labels = torch.arange(count) % len(SHAPES)
    pictures = torch.empty(count, 3, SIZE, SIZE, dtype=torch.uint8)

    def draw_class(label: int) -> None:
        # Each class has random numbers of its own, so that it does not matter which is first.
        random = torch.Generator().manual_seed(seed * len(SHAPES) + label)
        distance = list(SHAPES.values())[label]
        for chunk in (labels == label).nonzero().squeeze(1).split(CHUNK):
            pictures[chunk] = draw(distance, len(chunk), random)

    # Two classes at once on one thread each are faster than one class on two threads.
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(
            usable_cores(), initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:
            list(pool.map(draw_class, range(len(SHAPES))))
    finally:
        torch.set_num_threads(threads)  # PyTorch gives new threads the last number that was set
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return pictures[order], labels[order]


def draw(distance: Distance, count: int, random: torch.Generator) -> Tensor:
    """Pictures of one shape, each with its own place, size, turn, colours, texture and clutter."""

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, 1, 1, generator=random)

    grid = torch.arange(SIZE, dtype=torch.float32) * (2 / SIZE) + (1 / SIZE - 1)
    x, y = grid.view(1, 1, SIZE), grid.view(1, SIZE, 1)

    paper, ink = uniform(*PAPER, 3), uniform(*INK, 3)
    slope = uniform(-0.25, 0.25, 3)
    canvas = paper + slope * (uniform(-1, 1) * x + uniform(-1, 1) * y)[:, None]
    for _ in range(DISTRACTORS):
        canvas = paint(canvas, blot(uniform, x, y), uniform(*CLUTTER, 3))

    size = uniform(*SHAPE_SIZE)
    u, v = Frame.random(uniform, size, SLANT).of(x, y)
    coverage = covered(distance(u, v) * size)
    canvas = paint(canvas, coverage, textured(uniform, ink, u, v))
    canvas = paint(canvas, bar(uniform, x, y), uniform(*CLUTTER, 3))

    noise = torch.rand(count, 1, SIZE, SIZE, generator=random) - 0.5
    canvas = canvas + noise * uniform(*NOISE, 3)
    return (canvas.clamp(0, 1) * 255 + 0.5).to(torch.uint8)


@dataclass(frozen=True)
class Frame:
    """Where a shape sits: its centre, its size and its turn, one per picture."""

    centre_x: Tensor
    centre_y: Tensor
    cosine: Tensor
    sine: Tensor

    @classmethod
    def random(
        cls,
        uniform: Callable[..., Tensor],
        size: Tensor,
        slant: float | None = None,
    ) -> "Frame":
        room = 1 - size
        cosine, sine = turn(uniform, slant)
        return cls(uniform(-1, 1) * room, uniform(-1, 1) * room, cosine / size, sine / size)

    def of(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates in the frame of the shape."""
        dx, dy = x - self.centre_x, y - self.centre_y
        return dx * self.cosine + dy * self.sine, dy * self.cosine - dx * self.sine


def turn(uniform: Callable[..., Tensor], slant: float | None = None) -> tuple[Tensor, Tensor]:
    """Cosine and sine of a random angle; with a slant, of one whose tangent is at most that.

    They come from a random point instead of the angle itself, which needs only a square root.
    """
    a, b = uniform(-1, 1), uniform(-1, 1)
    if slant is not None:
        a, b = torch.ones_like(a), b * slant
    length = (a * a + b * b).sqrt() + 1e-6
    return a / length, b / length


def covered(distance: Tensor) -> Tensor:
    """Share of each pixel inside the shape: a soft edge, one pixel wide."""
    return (0.5 - distance * (SIZE / 2)).clamp(0, 1)


def paint(canvas: Tensor, coverage: Tensor, colour: Tensor) -> Tensor:
    """Put a colour on the canvas where it is covered."""
    return (colour - canvas).mul_(coverage[:, None]).add_(canvas)


def blot(uniform: Callable[..., Tensor], x: Tensor, y: Tensor) -> Tensor:
    """A distractor: an ellipse or a box of any proportions."""
    size = uniform(*DISTRACTOR_SIZE)
    u, v = Frame.random(uniform, size).of(x, y)
    v = v * uniform(1.0, 4.0)
    round_ = (u * u + v * v).sqrt() - 1
    box = torch.maximum(u.abs(), v.abs()) - 1
    distance = torch.where(uniform(0, 1) > 0.5, round_, box)
    return covered(distance * size)


def bar(uniform: Callable[..., Tensor], x: Tensor, y: Tensor) -> Tensor:
    """An occluder: a thin bar across the picture, in front of everything."""
    cosine, sine = turn(uniform)
    distance = (x * cosine + y * sine - uniform(-0.6, 0.6)).abs() - uniform(*BAR_WIDTH)
    return covered(distance)


def textured(uniform: Callable[..., Tensor], ink: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """The ink, plain, striped or chequered."""
    frequency = uniform(1.0, 3.0)
    wave_u, wave_v = (u * frequency).frac().abs() - 0.5, (v * frequency).frac().abs() - 0.5
    kind = uniform(0, 1)
    stripes = (wave_u * 8).clamp(-1, 1)
    checks = (wave_u * wave_v * 32).clamp(-1, 1)
    pattern = torch.where(kind < 0.4, torch.zeros(()), torch.where(kind < 0.7, stripes, checks))
    return ink + pattern[:, None] * uniform(-0.35, 0.35, 3)

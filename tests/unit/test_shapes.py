"""The embedded data set: what is drawn, that it is always the same, and its file on disk."""

import pytest
import torch
from safetensors import SafetensorError

from cnnlab import datasets
from cnnlab.datasets import cache, shapes

# Points (x, y) of which the shape covers the first list and leaves out the second; y points down.
POINTS = {
    "circle": ([(0, 0), (0.6, 0.6), (0, -0.85)], [(0.7, 0.7), (0.95, 0)]),
    "square": ([(0.75, 0.75), (-0.75, 0.2)], [(0.85, 0), (0, -0.85)]),
    "triangle": ([(-1, 0), (0.5, 0.8), (0.5, -0.8)], [(0.6, 0), (-0.5, 0.9)]),
    "hexagon": ([(0.8, 0), (0.8, 0.4), (0, 0.95)], [(0.9, 0), (0, 1)]),
    "star": ([(0, 0), (1.1, 0), (0.34, 1.05)], [(-0.6, 0), (0.485, 0.353)]),
    "cross": ([(0.9, 0), (0, -0.9)], [(0.5, 0.5), (1, 0)]),
    "ring": ([(0.7, 0), (0, -0.5)], [(0, 0), (0.97, 0)]),
    "heart": ([(0, 0.5), (0.42, -0.3), (-0.42, -0.3)], [(0, -0.8), (0.8, 0.6), (0, 1)]),
    "crescent": ([(-0.8, 0), (0, 0.8)], [(0.45, 0), (-1, 0)]),
    "dome": ([(0, -0.5), (0.9, 0)], [(0, 0.3), (0, -1.1)]),
}


@pytest.mark.parametrize("name", shapes.SHAPES)
def test_a_shape_is_where_its_distance_is_negative(name: str) -> None:
    for points, sign in zip(POINTS[name], (-1, 1), strict=True):
        x, y = torch.tensor(points, dtype=torch.float32).T
        assert (shapes.SHAPES[name](x, y).sign() == sign).all()


def test_the_edge_is_half_covered() -> None:
    far_inside, edge, far_outside = shapes.covered(torch.tensor([-1.0, 0.0, 1.0])).tolist()
    assert (far_inside, edge, far_outside) == (1, 0.5, 0)


def test_pictures_and_labels() -> None:
    pictures, labels = shapes.render(43, seed=0)
    assert pictures.shape == (43, 3, 64, 64)
    assert (pictures.dtype, labels.dtype) == (torch.uint8, torch.int64)
    # Ten classes in 43 pictures: three classes have one more.
    assert torch.bincount(labels).tolist() == [5] * 3 + [4] * 7
    assert not torch.equal(labels, labels.sort().values)
    assert len({picture.numpy().tobytes() for picture in pictures}) == 43
    assert pictures.float().flatten(1).std(1).min() > 5


def test_the_shape_is_in_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without clutter, texture and noise, a circle of ink on paper is all there is."""
    monkeypatch.setattr(shapes, "DISTRACTORS", 0)
    monkeypatch.setattr(shapes, "NOISE", (0.0, 0.0))
    monkeypatch.setattr(shapes, "PAPER", (0.0, 0.0))
    monkeypatch.setattr(shapes, "SHAPE_SIZE", (0.5, 0.5))
    monkeypatch.setattr(shapes, "bar", lambda _uniform, x, y: torch.zeros_like(x * y))
    monkeypatch.setattr(shapes, "textured", lambda *_: torch.ones(4, 3, 1, 1))
    pictures = shapes.draw(shapes.circle, 4, torch.Generator().manual_seed(0))
    # Paper and its slope stay below half; a disc of radius 0.45 in a square of side 2.
    covered = (pictures > 180).float().mean((1, 2, 3))
    assert covered == pytest.approx(3.1416 * 0.45**2 / 4, rel=0.05)


def test_same_seed_same_bytes_with_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    drawn = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            monkeypatch.setattr(shapes, "usable_cores", lambda n=threads: n)
            drawn.append(shapes.render(30, seed=5))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    (pictures, labels), (again, labels_again) = drawn
    assert torch.equal(pictures, again)
    assert torch.equal(labels, labels_again)
    assert not torch.equal(pictures, shapes.render(30, seed=6)[0])


def test_drawing_leaves_the_callers_random_numbers_alone() -> None:
    state = torch.get_rng_state()
    shapes.render(10, seed=0)
    assert torch.equal(state, torch.get_rng_state())


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Few pictures, in a folder that does not exist yet."""
    monkeypatch.setattr(cache, "TRAIN_SIZE", 20)
    monkeypatch.setattr(cache, "TEST_SIZE", 10)
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path / "new"))
    return tmp_path / "new"


def assert_is_rendered(dataset):
    for part, count, seed in (("train", 20, cache.TRAIN_SEED), ("test", 10, cache.TEST_SEED)):
        pictures, labels = shapes.render(count, seed)
        assert torch.equal(getattr(dataset, f"{part}_images"), pictures)
        assert torch.equal(getattr(dataset, f"{part}_labels"), labels)
    assert dataset.class_names == tuple(shapes.SHAPES)


def test_training_and_test_pictures_are_not_the_same() -> None:
    assert cache.TRAIN_SEED != cache.TEST_SEED


def test_drawn_once_and_read_afterwards(small, monkeypatch: pytest.MonkeyPatch) -> None:
    assert datasets.state("shapes").status == "ready"
    assert_is_rendered(datasets.load("shapes"))
    assert list(small.iterdir()) == [cache.cache_file()]
    monkeypatch.setattr(cache, "_draw", lambda: pytest.fail("drawn although it was cached"))
    assert_is_rendered(cache.load_shapes())


def flip_a_bit(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1000],
        lambda content: content[:4],
        lambda _: b"",
        lambda content: b"x" * len(content),
        flip_a_bit,
    ],
    ids=["truncated", "truncated header", "empty", "garbage", "one bit"],
)
def test_a_damaged_file_is_drawn_again(small, damage) -> None:
    cache.load_shapes()
    file = cache.cache_file()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert_is_rendered(cache.load_shapes())
    assert file.read_bytes() == whole
    assert list(small.iterdir()) == [file]


def test_a_folder_that_cannot_be_written_costs_only_time(
    small, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.write_text("a file where the folder should be")
    assert_is_rendered(cache.load_shapes())
    monkeypatch.setenv("CNNLAB_CACHE", str(small / "deeper"))
    assert_is_rendered(cache.load_shapes())


@pytest.mark.parametrize("error", [OSError(28, "No space left"), SafetensorError("No space left")])
def test_a_disk_that_fills_up_leaves_nothing_behind(
    small, monkeypatch: pytest.MonkeyPatch, error
) -> None:
    def half(_tensors, path, metadata):  # noqa: ARG001
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(cache, "save_file", half)
    assert_is_rendered(cache.load_shapes())
    assert list(small.iterdir()) == []

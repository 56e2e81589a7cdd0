"""Traces are made once for all, and do not burden the garbage collector."""

import gc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cnnlab import catalog
from cnnlab import trace as tracing
from cnnlab.errors import ConfigError
from cnnlab.kept import Kept
from cnnlab.trace import trace_of


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes of the passes made since the test began, with nothing kept before it."""
    recorded, made = tracing.recorded, []

    def noted(outline: Any, shape: Any) -> Any:
        made.append(tuple(shape))
        return recorded(outline, shape)

    monkeypatch.setattr(tracing, "recorded", noted)
    kept = Kept[tracing.Trace](tracing.MOST_NODES, lambda found: len(found.nodes))
    monkeypatch.setattr(tracing, "_TRACES", kept)
    return made


def test_visitors_who_come_at_once_need_one_pass(passes: list[tuple[int, ...]]) -> None:
    spec = catalog.NETWORKS["resnet"]
    with ThreadPoolExecutor(8) as visitors:
        found = list(visitors.map(lambda _: trace_of(spec, spec.presets["d2l"], 96), range(8)))
    assert passes == [(1, 1, 96, 96)]
    assert all(one is found[0] for one in found)
    trace_of(spec, spec.presets["d2l"].replace(skip=False), 96)
    assert len(passes) == 2, "another knob is another network"


def test_a_picture_that_does_not_fit_is_tried_once(passes: list[tuple[int, ...]]) -> None:
    spec = catalog.NETWORKS["nin"]
    for _ in range(3):
        with pytest.raises(ConfigError, match="smallest size that works"):
            trace_of(spec, spec.presets["d2l"], 9)
    assert len(passes) == 1


def test_pictures_of_all_sizes_share_the_modules(passes: list[tuple[int, ...]]) -> None:
    spec = catalog.NETWORKS["resnet"]
    outlines = [trace_of(spec, spec.presets["d2l"], size).outline for size in (64, 65, 97)]
    assert len(passes) == 3
    assert len(set(map(id, outlines))) == 1
    vgg = catalog.NETWORKS["vgg"]
    small, large = (trace_of(vgg, vgg.presets["small"], size) for size in (64, 96))
    assert small.outline is not large.outline, "its first fully-connected layer is another"
    assert sum(x.params for x in large.nodes) > sum(x.params for x in small.nodes)


@pytest.mark.usefixtures("passes")
def test_what_is_kept_is_bounded_also_for_the_garbage_collector() -> None:
    spec = catalog.NETWORKS["googlenet"]
    trace_of(spec, spec.presets["d2l"], 64)
    gc.collect()
    before = len(gc.get_objects())
    for size in range(65, 225):
        trace_of(spec, spec.presets["d2l"], size)
    gc.collect()
    assert tracing._TRACES.weight <= tracing.MOST_NODES
    # One such network has 2,300 of them, beside its nodes.
    assert len(gc.get_objects()) - before < 3 * tracing.MOST_NODES


def test_an_outline_is_shared_and_stays_as_it_is() -> None:
    spec = catalog.NETWORKS["googlenet"]
    options = spec.presets["small"].replace(num_classes=9)
    outline = spec.outline(options, 64)
    before = {path: dict(vars(module)) for path, module in outline.named_modules()}
    assert spec.outline(options, 64) is trace_of(spec, options, 64).outline is outline
    one, other = (spec.build(options, device="meta", image_size=64) for _ in range(2))
    for weight, its, others in zip(
        outline.parameters(), one.parameters(), other.parameters(), strict=True
    ):
        assert len({id(weight), id(its), id(others)}) == 3
    assert one.training
    assert one.image_size == 64
    one.to_empty(device="cpu")
    trace_of(spec, options, 65)
    assert not any(module._forward_hooks for module in outline.modules())
    assert all(weight.is_meta for weight in outline.parameters())
    assert {path: dict(vars(module)) for path, module in outline.named_modules()} == before

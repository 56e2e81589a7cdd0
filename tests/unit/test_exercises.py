"""The exercises: their settings exist, and what they promise is seen."""

import math

import pytest
import torch

from cnnlab import catalog
from cnnlab.exercises import EXERCISES, Exercise, check, of_section
from cnnlab.exercises.checks import Above, Between, Times
from cnnlab.exercises.maps import best_correlation, neighbour_difference

exercises = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


@exercises
def test_an_exercise_belongs_to_its_page(exercise: Exercise) -> None:
    section = catalog.SECTIONS[exercise.section]
    assert exercise.id.startswith(exercise.section.replace("_", "-"))
    assert {arm.network for arm in exercise.arms} <= set(section.networks)
    assert exercise.text.endswith((".", "?"))


@exercises
def test_arms_have_names_of_their_own_and_claims_speak_of_them(exercise: Exercise) -> None:
    names = [arm.name for arm in exercise.arms]
    assert len(set(names)) == len(names)
    spoken_of = {name for claim in exercise.claims for name in claim.check.arms}
    assert spoken_of == set(names)


@exercises
def test_settings_exist(exercise: Exercise) -> None:
    """Everything that an arm changes is in what its page shows, and its run can be had."""
    for arm in exercise.arms:
        shown = arm.configuration
        shown.spec.check_image_size(shown.options, shown.image_size)
        assert dict(arm.changes).items() <= shown.values.items()
        if exercise.view == "Train":
            assert arm.config(seed=3) == shown.with_changes(seed=3).run_config


NOT_TRAINED = [exercise for exercise in EXERCISES.values() if exercise.view != "Train"]


@pytest.mark.parametrize("exercise", NOT_TRAINED, ids=[one.id for one in NOT_TRAINED])
def test_what_is_promised_of_counts_and_maps_is_seen(exercise: Exercise) -> None:
    for result in check(exercise, seeds=[0]):
        assert result.holds, (result.claim.says(), result.figures)


SHORT = [exercise for exercise in EXERCISES.values() if exercise.short is not None]


@pytest.mark.parametrize("exercise", SHORT, ids=[one.id for one in SHORT])
def test_what_is_promised_of_training_is_seen_in_its_short_form(exercise: Exercise) -> None:
    for result in check(exercise, seeds=[0], short=True):
        assert result.holds, (result.claim.says(), result.figures)


def test_every_page_has_exercises_in_their_order() -> None:
    for slug in catalog.SECTIONS:
        assert [one.section for one in of_section(slug)] == [slug] * len(of_section(slug))


def test_above_wants_the_distance_with_every_seed() -> None:
    promise = Above("a", "b", 0.1)
    assert promise.holds({"a": [0.5, 0.9], "b": [0.4, 0.1]})
    assert not promise.holds({"a": [0.5, 0.9], "b": [0.41, 0.1]})
    assert not promise.holds({"a": [0.1], "b": [0.5]})
    assert not promise.holds({"a": [math.nan], "b": [0.5]})
    assert promise.says() == "a above b by 0.1"


def test_between_wants_every_seed_or_one() -> None:
    seen = {"a": [0.1, 0.5]}
    assert Between("a", 0.1, 0.5).holds(seen)
    assert not Between("a", 0.2, 0.5).holds(seen)
    assert Between("a", 0.2, 0.5, every=False).holds(seen)
    assert not Between("a", 0.6, 1, every=False).holds(seen)
    assert Between("a", 0, 0).says() == "a: 0"
    assert Between("a", 0, 1, every=False).says() == "a: 0 to 1 with at least one seed"


def test_times_compares_seed_by_seed() -> None:
    seen = {"a": [2.0, 8.0], "b": [1.0, 2.0]}
    assert Times("a", "b", 2, 4).holds(seen)
    assert not Times("a", "b", 2, 3).holds(seen)
    assert Times("a", "b", 2, 2).says() == "a is 2 times b"


def test_a_channel_that_repeats_the_picture_is_recognized() -> None:
    picture = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    constant = torch.ones(1, 1, 8, 8)
    assert best_correlation(torch.cat([constant, -2 * picture], 1), picture) == pytest.approx(1)
    assert best_correlation(constant, picture) == pytest.approx(0, abs=1e-6)


def test_a_blurred_map_is_smoother_and_a_constant_one_does_not_count() -> None:
    rough = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.avg_pool2d(rough, 3, stride=1, padding=1)
    constant = torch.ones(1, 1, 16, 16)
    assert neighbour_difference(smooth) < neighbour_difference(rough)
    both = torch.cat([rough, constant], 1)
    assert neighbour_difference(both) == pytest.approx(neighbour_difference(rough))

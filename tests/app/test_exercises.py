"""The things to try: their buttons set exactly what their text names, in the address as well."""

import pytest

from cnnlab.catalog import NETWORKS, SECTIONS
from cnnlab.exercises import EXERCISES, Arm, Exercise, of_section
from pages.components import links
from tests.app.conftest import Open

ARMS = [(exercise, arm) for exercise in EXERCISES.values() for arm in exercise.arms]


@pytest.mark.parametrize(
    ("exercise", "arm"), ARMS, ids=[f"{exercise.id}-{arm.name}" for exercise, arm in ARMS]
)
def test_the_address_of_an_arm_restores_its_run(exercise: Exercise, arm: Arm) -> None:
    section, shown = SECTIONS[exercise.section], arm.configuration
    query = links.link(exercise.section, exercise.view, shown)
    assert query.pop("view") == exercise.view
    query.pop("network", None)
    assert ("weights" in query) is (exercise.view == links.MAPS)
    query.pop("weights", None)
    found, problems = links.from_query(section, NETWORKS[arm.network], query)
    assert problems == []
    assert found.exact
    assert (found.preset, found.values) == (shown.preset, shown.values)


@pytest.mark.parametrize("slug", SECTIONS)
def test_a_button_opens_the_view_with_the_settings(open_page: Open, slug: str) -> None:
    app = open_page(slug, "Read")
    # The last: on most pages the first one is what the page opens with.
    exercise = next((one for one in of_section(slug) if one.view == "Train"), of_section(slug)[0])
    arm = exercise.arms[-1]
    keys = {f"try.{one.id}.{each.name}" for one in of_section(slug) for each in one.arms}
    assert keys <= {button.key for button in app.button}
    app.button(key=f"try.{exercise.id}.{arm.name}").click().run()
    assert not [*app.exception, *app.error, *app.warning]
    assert app.session_state["view"] == exercise.view
    chosen = app.session_state[f"{slug}.{arm.network}.configuration"]
    assert exercise.view != "Train" or chosen.run_config == arm.config()
    assert chosen.values == arm.configuration.values
    address = links.to_query(SECTIONS[slug], arm.configuration)
    assert {name: app.query_params[name] for name in address} == address


def test_a_text_names_what_is_to_be_tried(open_page: Open) -> None:
    shown = " ".join(block.value for block in open_page("alexnet", "Read").markdown)
    for exercise in of_section("alexnet"):
        assert f"**{exercise.view}.** {exercise.text}" in shown

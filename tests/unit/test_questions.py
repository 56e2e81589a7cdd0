"""Questions: each answer found in a second way, each explanation calculated again."""

import re
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cnnlab import questions
from cnnlab.catalog import NETWORKS, SECTIONS
from cnnlab.configuration import Configuration
from cnnlab.errors import CnnLabError, ConfigError
from cnnlab.questions import QUESTIONS, Question, Subject
from cnnlab.questions.nearby import nearby
from cnnlab.questions.norms import ValuesPerMean
from cnnlab.questions.numbers import is_close, read_number, said
from cnnlab.questions.sizes import SmallestPicture
from cnnlab.questions.skips import WeightedSkips
from pages.components.configuration import start
from tests.unit import second_ways
from tests.unit.knobs import THIN, legal_values

PAGES = [(slug, name) for slug, section in SECTIONS.items() for name in section.networks]
# How wide a network is changes the numbers of an answer and nothing of how it is found.
NARROW = THIN | {"googlenet": {"width": 0.25}, "densenet": {"growth_rate": 4, "stem_channels": 8}}


# What can be explained without a sum: steps of a size, a list, "one for each".
LISTED = (SmallestPicture, WeightedSkips, ValuesPerMean)


def opened(slug: str, network: str) -> Configuration:
    """What the page opens with."""
    return start(SECTIONS[slug], NETWORKS[network])


def assert_answered(question: Question, on: Subject) -> None:
    """The answer is that of the network itself, and the explanation leads to it."""
    answer, why = question.kind.answer(on), question.kind.why(on)
    assert answer == second_ways.answer(question, on), question.kind.text(on)
    choices = question.kind.choices(on)
    if choices:
        assert answer in choices
        assert len(set(choices)) == len(choices) > 1
    else:
        assert isinstance(answer, int | float)
        assert said(answer) in why
        assert recalculated(why) or answer == 0 or isinstance(question.kind, LISTED)
    assert question.is_right(on, str(answer))


def recalculated(why: str) -> int:
    """How many sums of an explanation were done again; each comes to what it says."""
    found = re.findall(r"(?=[\d(])([\d,.·+−/() ²]+) = (−?[\d,]*\d(?:\.\d+)?)", why)
    for formula, result in found:
        tidy = formula.replace(",", "").replace("·", "*").replace("−", "-").strip()
        value = float(result.replace(",", "").replace("−", "-"))
        # What is rounded to two digits is close.
        assert eval(tidy) == pytest.approx(value, abs=0.0051), (formula, result)
    return len(found)


@pytest.mark.parametrize("slug", SECTIONS)
def test_a_page_asks_four_to_eight_questions(slug: str) -> None:
    assert 4 <= len(questions.of_section(slug)) <= 8
    for question in questions.of_section(slug):
        assert question.id.startswith(slug.replace("_", "-"))


@pytest.mark.parametrize(("slug", "network"), PAGES)
def test_a_page_asks_of_every_network(slug: str, network: str) -> None:
    fits = [q for q in questions.of_section(slug) if q.fits(opened(slug, network))]
    assert len(fits) >= len(questions.of_section(slug)) - 1


@pytest.mark.parametrize("name", QUESTIONS)
def test_answers_of_what_the_page_opens_with(name: str) -> None:
    question = QUESTIONS[name]
    for network in SECTIONS[question.section].networks[:2]:
        on = question.subject(opened(question.section, network))
        if on:
            assert_answered(question, on)
    assert question.fits(opened(question.section, SECTIONS[question.section].networks[0]))


CASES = [
    (question.id, network, preset)
    for question in QUESTIONS.values()
    for network in SECTIONS[question.section].networks
    for preset in NETWORKS[network].presets
    if preset in ("small", "torchvision", "vgg16", "resnet50", "densenet121")
]


@pytest.mark.parametrize(("name", "network", "preset"), CASES)
def test_answers_of_presets(name: str, network: str, preset: str) -> None:
    """Narrow ones: as deep as the preset, with its windows."""
    question = QUESTIONS[name]
    chosen = Configuration(network, preset).with_changes(**NARROW[network], image_size=96)
    if question.section == "batch_norm":
        chosen = chosen.with_changes(batch_norm=True)
    if question.fits(chosen):
        assert_answered(question, Subject(chosen))


@settings(max_examples=3, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", QUESTIONS)
def test_answers_with_any_knobs(name: str, data: st.DataObject) -> None:
    question = QUESTIONS[name]
    network = data.draw(st.sampled_from(SECTIONS[question.section].networks))
    spec = NETWORKS[network]
    fixed = {"num_classes": 7, "in_channels": 2} | NARROW[network]
    free = {
        field: data.draw(legal_values(info))
        for field, info in spec.options.model_fields.items()
        if field not in fixed
    }
    if "depth" in free:
        free["depth"] = 11 if network == "vgg" else min(free["depth"], 18)
    try:
        chosen = Configuration(network, "small", free | fixed | {"image_size": 75})
    except CnnLabError:
        assume(False)
        return
    assume(question.fits(chosen))
    assert_answered(question, Subject(chosen))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", [q.id for q in QUESTIONS.values() if q.varies])
def test_other_knobs_are_near_and_make_another_question(name: str, seed: int) -> None:
    question = QUESTIONS[name]
    page = opened(question.section, SECTIONS[question.section].networks[0])
    found = nearby(question, page, Random(seed))
    changed = {n for n, value in found.values.items() if value != page.values[n]}
    assert changed <= set(question.varies)
    assert 1 <= len(changed) <= 2
    assert question.fits(found)
    assert question.kind.why(Subject(found)) != question.kind.why(Subject(page))


def test_what_holds_of_concatenation_is_not_asked_of_addition() -> None:
    page = opened("densenet", "densenet")
    added = page.with_changes(join="add")
    for name in ("densenet-bottleneck", "densenet-layer-parameters", "densenet-grown"):
        assert QUESTIONS[name].fits(page)
        assert not QUESTIONS[name].fits(added)


def test_where_no_other_knobs_are_near_it_says_so() -> None:
    question = QUESTIONS["vgg-smallest-picture"]
    with pytest.raises(ConfigError, match="No other knobs"):
        nearby(question, opened("vgg", "vgg"), Random(0))


def test_a_configuration_that_cannot_be_is_asked_of_the_one_that_the_page_opens_with() -> None:
    page = opened("alexnet", "alexnet")
    tiny = page.with_changes(image_size=8)
    found = QUESTIONS["alexnet-first-side"].subject(tiny, page)
    assert found
    assert found.configuration == page
    assert QUESTIONS["alexnet-first-side"].subject(tiny) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1234", 1234), ("1,234", 1234), (" 1 234 567 ", 1234567), ("1\u202f234", 1234),
        ("0.5", 0.5), ("−2", -2), ("+3", 3), ("73,856", 73856),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_type_them(text: str, number: float) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text", ["", "many", "1,5", "12,34", "1e3", "1.", "nan", "٣", "1,2345", "9" * 40, "3·3"]
)
def test_what_is_no_number_is_answered(text: str) -> None:
    with pytest.raises(ConfigError, match="write a number such as 1234"):
        read_number(text)


@given(number=st.integers(-(10**12), 10**12))
def test_a_number_as_it_is_said_can_be_typed(number: int) -> None:
    assert read_number(said(number)) == number


def test_a_wrong_answer_is_not_right() -> None:
    question = QUESTIONS["alexnet-first-side"]
    on = Subject(opened("alexnet", "alexnet"))
    assert question.is_right(on, "54")
    assert not question.is_right(on, "55")
    assert not question.is_right(on, "53.75")
    assert is_close(53.996, 54)
    assert not is_close(53.99, 54)

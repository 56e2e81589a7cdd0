"""The Check yourself view: answer, read the arithmetic, ask again; progress stays."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab import questions
from cnnlab.catalog import SECTIONS
from cnnlab.experiments import EXPERIMENTS, of_section
from cnnlab.questions import QUESTIONS
from cnnlab.runs.store import RunStore
from pages.components import experiment_runs
from tests.app.conftest import Open
from tests.app.runs_page import ME

VIEW = "Check yourself"
SIDE = "alexnet-first-side"
ARITHMETIC = "(224 + 2·1 − 11) / 4 = 53.75, rounded down to 53, plus 1 is 54."


@pytest.fixture(autouse=True)
def nothing_answered(store: RunStore) -> None:
    with store._db.write() as db:
        db.execute("DELETE FROM answers WHERE visitor = ?", (ME,))


def said(app: AppTest) -> str:
    assert not app.exception, [box.value for box in app.exception]
    boxes: list[Any] = [
        *app.markdown, *app.caption, *app.success, *app.error, *app.warning
    ]  # fmt: skip
    return " ".join(box.value for box in boxes)


def answer(app: AppTest, question: str, text: str) -> AppTest:
    app.text_input(key=f"answer_{question}").input(text)
    return app.button(key=f"check_{question}").click().run()


def test_nothing_is_told_before_the_answer(open_page: Open) -> None:
    app = open_page("alexnet", VIEW)
    text = said(app)
    assert "0 of 8 answered right. Asked of AlexNet: the book's." in text
    assert "window of 11×11, stride 4, padding 1" in text
    for question in questions.of_section("alexnet"):
        assert not question.lesson or question.lesson not in text
    assert not app.success
    assert not app.error
    # Nor by the next question, which starts where this one ends.
    assert "54" not in text


def test_wrong_then_right_then_a_reload(open_page: Open, store: RunStore) -> None:
    app = answer(open_page("alexnet", VIEW), SIDE, "53")
    assert app.error[0].value == "**Not so.** Your answer: 53 · The answer: **54**"
    assert ARITHMETIC in said(app)
    assert store.answers.of(ME)[SIDE].right_s is None
    app.button(key=f"again_{SIDE}").click().run()
    assert ARITHMETIC not in said(app)
    # What was just read counts for nothing; in a new session it has to be remembered.
    app = answer(app, SIDE, " 54 ")
    assert app.success[0].value.startswith("**Right:** 54. You had seen this answer")
    assert ARITHMETIC in said(app)
    assert store.answers.of(ME)[SIDE].right_s is None
    assert "0 of 8 answered right" in said(app)
    app = answer(open_page("alexnet", VIEW), SIDE, " 54 ")
    assert app.success[0].value == "**Right:** 54"
    assert "1 of 8 answered right" in said(app)
    found = store.answers.of(ME)[SIDE]
    assert (found.section, found.tries) == ("alexnet", 2)
    reloaded = said(open_page("alexnet", VIEW))
    assert "1 of 8 answered right" in reloaded
    assert "You have answered this right before." in reloaded
    assert ARITHMETIC not in reloaded
    assert "1 of 8 questions answered right" in said(open_page())


def test_a_choice(open_page: Open, store: RunStore) -> None:
    name = "alexnet-most-parameters"
    app = open_page("alexnet", VIEW)
    app.button(key=f"check_{name}").click().run()
    assert app.warning[0].value == "Give an answer first."
    app.radio(key=f"answer_{name}").set_value("The fully-connected layers")
    app.button(key=f"check_{name}").click().run()
    assert app.success[0].value == "**Right:** The fully-connected layers"
    assert "- The fully-connected layers: 43,040,778, 92%" in said(app)
    assert store.answers.of(ME)[name].right_s


def test_what_is_no_number_is_no_answer(open_page: Open, store: RunStore) -> None:
    app = answer(open_page("alexnet", VIEW), SIDE, "many")
    assert "'many' was given; write a number" in app.error[0].value
    assert ARITHMETIC not in said(app)
    assert store.answers.of(ME) == {}


def test_with_other_knobs_and_back(open_page: Open) -> None:
    app = answer(open_page("alexnet", VIEW), SIDE, "54")
    app.button(key=f"other_{SIDE}").click().run()
    text = said(app)
    assert "Asked with other knobs: " in text
    assert ARITHMETIC not in text
    assert not app.text_input(key=f"answer_{SIDE}").value
    app = answer(app, SIDE, "1")
    assert app.error
    app.button(key=f"again_{SIDE}").click().run()
    assert "Asked with other knobs" not in said(app)


def test_the_questions_follow_the_knobs_of_the_page(open_page: Open) -> None:
    app = open_page("alexnet", link={"view": VIEW, "stem_stride": "2", "stem_kernel_size": "7"})
    assert "window of 7×7, stride 2, padding 1" in said(app)
    assert "first stride 2" in said(app)
    app = answer(app, SIDE, "110")
    assert "(224 + 2·1 − 7) / 2 = 109.5, rounded down to 109, plus 1 is 110." in said(app)


def test_what_cannot_be_asked_of_the_page_is_asked_of_its_preset(open_page: Open) -> None:
    text = said(open_page("nin", link={"view": VIEW, "pointwise": "0"}))
    assert "`block1.conv2` is a 1×1 convolution from 96 to 96 channels" in text
    assert "It cannot be asked of your settings" in text


@pytest.mark.parametrize("slug", SECTIONS)
def test_every_question_can_be_answered_on_its_page(open_page: Open, slug: str) -> None:
    app = open_page(slug, VIEW)
    for question in questions.of_section(slug):
        key = f"answer_{question.id}"
        if key in {box.key for box in app.radio}:
            app.radio(key=key).set_value(app.radio(key=key).options[0])
        else:
            app.text_input(key=key).input("7")
        app.button(key=f"check_{question.id}").click().run()
        assert not app.exception
        assert f"again_{question.id}" in {button.key for button in app.button}
    assert len(app.success) + len(app.error) == len(questions.of_section(slug))
    assert all(QUESTIONS[q.id].lesson in said(app) for q in questions.of_section(slug))


def test_a_page_without_an_answer_for_a_network_leaves_the_question_out(open_page: Open) -> None:
    app = open_page("batch_norm", link={"view": VIEW, "network": "VGG"})
    keys = {box.key for box in app.text_input}
    assert "answer_batch-norm-values-units" not in keys
    assert "answer_batch-norm-values-maps" in keys


def test_predictions_stand_below_the_questions(open_page: Open, store: RunStore) -> None:
    store.predictions.predict(ME, "vgg-depth", "open")
    app = open_page("vgg", VIEW)
    assert experiment_runs.PREDICTED in said(app)
    assert experiment_runs.NOT_YET in said(app)
    app.button(key="predict_card.vgg-depth").click().run()
    assert not app.exception
    assert app.session_state["view"] == "Experiments"
    assert app.subheader[0].value == EXPERIMENTS["vgg-depth"].question
    claims = len(of_section("vgg"))
    assert f"0 of {claims} experiments run" in said(open_page())
    config = EXPERIMENTS["vgg-depth"].configs()[:1]
    group, _ = store.add_group(config, ME, "vgg", "One", ["one"])
    store.predictions.begun(ME, "vgg-depth", group)
    assert f"1 of {claims} experiments run" in said(open_page())
    store.predictions.forget(ME, "vgg-depth")

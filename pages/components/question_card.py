"""A question as a card: the answer is given before anything is told, then comes the arithmetic."""

from dataclasses import dataclass
from random import Random

import streamlit as st

from cnnlab.configuration import Configuration, names
from cnnlab.errors import CnnLabError
from cnnlab.questions import Question, Subject
from cnnlab.questions.nearby import nearby
from cnnlab.questions.numbers import said
from cnnlab.runs.answers import Answered
from cnnlab.words import inside, words
from pages.components import focus, presets, services, state

RIGHT, WRONG, DONE = ":material/check_circle:", ":material/cancel:", ":material/task_alt:"
SEEN = ". You had seen this answer, so it counts for nothing more. Try other knobs."
# Of how many knobs the session knows that their answer was shown.
REMEMBERED = 50


@dataclass(frozen=True)
class Drawn:
    """Other knobs for a question, drawn when the page had those of `instead_of`."""

    instead_of: Configuration
    configuration: Configuration


@dataclass(frozen=True)
class Given:
    """What was answered, of which configuration, and whether the answer had been shown before."""

    configuration: Configuration
    text: str
    was_shown: bool = False


def show(
    question: Question, chosen: Configuration, start: Configuration, answered: Answered | None
) -> None:
    """The card, for the page's configuration or drawn knobs; nothing where it cannot be asked.

    Where the page's configuration has no answer it is asked of what the page opens with.
    """
    drawn = state.get(key(question, "drawn"))
    candidates = [chosen, start]
    if isinstance(drawn, Drawn) and drawn.instead_of == chosen:
        candidates.insert(0, drawn.configuration)
    subject = question.subject(*candidates)
    if subject is None:
        return
    with st.container(border=True, key=key(question, "question")):
        st.markdown(question.kind.text(subject))
        about(subject, chosen, start)
        given = state.get(key(question, "given"))
        if isinstance(given, Given) and given.configuration == subject.configuration:
            told(question, subject, given)
            again(question, subject, chosen)
        else:
            form(question, subject)
            if answered and answered.right_s:
                st.caption(f"{DONE} You have answered this right before.")


def about(subject: Subject, chosen: Configuration, start: Configuration) -> None:
    """With which settings it is asked, where they are not the page's."""
    asked = subject.configuration
    if asked == chosen:
        return
    if asked == start:
        st.caption(
            "It cannot be asked of your settings, so it is asked of those that the page opens "
            f"with: {inside(words(start.preset))}."
        )
        return
    differing = {name: v for name, v in asked.values.items() if v != chosen.values[name]}
    phrases = ", ".join(presets.phrases(asked.spec, differing))
    st.caption(f":material/shuffle: Asked with other knobs: {phrases}.")


def form(question: Question, subject: Subject) -> None:
    """Where the answer is given, once and for all."""
    with st.form(key(question, "form"), border=False):
        label, field = "Your answer", key(question, "answer")
        choices = question.kind.choices(subject)
        if choices:
            answer = st.radio(label, choices, index=None, key=field)
        else:
            answer = st.text_input(label, key=field, placeholder="A number", width=240)
        if st.form_submit_button("Check", key=key(question, "check")):
            commit(question, subject, answer or "")


def commit(question: Question, subject: Subject, answer: str) -> None:
    """Take an answer, note how it was, and draw the page again; or say why it is none."""
    if not answer:
        st.warning("Give an answer first.", icon=":material/edit:")
        return
    shown = state.listed(key(question, "shown"))
    was_shown = subject.configuration in shown
    try:
        right = question.is_right(subject, answer)
        if not was_shown:
            services.store().answers.answered(
                state.visitor(), question.section, question.id, right=right
            )
    except CnnLabError as error:
        st.error(str(error))
        return
    state.put(key(question, "given"), Given(subject.configuration, answer, was_shown))
    state.put(key(question, "shown"), [*shown, subject.configuration][-REMEMBERED:])
    focus.hand_to(key(question, "question"))
    st.rerun()


def told(question: Question, subject: Subject, given: Given) -> None:
    """Whether it was right, and the arithmetic."""
    found = question.kind.answer(subject)
    answer = found if isinstance(found, str) else said(found)
    yours = given.text if isinstance(found, str) else given.text.strip()
    if question.is_right(subject, given.text):
        st.success(f"**Right:** {answer}{SEEN if given.was_shown else ''}", icon=RIGHT)
    else:
        st.error(f"**Not so.** Your answer: {yours} · The answer: **{answer}**", icon=WRONG)
    st.markdown(question.kind.why(subject))
    if question.lesson:
        st.markdown(question.lesson)


def again(question: Question, subject: Subject, chosen: Configuration) -> None:
    """The ways on: the same with other knobs, and back to those of the page."""
    with st.container(horizontal=True):
        if any(name in names(chosen.spec) for name in question.varies):
            st.button(
                "Ask with other knobs",
                icon=":material/shuffle:",
                key=key(question, "other"),
                on_click=draw,
                args=(question, subject.configuration, chosen),
            )
        st.button(
            "Ask again" if subject.configuration == chosen else "Back to the page's knobs",
            icon=":material/replay:",
            type="tertiary",
            key=key(question, "again"),
            on_click=ask,
            args=(question, None),
        )


def draw(question: Question, asked: Configuration, chosen: Configuration) -> None:
    """Ask with knobs near those that it was asked with; for the callback of a button."""
    try:
        found = nearby(question, asked, Random())
    except CnnLabError as error:
        st.toast(str(error), icon=":material/error:")
        return
    ask(question, Drawn(chosen, found))


def ask(question: Question, drawn: Drawn | None) -> None:
    """Ask a question anew, with drawn knobs or those of the page; for the callback of a button."""
    state.put(key(question, "drawn"), drawn)
    state.put(key(question, "given"), None)
    state.put(key(question, "answer"), None)
    focus.hand_to(key(question, "question"))


def key(question: Question, part: str) -> str:
    """Where the session keeps something about a question; the key of its widget."""
    return f"{part}_{question.id}"

"""Answers in the store: one row for each visitor and question, and right once is right."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnlab.errors import TrainingError
from cnnlab.runs import answers
from cnnlab.runs.store import RunStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path)
    yield store
    store.close()


def test_right_once_stays_right(store: RunStore) -> None:
    for right in (False, True, False):
        store.answers.answered("me", "vgg", "one", right=right)
        found = store.answers.of("me")["one"]
        if right:
            since = found.right_s
    assert (found.section, found.question, found.tries) == ("vgg", "one", 3)
    assert found.right_s == since is not None
    assert len(store.answers.of("me")) == 1


def test_wrong_is_kept_as_a_try(store: RunStore) -> None:
    store.answers.answered("me", "vgg", "one", right=False)
    found = store.answers.of("me")["one"]
    assert (found.tries, found.right_s) == (1, None)


def test_every_visitor_has_their_own(store: RunStore) -> None:
    store.answers.answered("me", "vgg", "one", right=True)
    assert store.answers.of("you") == {}


def test_a_visitor_keeps_no_more_than_so_many(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST", 2)
    for name in ("one", "two", "two"):
        store.answers.answered("me", "vgg", name, right=True)
    with pytest.raises(TrainingError, match="2 answers"):
        store.answers.answered("me", "vgg", "three", right=True)


def test_they_are_there_when_the_store_is_opened_again(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    store.answers.answered("me", "vgg", "one", right=True)
    store.close()
    store = RunStore(tmp_path)
    assert store.answers.of("me")["one"].right_s
    store.close()

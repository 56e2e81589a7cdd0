"""Pages in line: the place of one that is done is the next one's at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

from pages.components.page_line import PageLine
from tests.unit.test_page_line import FOR_EVER_S, PATIENCE_S
from tests.waiting import wait_until


def test_the_place_is_handed_over() -> None:
    """Until the next one's thread runs, whoever comes back from aside would take it again."""
    line, may_end = PageLine(FOR_EVER_S), threading.Event()

    def next_one() -> None:
        with line.drawing():
            assert may_end.wait(PATIENCE_S)

    with ThreadPoolExecutor(1) as pool:
        for _ in range(20):
            may_end.clear()
            with line.drawing():
                waiting = pool.submit(next_one)
                wait_until(lambda: len(line._line) == 1)
                with line.aside():
                    assert line._holder is not None
                    assert not line._line
                    may_end.set()
            waiting.result(PATIENCE_S)

"""The app as Streamlit's own test client sees it."""

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.runs.store import RunStore
from pages.components import services, state
from tests.app.runs_page import ME, SOMEBODY
from tests.conftest import ROOT

Open = Callable[..., AppTest]


def figures(app: AppTest) -> list[str]:
    """The sources of the Mermaid figures on a page."""
    return [block.value for block in app.markdown if "mermaid" in block.value[:20]]


@pytest.fixture
def open_page() -> Open:
    """Open a page, in one of its views, by a link or with widgets set beforehand."""

    def open_page(
        slug: str = "",
        view: str | None = None,
        link: dict[str, str] | None = None,
        **widgets: object,
    ) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=200)
        app.run()
        if slug:
            app.switch_page(f"pages/chapter/{slug}.py")
        app.query_params.update(link or {})
        if view:
            app.session_state["view"] = view
        for key, value in widgets.items():
            app.session_state[key.replace("__", ".")] = value
        return app.run()

    return open_page


@pytest.fixture(scope="session", autouse=True)
def worker_ends() -> Iterator[None]:
    """The pages start a worker; it ends with the tests."""
    yield
    services.run_manager().close()


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunStore]:
    """The store of the app, without the runs of this test in the end; the visitor is ME."""
    # The test client's cookies are made up anew for every session.
    monkeypatch.setattr(state, "visitor", lambda: ME)
    store = services.store()
    yield store
    for visitor in (ME, SOMEBODY):
        for run in store.runs(visitor):
            store.delete(run.id)

"""Path under which a proxy shows the app, as `server.baseUrlPath` says it."""

from streamlit import config


def base_path() -> str:
    """With a slash in front and none at the end; empty where the app is all there is."""
    given = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{given}" if given else ""


def below(path: str) -> str:
    """What follows the base path in the path of a request."""
    base = base_path()
    return path[len(base) :] if base and path.startswith(f"{base}/") else path

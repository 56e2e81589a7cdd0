"""The Chromium that the browser tests use; run as a program, it sees to it that there is one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HELP = """No Chromium was found, and none could be installed.
Install one, then run the tests again:
    Debian, Ubuntu   sudo apt-get install chromium
    any system       .venv/bin/python -m playwright install --with-deps chromium
or name one: CNNLAB_CHROMIUM=/path/to/chromium make test"""


def find() -> str | None:
    """The path of a Chromium: the one named, the system's, or Playwright's own."""
    if named := os.environ.get("CNNLAB_CHROMIUM"):
        return named
    for name in NAMES:
        if found := shutil.which(name):
            return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def install() -> None:
    """Install one: the system's where we may, else Playwright's."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=False)
    if find() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> None:
    if find() is None:
        install()
    found = find()
    if found is None:
        sys.exit(HELP)
    print(f"Browser tests use {found}")


if __name__ == "__main__":
    main()

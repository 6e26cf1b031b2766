"""A headless Chromium for tests, and what axe-core says of a page: who can read it, and who cannot."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
GRAVE = ("serious", "critical")
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 375, "height": 700}},
}
"""How a page is looked at: a light screen, a dark one, a telephone."""


@contextmanager
def run_chromium() -> Iterator[Any]:
    """Run a browser for a block; the test is skipped where Playwright or Chromium is missing.

    With ULTRATHIIO_TESTS_NEED_CHROMIUM set, as .ci/run sets it, it fails instead.
    """
    give_up = pytest.fail if os.environ.get("ULTRATHIIO_TESTS_NEED_CHROMIUM") else pytest.skip
    try:
        from playwright import sync_api as playwright
    except ModuleNotFoundError:
        give_up("Playwright is not installed; the extra `test` brings it")
    if CHROMIUM is None:
        give_up("there is no Chromium on this machine; Debian's package chromium brings it")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


def find_faults(page: Any) -> list[tuple[str, str]]:
    """Give axe-core's serious and critical findings: the rule, and the first element that breaks it."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="axe-core is not installed; the extra `test` brings it",
    )
    found = axe.Axe().run(page).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in GRAVE]

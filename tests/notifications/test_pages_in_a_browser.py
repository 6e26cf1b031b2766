"""The notification pages in a real browser: they need no JavaScript, and run none."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import Engine

from tests.inbox.running_receiver import PASSWORD, USERNAME
from tests.notifications.html_tree import Element, links, read_html, rows, texts
from tests.notifications.log_rows import put_event, put_notification
from tests.notifications.test_pages_run_nothing import ATTACKS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCRIPT = "<script>document.documentElement.id='taken'</script>"
BLOCKED = 2
"""Chromium's word for a content setting that forbids."""

Browse = Callable[[str], tuple[list[Element], str]]

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium on this machine; Debian's package chromium brings it"
)


@pytest.fixture(params=["without JavaScript", "with JavaScript"])
def browse(request: pytest.FixtureRequest, tmp_path: Path) -> Browse:
    """A browser with a profile of its own: gives a page's elements as it built them, and its complaints."""
    settings = {"javascript": BLOCKED} if request.param == "without JavaScript" else {}
    profile = tmp_path / "profile"
    (profile / "Default").mkdir(parents=True)
    preferences = {"profile": {"default_content_setting_values": settings}}
    (profile / "Default/Preferences").write_text(json.dumps(preferences))

    def browse(url: str) -> tuple[list[Element], str]:
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
        words = [str(CHROMIUM), *options, f"--user-data-dir={profile}", "--dump-dom", url]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
        complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        return read_html(done.stdout), "\n".join(complaints)

    return browse


def address(receiver: httpx.Client, path: str) -> str:
    """A page's address with the credentials in it."""
    return str(receiver.base_url.join(path)).replace("://", f"://{USERNAME}:{quote(PASSWORD)}@")


def test_the_browser_is_as_the_tests_say(browse: Browse, request: pytest.FixtureRequest) -> None:
    """Where JavaScript is off a script does nothing; where it is on it does what the attacks try."""
    page, _ = browse(f"data:text/html,<p>{quote(SCRIPT)}")

    is_on = "[with JavaScript]" in request.node.name
    assert ("id" in page[0].attributes) == is_on


def test_the_list_is_a_table_with_a_form(browse: Browse, receiver: httpx.Client, engine: Engine) -> None:
    """All of it is there, styled, and without a complaint of the browser."""
    put_notification(engine, status="failed", entity="order", entity_id="DEMO-1", reason="It was away.")

    page, complaints = browse(address(receiver, "/notifications?status=failed"))

    assert [row[1:] for row in rows(page)] == [
        ["failed", "from ultracart", "order_create", "order DEMO-1", "–", "–", "It was away."]
    ]
    assert texts(page, "button") == ["Search"]
    assert links(page)["order DEMO-1"] == "/notifications?entity=order&id=DEMO-1"
    assert complaints == ""


def test_every_field_has_its_label(browse: Browse, receiver: httpx.Client) -> None:
    """Who does not see the page is told what each field is, and what is wrong with it."""
    page, complaints = browse(address(receiver, "/notifications?from=yesterday"))

    ids = {element.attributes["id"] for element in page if "id" in element.attributes}
    fields = {element.attributes["id"] for element in page if element.tag in ("input", "select")}
    assert fields == {element.attributes["for"] for element in page if element.tag == "label"}
    described = {e.attributes["aria-describedby"] for e in page if "aria-describedby" in e.attributes}
    assert described <= ids
    assert {e.attributes["scope"] for e in page if e.tag == "th"} <= {"row", "col"}
    assert "Content Security Policy" not in complaints


def test_an_attack_is_a_text(browse: Browse, receiver: httpx.Client, engine: Engine) -> None:
    """What would take the page over in a browser stands in it as text, in every place at once."""
    attack = "".join(ATTACKS)
    event = put_event(engine, name=attack, reason=attack)
    put_notification(
        engine, event_id=event, operation=attack, reason=attack, entity=attack, entity_id=attack,
        sent=attack, received=f'["{SCRIPT}"]', run_id=attack, request_id=attack,
    )  # fmt: skip

    for path in ("/notifications", "/notifications/1"):
        page, complaints = browse(address(receiver, path))

        assert ("id" in page[0].attributes, complaints) == (False, "")
        assert texts(page, "script") == []
        assert "document.documentElement.id='taken'" in page[0].text

"""Nothing that came from outside becomes markup or runs, whatever stands in which stored text."""

from __future__ import annotations

import base64
import hashlib
import re

import httpx
import pytest
from sqlalchemy import Engine, update

from tasks.database import tables
from tasks.notifications.search import EventStanding, NotificationLine, NotificationStory
from tests.notifications.html_tree import Element, read_html
from tests.notifications.log_rows import put_event, put_notification

ATTACKS = [
    "\"><script>document.documentElement.id='taken'</script>",
    "'><img src=x onerror=document.documentElement.id='taken'>",
    "</pre></style></title></textarea><svg onload=alert(1)>",
    "<!--",
    "]]><b>",
    "{{ 7 * 7 }}{% raw %}",
    '" autofocus onfocus=alert(1) x="',
    "javascript:alert(1)//",
    "../../admin?x=1#frag&y=2",
    "\u202egnp.exe",
]
OURS = {
    "operation", "reason", "entity", "entity_id", "request_id", "run_id", "sent", "received", "direction",
    "system", "status",
}  # fmt: skip
OF_EVENT = {"source", "name", "state", "reason", "found_by"}
LONG = 40
"""Characters of a text that is no short one, which is kept on one line."""
PATHS = ["/notifications", "/notifications/1"]


def shape(page: list[Element]) -> list[tuple[str, list[str]]]:
    """The elements of a page with the names of their attributes: what it is, without its texts."""
    return [(element.tag, sorted(element.attributes)) for element in page]


def put(engine: Engine, text: str) -> None:
    """Store one notification and its event with the same text in every column that holds a text."""
    event = put_event(engine, **dict.fromkeys(OF_EVENT, text))
    put_notification(engine, event_id=event, http_status=200, duration_ms=1, **dict.fromkeys(OURS, text))


def replace_texts(engine: Engine, text: str) -> None:
    """Put another text in the place of all of them."""
    with engine.begin() as connection:
        connection.execute(update(tables.notifications).values(dict.fromkeys(OURS, text)))
        connection.execute(update(tables.inbox_events).values(dict.fromkeys(OF_EVENT, text)))


def test_every_text_that_is_shown_is_attacked() -> None:
    """A new field of what the pages show comes into these tests."""
    shown = {
        shape: {name for name, kind in shape.__annotations__.items() if "str" in kind}
        for shape in (NotificationLine, NotificationStory, EventStanding)
    }

    assert shown[NotificationLine] | shown[NotificationStory] == OURS
    assert shown[EventStanding] == OF_EVENT


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_stored_text_stays_a_text(receiver: httpx.Client, engine: Engine, attack: str) -> None:
    """Both pages have the elements and attributes that they have with a harmless text, and show it."""
    attack = attack.ljust(LONG, ".")
    put(engine, "harmless".ljust(LONG, "."))
    harmless = [shape(read_html(receiver.get(path).text)) for path in PATHS]
    replace_texts(engine, attack)

    pages = [read_html(receiver.get(path).text) for path in PATHS]

    assert [shape(page) for page in pages] == harmless
    for page in pages:
        assert attack in page[0].text
        assert_harmless(page)


def assert_harmless(page: list[Element]) -> None:
    """Nothing runs, nothing is loaded, and every link stays on the pages."""
    assert {element.tag for element in page} & {"script", "iframe", "object", "embed", "img", "svg"} == set()
    names = {name for element in page for name in element.attributes}
    assert [name for name in names if name.startswith("on") or name in ("style", "src", "srcdoc")] == []
    for element in page:
        for name in ("href", "action"):
            assert re.match(r"/notifications([/?]|$)|#content$|^$", element.attributes.get(name, ""))


@pytest.mark.parametrize("field", ["status", "id", "from", "before", "operation", "<b>"])
@pytest.mark.parametrize("attack", ATTACKS[:7])
def test_what_was_typed_stays_a_text(receiver: httpx.Client, field: str, attack: str) -> None:
    """Whether it can be used or not, it stands in the page as it was typed."""
    page = read_html(receiver.get("/notifications", params={field: attack}).text)

    assert attack in page[0].text or attack in [element.attributes.get("value") for element in page]
    assert_harmless(page)


@pytest.mark.parametrize("path", [*PATHS, "/notifications/x", "/notifications?status=bogus"])
@pytest.mark.parametrize("auth", ["right", "none"])
def test_the_headers_forbid_the_rest(receiver: httpx.Client, engine: Engine, path: str, auth: str) -> None:
    """A browser may apply the one stylesheet in the page, and send the form to us; nothing else."""
    put_notification(engine)

    answer = receiver.get(path, auth=None if auth == "none" else receiver.auth)
    assert (answer.status_code == 401) == (auth == "none")

    [style] = [element.text for element in read_html(answer.text) if element.tag == "style"]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert {name: answer.headers[name] for name in EXPECTED} == {
        **EXPECTED,
        "content-security-policy": (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        ),
    }


EXPECTED = {
    "content-security-policy": "",
    "content-type": "text/html; charset=utf-8",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}

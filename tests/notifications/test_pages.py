"""The notification pages over HTTP: who may read them, what they show, what a wrong filter is told."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from socket import socket

import httpx
import pytest
from sqlalchemy import Engine

from tasks.notifications.filters import TIME_REMEDY
from tests.inbox.running_receiver import PASSWORD, USERNAME, serve_receiver, url_of
from tests.notifications.html_tree import links, read_html, rows, texts
from tests.notifications.log_rows import NOON, put_event, put_notification

LIST = "/notifications"
ORDER = {"entity": "order", "entity_id": "DEMO-1"}


@pytest.mark.parametrize("path", [LIST, f"{LIST}/1", f"{LIST}/x", f"{LIST}?status=bogus"])
@pytest.mark.parametrize("given", [None, ("ultracart", "wrong"), ("", "")])
def test_without_the_credentials_nothing_is_shown(
    receiver: httpx.Client, engine: Engine, path: str, given: tuple[str, str] | None
) -> None:
    """A browser is asked for them; the answer holds nothing of what is stored."""
    put_notification(engine, reason="a secret of the trade")

    answer = httpx.get(receiver.base_url.join(path), auth=given)

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="ultrathiio"')
    assert "a secret of the trade" not in answer.text
    assert "ULTRATHIIO_RECEIVER__PASSWORD" in answer.text


def test_a_secret_address_is_for_webhooks_alone(engine: Engine) -> None:
    """The pages stay where they are; both passwords open them while they are changed."""
    with serve_receiver(
        url_of(engine), path_token="an-address-that-nobody-guesses", previous_password="the old one"
    ) as client:
        passwords = {PASSWORD: 200, "the old one": 200, "an-address-that-nobody-guesses": 401}
        told = {word: client.get(LIST, auth=(USERNAME, word)).status_code for word in passwords}

    assert told == passwords


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_pages_only_read(receiver: httpx.Client, method: str) -> None:
    """No other method than GET and HEAD is there."""
    assert receiver.request(method, LIST).status_code == 405
    assert receiver.head(LIST).status_code == 200


def test_the_list_shows_each_exchange(any_receiver: httpx.Client, any_engine: Engine) -> None:
    """A row each, newest first, with times in UTC; links lead to the one, and to its record."""
    put_notification(any_engine)
    put_notification(
        any_engine, 1, direction="out", system="thiio", operation="PUT /orders", status="in_doubt",
        http_status=504, duration_ms=1203, reason="no clear answer " * 20, **ORDER,
    )  # fmt: skip

    answer = any_receiver.get(LIST)

    page = read_html(answer.text)
    [newer, older] = rows(page)
    assert answer.status_code == 200
    assert newer[:-1] == [
        "2026-11-25 12:01:00", "in doubt", "to thiio", "PUT /orders", "order DEMO-1", "504", "1203",
    ]  # fmt: skip
    assert newer[-1] == "no clear answer " * 6 + "no clear …"
    assert older == [
        "2026-11-25 12:00:00", "successful", "from ultracart", "order_create", "–", "–", "–", "–",
    ]  # fmt: skip
    assert links(page)["2026-11-25 12:01:00"] == f"{LIST}/2"
    assert links(page)["order DEMO-1"] == f"{LIST}?entity=order&id=DEMO-1"
    assert "Older »" not in links(page)


def test_the_list_goes_on_by_links_with_its_filter(receiver: httpx.Client, engine: Engine) -> None:
    """Every one that matches is on one page; the last page leads back to the newest."""
    wanted = [put_notification(engine, status="failed") for _ in range(120)]
    put_notification(engine)
    path, seen, sizes = f"{LIST}?status=failed", [], []

    while path:
        page = read_html(receiver.get(path).text)
        ids = [int(each.attributes["href"].split("/")[-1]) for each in page if is_row_link(each.attributes)]
        seen += ids
        sizes.append(len(ids))
        path = links(page).get("Older »", "")

    assert (seen, sizes) == (wanted[::-1], [50, 50, 20])
    assert links(page)["« Newest"] == f"{LIST}?status=failed"


def is_row_link(attributes: dict[str, str]) -> bool:
    """Tell a link to one notification."""
    return attributes.get("href", "").startswith(f"{LIST}/")


def test_the_form_filters_and_stays_filled(receiver: httpx.Client, engine: Engine) -> None:
    """What the browser sends of the form finds the one; every field shows what was chosen."""
    found = put_notification(engine, status="failed", **ORDER)
    put_notification(engine, status="failed", entity="order", entity_id="DEMO-2")
    put_notification(engine, 60 * 24, status="failed", **ORDER)
    form = {
        "status": "failed", "system": "ultracart", "entity": "order", "id": "DEMO-1", "from": "2026-11-25",
        "until": "2026-11-25 23:59", "direction": "in", "operation": "CREATE", "event": "", "run": "",
    }  # fmt: skip

    page = read_html(receiver.get(LIST, params=form).text)

    assert [each.attributes["href"] for each in page if is_row_link(each.attributes)] == [f"{LIST}/{found}"]
    assert filled(page) == {field: value for field, value in form.items() if value}
    assert all("open" in each.attributes for each in page if each.tag == "details")


def filled(page: list) -> dict[str, str]:
    """What a form's fields hold."""
    values: dict[str, str] = {}
    name = ""
    for element in page:
        name = element.attributes.get("name", name) if element.tag in ("select", "input") else name
        is_chosen = element.tag == "input" or "selected" in element.attributes
        if is_chosen and element.attributes.get("value"):
            values[name] = element.attributes["value"]
    return values


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "There are no notifications yet."),
        ({"status": "failed"}, "No notification matches this filter."),
        ({"before": "5"}, "There is nothing older."),
    ],
    ids=["nothing yet", "nothing found", "nothing older"],
)
def test_an_empty_list_says_why(receiver: httpx.Client, query: dict[str, str], words: str) -> None:
    """It is no error, and there is no empty table."""
    answer = receiver.get(LIST, params=query)

    assert (answer.status_code, rows(read_html(answer.text))) == (200, [])
    assert words in answer.text


def test_a_wrong_filter_is_told_on_the_page(receiver: httpx.Client, engine: Engine) -> None:
    """Each problem names field, value and remedy, beside its field as well; what was typed stays; no list."""
    put_notification(engine)
    typed = {"status": "bogus", "from": "yesterday", "event": "-3", "id": "DEMO-1"}

    answer = receiver.get(LIST, params={**typed, "stauts": "x"})

    page = read_html(answer.text)
    assert answer.status_code == 400
    assert [text for text in texts(page, "li") if "“" in text] == [
        "Status: “bogus”. Write one of: successful, failed, in_doubt, skipped.",
        f"From (UTC): “yesterday”. {TIME_REMEDY}",
        "Event: “-3”. Write a whole number from 1 up, without sign or separators.",
        "stauts: “x”. There is no such filter. There are: status, system, direction, entity, event, before, "
        "id, run, operation, from, until.",
    ]
    told = {e.attributes["id"]: e.text for e in page if e.attributes.get("class") == "problem"}
    wrong = {
        e.attributes["name"]: e.attributes["aria-describedby"] for e in page if "aria-invalid" in e.attributes
    }
    assert wrong == {"status": "status-problem", "from": "from-problem", "event": "event-problem"}
    assert set(told) == set(wrong.values())
    assert filled(page) == typed
    assert rows(page) == []


def test_one_shows_all_of_it(any_receiver: httpx.Client, any_engine: Engine) -> None:
    """Fields, bodies laid out with their numbers to the letter, the event, its story, the record."""
    event = put_event(
        any_engine, state="waiting", reason="not yet", attempts=2, deliveries=3, replays=1, found_by="gap",
        due_at=NOON + timedelta(hours=2),
    )  # fmt: skip
    first = put_notification(any_engine, 1, status="failed", event_id=event, reason="It was away.", **ORDER)
    second = put_notification(
        any_engine, 4, status="failed", event_id=event, reason="It was away again.", run_id="run-9",
        request_id="req-7", http_status=503, duration_ms=12, sent='{"total":18.630,"a":[1]}',
        received="<h1>Bad gateway</h1>", **ORDER,
    )  # fmt: skip

    answer = any_receiver.get(f"{LIST}/{second}")

    page = read_html(answer.text)
    fields = dict(zip(texts(page, "dt"), texts(page, "dd"), strict=True))
    assert answer.status_code == 200
    assert [each.text for each in page if each.tag == "pre"] == [
        '{\n  "total": 18.630,\n  "a": [\n    1\n  ]\n}',
        "<h1>Bad gateway</h1>",
    ]
    assert fields == {
        "Notification": str(second), "Direction": "in: they called us", "System": "ultracart",
        "Record": "order DEMO-1", "HTTP status": "503", "Duration": "12 ms", "Request ID": "req-7",
        "Event": str(event), "Run": "run-9", "Name": "order_create", "From": "ultracart", "State": "waiting",
        "Found by": "gap", "Attempts": "2", "Deliveries": "3", "Replays": "1",
        "Received": "2026-11-25 12:00:00.000 UTC", "Due": "2026-11-25 14:00:00.000 UTC", "Closed": "not yet",
        "Reason": "not yet",
    }  # fmt: skip
    story = [text for text in texts(page, "li") if text.startswith("2026")]
    assert story == [
        "2026-11-25 12:00:00 received, by gap",
        "2026-11-25 12:01:00 failed order_create +60 s It was away.",
        "2026-11-25 12:04:00 failed order_create +4 min this notification It was away again.",
    ]
    assert [row[0] for row in rows(page)] == ["2026-11-25 12:04:00", "2026-11-25 12:01:00"]
    assert links(page)["2026-11-25 12:01:00"] == f"{LIST}/{first}"
    assert links(page)["order DEMO-1"] == f"{LIST}?entity=order&id=DEMO-1"
    assert links(page)["run-9"] == f"{LIST}?run=run-9"


def test_what_is_not_there_is_told(any_receiver: httpx.Client) -> None:
    """A number without a notification is not found; what is no number is no address."""
    ids = ["1", str(2**63 - 1), "0", "-1", "x", str(2**63), "%00"]

    answers = [any_receiver.get(f"{LIST}/{id}") for id in ids]

    assert [answer.status_code for answer in answers] == [404, 404, *[400] * 5]
    assert [texts(read_html(answer.text), "h1") for answer in answers] == [
        ["There is no notification 1"],
        ["There is no notification 9223372036854775807"],
        *[["No such address"]] * 5,
    ]


def test_a_database_that_is_away_is_told() -> None:
    """The page says so, names the setting and not the address, and when to come again."""
    with socket() as taken:  # bound and not listening: nobody else can come to serve this port
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql+psycopg://user:secret@127.0.0.1:{taken.getsockname()[1]}/ours"
        with serve_receiver(url) as client:
            answers = [client.get(path) for path in (LIST, f"{LIST}/1")]

    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        assert texts(read_html(answer.text), "h1") == ["The database cannot be read now"]
        assert "ULTRATHIIO_DATABASE_URL" in answer.text
        assert "secret" not in answer.text


def test_a_page_does_not_wait_for_a_writer(any_receiver: httpx.Client, any_engine: Engine) -> None:
    """It shows what is committed while somebody writes."""
    put_notification(any_engine)
    with any_engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM notifications")

        answer = any_receiver.get(LIST)

    assert len(rows(read_html(answer.text))) == 1


def test_the_receiver_pays_for_pages_only_when_one_is_asked_for(tmp_path: Path) -> None:
    """Starting it loads no template engine; a page loads no Prefect and no pandas."""
    code = (
        "import sys; from tasks.inbox.receiver import create_app; from tasks.notifications.page import *; "
        "before = 'jinja2' in sys.modules; render_list(None, {}); "
        "print(before, 'jinja2' in sys.modules, {'prefect', 'pandas'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert done.stdout.strip() == "False True set()"

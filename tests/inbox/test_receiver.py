"""The receiver stores every documented delivery once, and answers when it is stored."""

from __future__ import annotations

import base64
import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, update

from tasks.database import tables
from tasks.ultracart.sandbox.dispatcher import BodyShape, write_body
from tasks.ultracart.webhook_body import HANDLED_EVENTS
from tests.inbox.inbox_rows import read_bodies, read_events, read_notifications, read_objects
from tests.inbox.running_receiver import THIIO, ULTRACART, body_of, orders

CARD, MASK = "4111111111111111", "[card number]"
SEVERAL = body_of("several_events")
SEVERAL_EVENTS = [
    ("customer_create", "customer", "1234567"),
    ("order_create", "order", "DEMO-0009104420"),
    ("order_stage_change", "order", "DEMO-0009104420"),
    ("item_update", "other", None),
]


@pytest.mark.parametrize(
    "body",
    [SEVERAL, {"events": SEVERAL}, body_of("packed"), body_of("events_packed")],
    ids=["array", "events", "packed", "events-packed"],
)
def test_every_shape_is_stored_as_its_events(receiver: httpx.Client, engine: Engine, body: Any) -> None:
    """Each event waits under its name and the id of its object, with the object as it was delivered."""
    answer = receiver.post(ULTRACART, json=body)

    assert (answer.status_code, answer.json()) == (200, {"stored": 4, "duplicates": 0})
    assert read_events(engine, "name", "entity", "entity_id") == SEVERAL_EVENTS
    assert read_events(engine, "source", "state", "attempts", "deliveries", "found_by", "reason") == [
        ("ultracart", "waiting", 0, 1, "webhook", None)
    ] * len(SEVERAL)
    assert read_objects(engine) == [shown for event in SEVERAL for shown in event.values()]


def test_each_of_the_six_events_is_stored(receiver: httpx.Client, engine: Engine) -> None:
    """Whatever its envelope, the payload of each handled event waits under its name."""
    files = sorted(HANDLED_EVENTS)

    answers = [receiver.post(ULTRACART, json=body_of(file)) for file in files]

    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (200, {"stored": 1, "duplicates": 0})
    ] * 6
    assert read_events(engine, "name", "state") == [(file, "waiting") for file in files]


def test_the_same_delivery_again_is_counted_and_stored_once(
    any_receiver: httpx.Client, any_engine: Engine
) -> None:
    """Repeated, packed otherwise, or with its keys in another order, it is the same."""
    again = [{"order_create": {"x": 1.50, "order_id": "DEMO-1"}}]
    bodies = [
        json.dumps(orders(1, x=1.50)).encode(),
        json.dumps(again, indent=2).encode(),
        *(write_body(again, shape) for shape in BodyShape),
    ]

    answers = [any_receiver.post(ULTRACART, content=body) for body in bodies]

    assert [answer.status_code for answer in answers] == [200] * 6
    assert [answer.json() for answer in answers] == [
        {"stored": 1, "duplicates": 0},
        *([{"stored": 0, "duplicates": 1}] * 5),
    ]
    [(name, deliveries, first, last)] = read_events(
        any_engine, "name", "deliveries", "received_at", "last_received_at"
    )
    assert (name, deliveries, first < last) == ("order_create", 6, True)
    assert read_objects(any_engine) == [{"order_id": "DEMO-1", "x": 1.50}]


def test_a_delivery_may_hold_an_event_twice(receiver: httpx.Client, engine: Engine) -> None:
    """Its second copy is a duplicate of the first; another value makes another event."""
    answer = receiver.post(ULTRACART, json=[*orders(1), *orders(1), *orders(1, x=2)])

    assert (answer.status_code, answer.json()) == (200, {"stored": 2, "duplicates": 1})
    assert read_events(engine, "entity_id", "deliveries") == [("DEMO-1", 2), ("DEMO-1", 1)]


def test_a_repeated_delivery_does_not_wake_a_closed_event(receiver: httpx.Client, engine: Engine) -> None:
    """What is done stays done."""
    receiver.post(ULTRACART, json=orders(1))
    with engine.begin() as connection:
        connection.execute(update(tables.inbox_events).values(state="done"))

    answer = receiver.post(ULTRACART, json=orders(1))

    assert answer.json() == {"stored": 0, "duplicates": 1}
    assert read_events(engine, "state", "deliveries") == [("done", 2)]


def test_a_delivery_without_events_is_taken(receiver: httpx.Client, engine: Engine) -> None:
    """UltraCart's test button may send nothing."""
    answer = receiver.post(ULTRACART, json=[])

    assert (answer.status_code, answer.json()) == (200, {"stored": 0, "duplicates": 0})
    assert read_events(engine, "id") == []


def test_what_may_be_json_is_taken(receiver: httpx.Client, engine: Engine) -> None:
    """UltraCart does not publish its content type; a form or a page is surely no JSON."""
    kinds = ["", "application/json; charset=UTF-8", "text/plain", "application/vnd.ultracart+json"]

    answers = [
        receiver.post(ULTRACART, content=json.dumps(orders(number)), headers={"content-type": kind})
        for number, kind in enumerate(kinds)
    ]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert read_events(engine, "entity_id") == ["DEMO-0", "DEMO-1", "DEMO-2", "DEMO-3"]


def test_many_deliveries_at_once_are_all_stored(any_receiver: httpx.Client, any_engine: Engine) -> None:
    """Sixty by twelve senders, each with an event of its own and one that all of them bring."""
    bodies = [orders(number, 1_000) for number in range(60)]

    with ThreadPoolExecutor(12) as senders:
        answers = list(senders.map(lambda body: any_receiver.post(ULTRACART, json=body), bodies))

    assert [answer.status_code for answer in answers] == [200] * 60
    assert sum(answer.json()["stored"] for answer in answers) == 61
    assert sum(answer.json()["duplicates"] for answer in answers) == 59
    assert sorted(read_events(any_engine, "entity_id", "deliveries")) == sorted(
        [*((f"DEMO-{number}", 1) for number in range(60)), ("DEMO-1000", 60)]
    )
    assert len(read_bodies(any_engine)) == 61


def test_a_card_number_never_reaches_the_database(any_receiver: httpx.Client, any_engine: Engine) -> None:
    """Nor does a card's code; in an event, in an unreadable body, in the notification of it."""
    fields = {"note": f"card {CARD}", "payment": {"cvv": "123", "card_number": CARD, "last4": "1111"}}
    any_receiver.post(ULTRACART, json=orders(1, **fields))
    any_receiver.post(ULTRACART, content=f"card {CARD}")

    [kept, unreadable] = read_bodies(any_engine)
    assert json.loads(kept) == {
        "order_id": "DEMO-1",
        "note": f"card {MASK}",
        "payment": {"cvv": "[redacted]", "card_number": "[redacted]", "last4": "1111"},
    }
    assert unreadable == f"card {MASK}"
    assert read_notifications(any_engine, "received") == [f'{{"body":"card {MASK}"}}']


def test_an_object_without_secrets_is_kept_to_the_letter(receiver: httpx.Client, engine: Engine) -> None:
    """Numbers keep their digits, and keys nobody knows stay."""
    shown = '{"order_id": "DEMO-1",  "total": 18.630, "new key": null, "name": "Zoë \\u0000"}'

    receiver.post(ULTRACART, content=f'[{{"order_create": {shown}}}]'.encode())

    assert read_bodies(engine) == [shown]


def test_thiios_events_are_stored(any_receiver: httpx.Client, any_engine: Engine) -> None:
    """An object or an array of objects, named or not; the same one again is known."""
    declined = {"event": "transaction-declined", "type": "order", "id": 17}

    answers = [any_receiver.post(THIIO, json=body) for body in (declined, [declined, {"a": 1}])]

    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (200, {"stored": 1, "duplicates": 0}),
        (200, {"stored": 1, "duplicates": 1}),
    ]
    assert read_events(any_engine, "source", "name", "entity", "entity_id", "state") == [
        ("thiio", "transaction-declined", "order", "17", "waiting"),
        ("thiio", "thiio_event", "other", None, "waiting"),
    ]
    assert read_objects(any_engine) == [declined, {"a": 1}]


def test_both_systems_may_say_the_same(receiver: httpx.Client, engine: Engine) -> None:
    """An event is one system's: the other's with the same words is another."""
    receiver.post(ULTRACART, json=[{"order_create": {"event": "order_create"}}])
    receiver.post(THIIO, json={"event": "order_create"})

    assert read_events(engine, "source", "name") == [("ultracart", "order_create"), ("thiio", "order_create")]


def test_a_packed_body_is_bounded_after_unpacking(receiver: httpx.Client, engine: Engine) -> None:
    """A small body that unpacks to much is refused, and the text it came as is kept."""
    bomb = base64.b64encode(gzip.compress(b" " * 50_000_000)).decode()

    answer = receiver.post(ULTRACART, json=bomb)

    assert answer.status_code == 400
    assert "unpacks to more than the 6000000 bytes" in answer.json()["error"]
    assert read_events(engine, "name", "state") == [("unreadable", "dead")]
    assert read_bodies(engine) == [json.dumps(bomb)]

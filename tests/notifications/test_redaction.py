"""No secret, card number or card code is ever stored."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import Engine, select

from tasks.database import tables
from tasks.notifications.card_data import NUMBER_MASK, holds_card_data
from tasks.notifications.log import MAX_TEXT, Notification, NotificationStatus, as_text, notifier
from tasks.notifications.redaction import MASK, redact, redact_text

CARDS = ["4111111111111111", "5500 0000 0000 0004", "3400-0000-0000-009", "6011000000000004"]


@pytest.mark.parametrize("card", CARDS)
def test_a_card_number_is_masked_wherever_it_stands(card: str) -> None:
    """In a text, under any key, and as a bare number."""
    assert redact({"note": f"pay with {card} please"}) == {"note": f"pay with {NUMBER_MASK} please"}
    assert redact([int("".join(filter(str.isdigit, card)))]) == [NUMBER_MASK]
    assert holds_card_data(f"x {card}.")


def test_secrets_are_masked_by_the_name_of_their_key() -> None:
    """Passwords, tokens, keys and card codes go; the rest stays as it was."""
    body = {
        "payment": {
            "cvv": "123",
            "card_verification_number": 9,
            "credit_card": {"card_number": "x", "card_type": "VISA"},
        },
        "hosted_fields_card_token": "t",
        "simple_key": "k",
        "password": "",
        "basic_password": "p",
        "name": "Ada",
    }

    assert redact(body) == {
        "payment": {
            "cvv": MASK,
            "card_verification_number": MASK,
            "credit_card": {"card_number": MASK, "card_type": "VISA"},
        },
        "hosted_fields_card_token": MASK,
        "simple_key": MASK,
        "password": "",
        "basic_password": MASK,
        "name": "Ada",
    }


def test_long_numbers_that_are_no_cards_stay() -> None:
    """Tracking numbers, order ids and amounts are not cards, even if their checksum fits."""
    body = {"tracking_numbers": ["4111111111111111"], "order_id": "DEMO-0009103116", "total": 18.63}

    assert redact(body) == body
    assert redact_text("order DEMO-4111111111111111 of 4111111111111112") == (
        "order DEMO-4111111111111111 of 4111111111111112"
    )


def test_a_notification_is_stored_redacted_and_cut(engine: Engine) -> None:
    """Both bodies and the reason are clean, whatever came in."""
    notifier(engine, "run-1")(
        Notification(
            direction="out",
            system="ultracart",
            operation="POST /x",
            status=NotificationStatus.FAILED,
            sent={"cvv": "123"},
            received=b'{"note":"4111111111111111"}',
            reason="card 4111111111111111 declined",
        )
    )

    with engine.connect() as connection:
        row = connection.execute(select(tables.notifications)).one()
    assert (row.sent, row.received) == (f'{{"cvv":"{MASK}"}}', f'{{"note":"{NUMBER_MASK}"}}')
    assert (row.reason, row.run_id, row.status) == (f"card {NUMBER_MASK} declined", "run-1", "failed")
    assert as_text("x" * (MAX_TEXT + 1)) == "x" * MAX_TEXT + f"… ({MAX_TEXT + 1} characters)"


@pytest.mark.parametrize(
    "body",
    [b"[" * 5_000 + b"]" * 5_000, b'{"a": 1e999999999999999999999}', b"\xff\xfe"],
    ids=["nested without end", "a number without end", "no UTF-8"],
)
def test_whatever_was_received_can_be_told(body: bytes) -> None:
    """A body that nobody can take apart becomes text all the same, and breaks no log."""
    assert isinstance(as_text(body), str)


def test_of_a_long_list_the_beginning_is_kept() -> None:
    """A page of 200 orders is told by its first ones and how many follow; what is beside it stays whole."""
    orders = [{"order_id": f"DEMO-{number}", "note": "x" * 200, "cvv": "123"} for number in range(200)]
    body = msgspec.json.encode({"orders": orders, "metadata": {"count": 200}})

    told = msgspec.json.decode(as_text(body) or "")

    kept = [{**order, "cvv": MASK} for order in orders[:10]]
    assert told == {"orders": [*kept, "… and 190 more"], "metadata": {"count": 200}}

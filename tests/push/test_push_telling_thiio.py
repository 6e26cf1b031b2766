"""UltraCart has the order and Thiio could not be told: it is told later, and nothing is sent twice."""

from __future__ import annotations

from tasks.push.pusher import SendCounts
from tests.push.desk import Desk


def sent_while_thiio_was_away(desk: Desk, orders: int) -> tuple[dict[str, str], SendCounts]:
    """Send orders that Thiio then cannot be told of; gives Thiio's id → UltraCart's id."""
    for _ in range(orders):
        desk.thiio.place_phone_order()
    planned = desk.plan()
    with desk.thiio_away():
        counts = desk.send(planned)
    return desk.links(), counts


def test_thiio_is_told_by_the_next_run(desk: Desk) -> None:
    """The order is confirmed and linked at once; the failure says what Thiio does not show yet."""
    links, counts = sent_while_thiio_was_away(desk, 1)
    [(id, order_id)] = links.items()
    unmarked = desk.named_in_thiio(id)
    planned = desk.plan()
    later = SendCounts()
    told = desk.pusher.tell_thiio(later)

    assert (counts.confirmed, len(counts.failures), unmarked) == (1, 1, None)
    assert counts.failures[0].startswith(
        f"Thiio order {id} is not marked as synced: Thiio's database cannot answer now"
    )
    assert [(each.thiio_order_id, each.outcome, each.total_cents) for each in planned] == [
        (id, "confirmed", 1399)
    ]
    assert (told, later) == (1, SendCounts())
    assert desk.named_in_thiio(id) == order_id
    assert [exchange for exchange in desk.exchanges() if exchange[0] == "mark order synced"] == [
        ("mark order synced", "failed", order_id),
        ("mark order synced", "successful", order_id),
    ]
    assert desk.pusher.tell_thiio(later) == 0
    assert (desk.run(), desk.ultracart.imports) == (SendCounts(), {f"THIIO-{id}": 1})


def test_an_order_that_cannot_be_marked_does_not_stop_the_others(desk: Desk) -> None:
    """Somebody wrote the first one's UltraCart id on another order: the failure names both."""
    links, _ = sent_while_thiio_was_away(desk, 3)
    first, *others = links
    wrong = desk.thiio.place_phone_order(external_order_id=links[first])
    counts = SendCounts()
    told = desk.pusher.tell_thiio(counts)

    assert told == 2
    assert counts == SendCounts(
        failures=[
            f"Thiio order {first} is not marked as synced: UltraCart order {links[first]} came of Thiio "
            f"order {first}, but Thiio order {wrong} names it. Delete order {wrong} in Thiio for good; the "
            "next push run marks the other."
        ]
    )
    assert desk.named_in_thiio(first) is None
    assert {id: desk.named_in_thiio(id) for id in others} == {id: links[id] for id in others}
    assert set(desk.states().values()) == {"confirmed"}


def test_only_named_orders_are_told_of(desk: Desk) -> None:
    """The others wait for a run that names them, or all."""
    links, _ = sent_while_thiio_was_away(desk, 2)
    first, second = links

    assert desk.pusher.tell_thiio(SendCounts(), [second]) == 1
    assert (desk.named_in_thiio(first), desk.named_in_thiio(second)) == (None, links[second])


def test_an_order_that_thiio_names_already_is_left_alone(desk: Desk) -> None:
    """The agent was faster, and named the right one."""
    [(id, order_id)] = sent_while_thiio_was_away(desk, 1)[0].items()
    desk.thiio.edit_order(id, external_order_id=order_id)
    before = desk.everything()

    assert desk.pusher.tell_thiio(SendCounts()) == 0
    assert desk.everything() == before

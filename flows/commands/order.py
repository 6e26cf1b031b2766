"""`ultrathiio order ID`: one Thiio order on its way to UltraCart, from its plan to what happens next."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.commands.notifications import print_json, shown_text, table_of_lines
from flows.commands.our_tables import our_tables
from tasks.errors import SetupError
from tasks.notifications.page import pretty, show_exactly, show_words
from tasks.push.story import OrderStory, read_story
from tasks.records.money import show_money

APART = ("body", "fingerprint", "total_cents", "currency")
"""What the outbox keeps of an order and is not shown as a line of the table."""


def print_order(thiio_order_id: str, *, as_json: bool) -> int:
    """Print an order's outbox row, its exact body, every exchange about it, and what happens next.

    Raises `SetupError` if nothing is known of it.
    """
    with our_tables() as connection:
        story = read_story(connection, thiio_order_id)
    if story is None:
        raise SetupError(
            f"Nothing is known of Thiio order {thiio_order_id}. Write its ID as Thiio shows it; an order "
            "that is due becomes known with the next run of push-orders."
        )
    if as_json:
        print_json(asdict(story))
    else:
        _print(story)
    return 0


def _print(story: OrderStory) -> None:
    console, push = Console(), story.push
    table = Table(title=f"Thiio order {story.thiio_order_id}", title_justify="left", show_header=False)
    if push is None:
        table.add_row("push", "never planned")
    else:
        table.add_row("total", show_money(push["total_cents"], push["currency"]))
        for name, value in push.items():
            if name not in APART and value is not None:
                is_time = isinstance(value, datetime)
                table.add_row(show_words(name), show_exactly(value) if is_time else shown_text(value))
    if story.ultracart_order_id:
        table.add_row("linked to UltraCart order", shown_text(story.ultracart_order_id))
    table.add_row(Text("what happens next", style="bold"), shown_text(story.next_step))
    console.print(table)
    if push is not None and push["body"]:
        console.print(Text("The exact body", style="bold"))
        console.print(shown_text(pretty(push["body"])), soft_wrap=True)
    console.print(Text("Its exchanges, oldest first", style="bold"))
    console.print(table_of_lines(story.exchanges) if story.exchanges else "None is on record.")

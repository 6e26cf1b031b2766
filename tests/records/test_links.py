"""Links are one to one, whoever writes them and in whatever order."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from tasks.records.links import Link, link_pairs, linked_ids
from tasks.records.models import Entity, Side

IDS = [str(number) for number in range(300)]


def test_writers_at_once_of_the_same_links_do_not_wait_for_each_other_for_ever(any_engine: Engine) -> None:
    """Whatever order each of them has its links in."""
    links = [Link(Entity.ORDER, id, f"T-{id}", "delivered") for id in IDS]
    together = threading.Barrier(2)

    def write(some: list[Link]) -> None:
        together.wait()
        with any_engine.begin() as connection:
            link_pairs(connection, some)

    with ThreadPoolExecutor(2) as writers:
        for _ in writers.map(write, [links, links[::-1]]):
            pass

    with any_engine.connect() as connection:
        assert linked_ids(connection, Entity.ORDER, Side.ULTRACART, IDS) == {id: f"T-{id}" for id in IDS}


def test_a_record_that_belongs_to_somebody_else_is_left_and_logged(
    any_engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody guesses which of the two is right; the other pairs of the call are linked."""
    with any_engine.begin() as connection:
        link_pairs(connection, [Link(Entity.ORDER, "1", "T-1", "by hand")])

    with any_engine.begin() as connection:
        link_pairs(
            connection,
            [
                Link(Entity.ORDER, "1", "T-2", "delivered"),
                Link(Entity.ORDER, "2", "T-1", "delivered"),
                Link(Entity.ORDER, "3", "T-3", "delivered"),
                Link(Entity.CUSTOMER, "1", "T-1", "delivered"),
            ],
        )

    with any_engine.connect() as connection:
        assert [linked_ids(connection, each, Side.ULTRACART, ["1", "2", "3"]) for each in Entity] == [
            {"1": "T-1"} if each is Entity.CUSTOMER else {"1": "T-1", "3": "T-3"} for each in Entity
        ]
    assert [record.getMessage().split(",")[0] for record in caplog.records] == [
        "UltraCart order 1 belongs to Thiio T-2",
        "UltraCart order 2 belongs to Thiio T-1",
    ]

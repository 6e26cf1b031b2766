"""Dashboard and alerts ask for nothing that a receiver does not tell at /metrics."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.deployments.files import FOLDER, read_yaml
from tests.inbox.running_receiver import ULTRACART, serve_receiver, url_of

DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana-dashboard.json").read_text())
[GROUP] = read_yaml("prometheus-alerts.yaml")["groups"]
ALERTS: list[dict[str, Any]] = GROUP["rules"]
QUERIES = {
    **{rule["alert"]: rule["expr"] for rule in ALERTS},
    **{
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    },
}
METRIC = re.compile(r"\bultrathiio_\w+")
LABELS = re.compile(r"(\w+)=~?\"|by \((\w+)\)")
FROM_PROMETHEUS = {"instance"}


@pytest.fixture
def told(engine: Engine) -> str:
    """What a real receiver prints after it stored, knew and turned away a delivery."""
    event = [{"order_create": {"order_id": "DEMO-1"}}]
    with serve_receiver(url_of(engine)) as client:
        for _ in range(2):
            assert client.post(ULTRACART, json=event).status_code == 200
        assert client.post(ULTRACART, json=event, auth=("a", "stranger")).status_code == 401
        return client.get("/metrics").text


def test_every_metric_and_label_is_told(told: str) -> None:
    """By its full name, as Prometheus stores it: a counter ends in _total, a histogram in three ways."""
    names = set(re.findall(r"^(ultrathiio_\w+)", told, re.MULTILINE))
    names |= {name.removesuffix("_count") + "_bucket" for name in names if name.endswith("_count")}
    declared = set(re.findall(r"^# TYPE (\w+)", told, re.MULTILINE))
    labels = set(re.findall(r"[{,](\w+)=", told))
    for title, query in QUERIES.items():
        asked = METRIC.findall(query)
        assert asked, title
        assert [name for name in asked if name not in names and name not in declared] == [], title
        used = {one or other for one, other in LABELS.findall(query)}
        assert used - labels - FROM_PROMETHEUS - {"reason"} == set(), title


def test_no_query_uses_the_name_of_a_declaration_only(told: str) -> None:
    """What no request has caused yet is declared and has no row: only the cut-off connections."""
    rows = set(re.findall(r"^(ultrathiio_\w+)", told, re.MULTILINE))
    silent = {name for query in QUERIES.values() for name in METRIC.findall(query)} - rows

    assert silent == {"ultrathiio_cut_off_connections_total"}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    """It waits, so that one slow scrape wakes nobody; it is sorted; it explains itself."""
    assert rule["for"]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"].endswith((".", "?"))


def test_the_panels_do_not_overlap() -> None:
    """And each has a unit, a description and an ID of its own."""
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])

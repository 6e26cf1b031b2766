"""The course of the last days as pictures: three small charts for the HTML report, one PNG for Prefect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tasks.reconcile.report_trend import TrendDay
from tasks.records.money import to_major

SIZE = (4.6, 2.1)
"""Of one chart, in inches; a screen shows its letters as large as the text around it."""
PAPER = {"ink": "#1c2430", "soft": "#5b6675", "line": "#e1e5ea", "mark": "#1f5fbf"}
"""The colours of the PNG, which is always on white."""
VARIABLES = {"ink": "#010203", "soft": "#020304", "line": "#030405", "mark": "#040506"}
"""Colours that stand for the page's own ones: a chart in the page follows the reader's light or dark."""
NOT_TOLD = ("Creator", "Date", "Format", "Type")


@dataclass(frozen=True, slots=True)
class Chart:
    """One number of every day; `write` puts a value in words, `told` says the last one."""

    id: str
    title: str
    values: Sequence[float]
    write: Callable[[float], str]
    told: str
    is_share: bool = False


def make_charts(trend: Sequence[TrendDay]) -> list[Chart]:
    """Choose what is drawn: open mismatches, orders in agreement, money in the currency with most of it."""
    last = trend[-1]
    shares = [day.agreeing * 100 / day.known if day.known else 100.0 for day in trend]
    charts = [
        Chart("open", "Open mismatches", [day.open for day in trend], _whole, _whole(last.open)),
        Chart("agreement", "Orders in agreement", shares, _percent, _percent(shares[-1]), is_share=True),
    ]
    sums = sum((Counter(day.cents) for day in trend), Counter())
    if sums:
        currency = max(sorted(sums), key=lambda code: sums[code])
        money = [day.cents.get(currency, 0) for day in trend]

        def write(cents: float) -> str:
            return f"{to_major(int(cents), currency):,} {currency}"

        charts.append(Chart("money", f"Money in disagreement, {currency}", money, write, write(money[-1])))
    return charts


def draw_svg(chart: Chart, days: Sequence[date]) -> str:
    """Draw one chart as an SVG element for an HTML page, with its words for those who don't see it."""
    figure = Figure(figsize=SIZE, layout="constrained")
    # Letters stay letters: they can be read aloud, found and copied, and need no font of ours.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": chart.id}):
        _draw(figure.add_subplot(), chart, days, VARIABLES)
        file = BytesIO()
        figure.savefig(file, format="svg", transparent=True, metadata=dict.fromkeys(NOT_TOLD))
    values = [chart.write(value) for value in (min(chart.values), max(chart.values))]
    told = (
        f"From {days[0]} to {days[-1]}: between {values[0]} and {values[1]}; at the end {chart.told}. "
        "The table below holds every day."
    )
    return _as_html(file.getvalue(), chart, told)


def draw_png(trend: Sequence[TrendDay]) -> bytes:
    """Draw all charts as one small PNG, one below the other."""
    charts, days = make_charts(trend), [day.day for day in trend]
    figure = Figure(figsize=(8, 1.7 * len(charts)), layout="constrained", facecolor="white")
    for axes, chart in zip(figure.subplots(len(charts)), charts, strict=True):
        _draw(axes, chart, days, PAPER)
        axes.set_title(f"{chart.title}: {chart.told}", color=PAPER["ink"], fontsize=11, loc="left")
    file = BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return file.getvalue()


def _draw(axes: Axes, chart: Chart, days: Sequence[date], colours: dict[str, str]) -> None:
    moments = [day.toordinal() for day in days]
    axes.plot(moments, chart.values, color=colours["mark"], linewidth=1.8, drawstyle="steps-mid")
    axes.plot(moments[-1:], chart.values[-1:], color=colours["mark"], marker="o", markersize=5, clip_on=False)
    low, high = min(chart.values), max(chart.values)
    if chart.is_share:
        room = max((100 - low) * 0.15, 0.05)
        axes.set_ylim(max(low - room, 0), 100 + room)
    else:
        axes.fill_between(moments, chart.values, step="mid", color=colours["mark"], alpha=0.12, linewidth=0)
        axes.set_ylim(0, high * 1.12 or 1)
    axes.set_xlim(moments[0], moments[-1])
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda number, _: _show_day(number)))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], integer=not chart.is_share))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: chart.write(value).split(" ")[0]))
    axes.grid(axis="y", color=colours["line"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=colours["soft"], labelsize=10, length=0)
    axes.spines[:].set_visible(False)


def _as_html(svg: bytes, chart: Chart, told: str) -> str:
    root = ElementTree.fromstring(svg)  # noqa: S314  # our own drawing of a moment ago
    for parent in list(root.iter()):
        for child in list(parent):
            # Style rules inside would hold for the whole page; the rest is about the drawing program.
            if child.tag.endswith(("}style", "}metadata")):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = dict(_attributes(element))
    title, description = ElementTree.Element("title"), ElementTree.Element("desc")
    title.attrib, title.text = {"id": f"{chart.id}-title"}, f"{chart.title}: {chart.told}"
    description.attrib, description.text = {"id": f"{chart.id}-desc"}, told
    root[:0] = [title, description]
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-labelledby": f"{chart.id}-title",
        "aria-describedby": f"{chart.id}-desc",
    }
    text = ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)
    for name, colour in VARIABLES.items():
        text = text.replace(colour, f"var(--{name})")
    return text


def _attributes(element: ElementTree.Element) -> Iterator[tuple[str, Any]]:
    """Give an element's attributes without namespaces; groups lose their ids, which repeat in every chart."""
    for name, value in element.attrib.items():
        if not (name == "id" and element.tag == "g"):
            yield name.rpartition("}")[2], value


def _show_day(number: float) -> str:
    return f"{date.fromordinal(int(number)):%d %b}"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _percent(share: float) -> str:
    # Rounded down: only all of them is 100.0 %.
    return f"{int(share * 10 + 1e-9) / 10:.1f} %"

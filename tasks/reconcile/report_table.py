"""A table of the HTML report, made by great_tables, and the frame around it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

import pandas as pd
from great_tables import GT, loc, style

from tasks.reconcile.report_words import count

GT_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)


def draw_table(
    id: str,
    labels: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
    html: Sequence[str] = (),
) -> str:
    """Set rows of text as a table, the columns `right` to the right; every cell is escaped.

    Cells of the columns `right` and `whole` stay on one line; those of `html` are HTML already, and stand as
    they are. Without rows there is no table: "".
    """
    if not rows:
        return ""
    table = GT(pd.DataFrame(rows, columns=list(labels), dtype=object), id=id)
    table = table.cols_align("left", list(labels)).cols_align("right", list(right))
    table = table.tab_style(style.css("white-space: nowrap"), loc.body([*right, *whole]))
    if html:
        table = table.fmt(str, columns=list(html))
    # The library's own style is for white paper only; ours follows the reader.
    drawn = GT_STYLE.sub("", table.as_raw_html())
    # On a small screen the frame scrolls: who has no mouse must be able to reach it.
    frame = f'<div id="{id}" tabindex="0" role="group" aria-label="{escape(", ".join(labels))}"'
    return drawn.replace(f'<div id="{id}"', frame, 1)


def draw_section(title: str, table: str, note: str = "") -> str:
    """Put a table under its title, with the HTML of a note below; without a table there is no section: ""."""
    return f"<section>\n<h2>{title}</h2>\n{table}\n{note}\n</section>" if table else ""


def tell_rest(number: int, shown: int) -> str:
    """Tell how many rows are not shown; nothing if all are."""
    return f"<p>And {count(number - shown, 'more', 'more')}.</p>" if number > shown else ""

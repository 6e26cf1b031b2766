"""Markdown that shows a text as it is, whatever stands in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

MARKUP = re.compile(r"([\\`*_\[\]<>|~#])")


def write_table(labels: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write rows of text under their labels; "None." if there are no rows."""
    lines = [f"| {' | '.join(map(escape, row))} |" for row in rows]
    if not lines:
        return "None."
    return "\n".join([f"| {' | '.join(labels)} |", f"|{' --- |' * len(labels)}", *lines])


def escape(text: str) -> str:
    """Write a text on one line, so that nothing in it is taken for markup."""
    return MARKUP.sub(r"\\\1", " ".join(text.split()))

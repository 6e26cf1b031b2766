"""The notification pages as HTML: the list with its filter form, one notification with its story, trouble.

Nothing that came from outside becomes markup: the templates escape every value, and the headers let a browser
load and run nothing but the stylesheet in the page.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from tasks.notifications.filters import CHOICES, FIELDS, FilterProblem
from tasks.notifications.search import NotificationPage, NotificationStory
from tasks.version import our_version

if TYPE_CHECKING:
    from jinja2 import Environment

ROOT = "/notifications"
"""Where the list is served; a notification is served below it, by its id."""
TEMPLATES = Path(__file__).parent / "templates"
SHORT_REASON = 110
"""Characters of a reason that the list shows."""


def render_list(
    found: NotificationPage | None, words: Mapping[str, str], problems: Sequence[FilterProblem] = ()
) -> str:
    """Write the list below a form that is filled with `words`; with problems, these in place of the list."""
    filled = {field: word.strip() for field, word in words.items() if word.strip()}
    return _render("list.html", found=found, words=filled, problems={each.field: each for each in problems})


def render_story(story: NotificationStory) -> str:
    """Write one notification with all its fields, its bodies, its event and its record."""
    return _render("story.html", story=story, line=story.line)


def render_trouble(title: str, told: str) -> str:
    """Write a page that says in words why there is no other."""
    return _render("trouble.html", title=title, told=told)


def page_headers() -> dict[str, str]:
    """Give the headers of every page: run nothing, load nothing, tell nobody, keep no copy."""
    style = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def pretty(body: str) -> str:
    """Lay out a stored body: JSON indented, with its numbers to the letter; anything else as it is."""
    try:
        return msgspec.json.format(body, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return body


def _render(template: str, **values: object) -> str:
    return _environment().get_template(template).render(values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    # Imported with the first page: a receiver that only takes webhooks does not pay for it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "pretty": pretty,
        "shorten": shorten,
        "utc": show_time,
        "exact": show_exactly,
        "words": show_words,
    }
    environment.globals |= {
        "style": Markup(_style()),  # noqa: S704  # our own file
        "choices": CHOICES,
        "fields": FIELDS,
        "list_link": list_link,
        "root": ROOT,
        "since": show_wait,
        "version": our_version(),
    }
    return environment


@lru_cache(maxsize=1)
def _style() -> str:
    return (TEMPLATES / "style.css").read_text()


def list_link(words: Mapping[str, object] | None = None, **more: object) -> str:
    """Give the address of the list under a filter; None leaves a field out."""
    chosen = {field: value for field, value in {**(words or {}), **more}.items() if value is not None}
    return f"{ROOT}?{urlencode(chosen)}" if chosen else ROOT


def show_time(moment: datetime) -> str:
    """Write an aware UTC time to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def show_exactly(moment: datetime) -> str:
    """Write an aware UTC time to the millisecond."""
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03} UTC"


def show_wait(start: datetime, end: datetime) -> str:
    """Write how much later `end` is than `start`: +0.250 s, +42 s, +12 min, +3.5 h, +2 d."""
    wait = end - start
    seconds = wait.total_seconds()
    if wait < timedelta(seconds=10):
        return f"{seconds:+.3f} s"
    if wait < timedelta(minutes=2):
        return f"{seconds:+.0f} s"
    if wait < timedelta(hours=2):
        return f"{seconds / 60:+.0f} min"
    return f"{seconds / 3_600:+.1f} h" if wait < timedelta(days=2) else f"{seconds / 86_400:+.0f} d"


def show_words(name: str) -> str:
    """Write a name of ours for people: in_doubt becomes in doubt."""
    return name.replace("_", " ")


def shorten(text: str) -> str:
    """Cut a text to `SHORT_REASON` characters, at a space where there is one."""
    if len(text) <= SHORT_REASON:
        return text
    kept = text[: SHORT_REASON - 1]
    return f"{kept[: kept.rfind(' ')] if ' ' in kept[-30:] else kept} …"

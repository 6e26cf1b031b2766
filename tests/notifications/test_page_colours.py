"""Every text of the notification pages can be read on its ground, on a light screen and on a dark one."""

from __future__ import annotations

import re

import pytest

from tasks.notifications.page import TEMPLATES

LEGIBLE, VISIBLE = 4.5, 3.0
"""Contrast that WCAG 2.2 asks for of text (1.4.3), and of the edges of fields (1.4.11)."""
PAIRS = [
    *[(text, ground, LEGIBLE) for text in ("ink", "soft", "link") for ground in ("paper", "sheet", "band")],
    *[(kind, f"{kind}-band", LEGIBLE) for kind in ("good", "bad", "doubt", "calm")],
    ("bad", "sheet", LEGIBLE),
    ("on-link", "link", LEGIBLE),
    ("edge", "sheet", VISIBLE),
]


def colours() -> list[dict[str, str]]:
    """The colours by name: of the light screen, and of the dark one."""
    style = (TEMPLATES / "style.css").read_text()
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6})", part)) for part in re.findall(r":root \{[^}]+", style)
    )
    return [light, dark]


def brightness(colour: str) -> float:
    """Relative luminance, as WCAG defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("screen", [0, 1], ids=["light", "dark"])
def test_every_text_stands_out(screen: int) -> None:
    """No pair of colours that the stylesheet uses together is too close."""
    named = colours()[screen]
    contrasts = {}
    for text, ground, least in PAIRS:
        bright, dim = sorted((brightness(named[text]), brightness(named[ground])), reverse=True)
        contrasts[text, ground] = ((bright + 0.05) / (dim + 0.05), least)

    assert {pair: found for pair, found in contrasts.items() if found[0] < found[1]} == {}


def test_both_screens_have_the_same_colours() -> None:
    """No colour of the light screen is left over on the dark one."""
    light, dark = colours()

    assert set(light) == set(dark)

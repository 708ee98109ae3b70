"""Colours can be told apart (WCAG 2.2 AA): text 4.5:1, marks and controls 3:1, in both themes."""

import re
from itertools import product
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[3] / "static" / "css" / "tokens.css"
COLOURS = {
    name: pair
    for name, *pair in re.findall(
        r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", TOKENS.read_text()
    )
}
THEMES = ("light", "dark")
GROUNDS = ("canvas", "surface", "raised", "sunken", "hover")
STATES = ("ok", "warn", "err", "info", "accent")
TEXTS = [
    *product(("text", "text-2", "text-3", "accent"), GROUNDS),
    *((state, ground) for state in STATES for ground in (f"{state}-soft", "surface", "canvas")),
]
MARKS = [
    (name, ground)
    for name in COLOURS
    if name.endswith("-dot") or name.startswith("series-") or name == "control-border"
    for ground in ("surface", "canvas")
]


def luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_it_works(theme: str) -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    at = THEMES.index(theme)
    faint = {
        (text, ground): round(contrast(COLOURS[text][at], COLOURS[ground][at]), 2)
        for text, ground in TEXTS
        if contrast(COLOURS[text][at], COLOURS[ground][at]) < 4.5
    }
    assert faint == {}


@pytest.mark.parametrize("theme", THEMES)
def test_marks_are_seen(theme: str) -> None:
    at = THEMES.index(theme)
    faint = {
        (mark, ground): round(contrast(COLOURS[mark][at], COLOURS[ground][at]), 2)
        for mark, ground in MARKS
        if contrast(COLOURS[mark][at], COLOURS[ground][at]) < 3
    }
    assert faint == {}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["accent-solid", "accent-solid-hover"])
def test_words_on_a_filled_button_are_read(theme: str, ground: str) -> None:
    assert contrast("#ffffff", COLOURS[ground][THEMES.index(theme)]) >= 4.5

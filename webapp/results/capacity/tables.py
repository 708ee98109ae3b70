"""A table in two forms: lined up for a terminal, and as Markdown."""

import re
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Final

import msgspec

_WIDTH: Final = 100
_NUMBER: Final = re.compile(r"[\d.,]+%?|\d(\.\d+)?e[+-]\d+")


class Section(msgspec.Struct, frozen=True):
    """A heading, a table or none, and what has to be known to read it."""

    title: str
    header: tuple[str, ...] = ()
    rows: Sequence[tuple[str, ...]] = ()
    words: Sequence[str] = ()


def as_text(sections: Iterable[Section]) -> str:
    """Return all of them for a terminal."""
    return "\n\n".join("\n".join(_text_lines(section)) for section in sections) + "\n"


def as_markdown(sections: Iterable[Section]) -> str:
    """Return all of them for a page."""
    return "\n\n".join("\n".join(_markdown_lines(section)) for section in sections) + "\n"


def amount(value: float) -> str:
    """Return a number with as many digits as say something."""
    if value >= 100 or value == int(value):  # noqa: PLR2004 - three digits are before the point
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}"  # noqa: PLR2004 - two are


def _text_lines(section: Section) -> Iterator[str]:
    yield section.title
    yield "-" * len(section.title)
    if section.rows:
        all_rows = [section.header, *section.rows]
        widths = [max(map(len, column)) for column in zip(*all_rows, strict=True)]
        right = _right(section)
        for row in all_rows:
            cells = (
                cell.rjust(width) if is_right else cell.ljust(width)
                for cell, width, is_right in zip(row, widths, right, strict=True)
            )
            yield "  ".join(cells).rstrip()
    for words in section.words:
        yield from wrap(words, _WIDTH)


def _markdown_lines(section: Section) -> Iterator[str]:
    yield f"### {section.title}"
    yield ""
    if section.rows:
        yield _markdown_row(section.header)
        yield _markdown_row(["---:" if right else "---" for right in _right(section)])
        yield from map(_markdown_row, section.rows)
        if section.words:
            yield ""
    yield from (f"- {words}" for words in section.words)


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _right(section: Section) -> list[bool]:
    """Return which columns hold numbers."""
    columns = zip(*section.rows, strict=True)
    return [all(_NUMBER.fullmatch(cell) for cell in column) for column in columns]

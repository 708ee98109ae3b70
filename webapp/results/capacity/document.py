"""The part of a page that a command writes, between two marks."""

from pathlib import Path
from typing import Final

BEGIN: Final = "<!-- made by `manage.py capacity --write`; do not edit -->"
END: Final = "<!-- end of what is made -->"


class NoPlace(Exception):
    """The page cannot be read or written, or lacks the marks; the text names it and says why."""


def rewrite(path: Path, block: str) -> None:
    """Put the block between the marks of a page. Raises `NoPlace`."""
    try:
        page = path.read_text(encoding="utf-8")
        before, begin, rest = page.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not begin or not end:
            raise NoPlace(f"{path}: no place for it: a line {BEGIN} and after it a line {END}")
        path.write_text(f"{before}{BEGIN}\n\n{block}\n{END}{after}", encoding="utf-8")
    except UnicodeDecodeError as error:
        raise NoPlace(f"{path}: not a page of UTF-8 text") from error
    except OSError as error:
        raise NoPlace(f"{path}: {error.strerror or error}") from error

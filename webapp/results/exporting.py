"""Results for people with a notebook: a row for each detection, oldest first, as a stream."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, NamedTuple
from uuid import UUID

import msgspec

from processing.wire.packed import PackedDetection
from webapp.common.rooms import room
from webapp.results.archive_files import write_table
from webapp.results.models import Result
from webapp.results.search import Search
from webapp.results.sought import class_name

Format = Literal["csv", "jsonl", "parquet"]

LONGEST_RANGE: Final = timedelta(days=31)
MOST_IN_TABLE: Final = 5_000_000
"""Detections of one Parquet file."""
LONGEST_IN_TABLE_S: Final = 60.0
"""Of gathering them: nothing of the file can be sent before all is known."""
LONGEST_SILENCE_S: Final = 10.0
"""Before a stream begins: servers give up on an answer that does not."""
LONGEST_PAUSE_S: Final = 180.0
"""So long nothing is taken of an export before its user may have another."""
CONTENT_TYPES: Final[dict[Format, str]] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
}
_COLUMNS: Final = (
    "captured_at", "camera", "label", "score", "x0", "y0", "x1", "y1", "track", "bundle", "result",
)  # fmt: skip
_BLOCK: Final = 64 * 1024


class Busy(Exception):
    """Somebody has an export under way already."""


class TooMuch(Exception):
    """It is too much for one Parquet file."""


@dataclass
class Turn:
    """An export under way."""

    at: float
    """When something was last taken of it; monotonic."""


class Turns:
    """Who has an export under way in this process.

    Of one whose reader left before it began nobody hears again, so a turn ends by itself, too.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[UUID, Turn] = {}

    def look(self, user_id: UUID) -> None:
        """Raise `Busy` if it is not this user's turn."""
        turn = self._taken.get(user_id)
        if turn is not None and time.monotonic() - turn.at < LONGEST_PAUSE_S:
            raise Busy

    @contextmanager
    def taken(self, user_id: UUID) -> Iterator[Turn]:
        turn = Turn(time.monotonic())
        with self._lock:
            self.look(user_id)
            self._taken[user_id] = turn
        try:
            yield turn
        finally:
            with self._lock:
                if self._taken.get(user_id) is turn:
                    del self._taken[user_id]


turns: Final = Turns()


def export(search: Search, format_: Format, *, user_id: UUID) -> Generator[bytes]:
    """Yield the file piece by piece, with as much in memory as one piece needs.

    Raise `Busy` while the same user has another one, `TooMuch`, `DayUnreadable` or `TooSlow`.
    """
    pieces = _parquet(search) if format_ == "parquet" else _text(search, _FORMS[format_])
    with turns.taken(user_id) as turn, closing(pieces):
        for piece in pieces:
            yield piece
            turn.at = time.monotonic()


class _Frame(NamedTuple):
    """What the rows of one result have in common, in words."""

    captured_at: str
    camera: str
    bundle: str
    result: int

    @classmethod
    def of(cls, result: Result) -> "_Frame":
        at = f"{result.captured_at:%Y-%m-%dT%H:%M:%S.%f}Z"
        return cls(at, str(result.camera_id), str(result.bundle_id), result.pk)


@dataclass(frozen=True)
class _Form:
    """How a detection is written."""

    head: str
    quoted: Callable[[str], str]
    line: Callable[[_Frame, str, PackedDetection], str]


def _csv_line(frame: _Frame, label: str, found: PackedDetection) -> str:
    return (
        f"{frame.captured_at},{frame.camera},{label},{found.score:.4f},"
        f"{found.x0:.5f},{found.y0:.5f},{found.x1:.5f},{found.y1:.5f},"
        f"{found.track or ''},{frame.bundle},{frame.result}\n"
    )


def _json_line(frame: _Frame, label: str, found: PackedDetection) -> str:
    return (
        f'{{"captured_at":"{frame.captured_at}","camera":"{frame.camera}","label":{label},'
        f'"score":{found.score:.4f},"x0":{found.x0:.5f},"y0":{found.y0:.5f},"x1":{found.x1:.5f},'
        f'"y1":{found.y1:.5f},"track":{found.track or "null"},"bundle":"{frame.bundle}",'
        f'"result":{frame.result}}}\n'
    )


_FORMS: Final = {
    "csv": _Form(
        head=",".join(_COLUMNS) + "\n",
        quoted=lambda name: '"' + name.replace('"', '""') + '"',
        line=_csv_line,
    ),
    "jsonl": _Form(
        head="", quoted=lambda name: msgspec.json.encode(name).decode(), line=_json_line
    ),
}


def _text(search: Search, form: _Form) -> Generator[bytes]:
    """Yield the head with the first lines, if they are found soon, then the others."""
    until = time.monotonic() + LONGEST_SILENCE_S
    steps = _lines(search, form)
    begin = (lines for lines, n_lines in steps if n_lines or time.monotonic() >= until)
    yield (form.head + next(begin, "")).encode()
    for lines, n_lines in steps:
        if n_lines:
            yield lines.encode()


def _lines(search: Search, form: _Form) -> Iterator[tuple[str, int]]:
    """Yield lines and how many they are, stretch by stretch; there may be none."""
    labels: dict[tuple[UUID, int], str] = {}
    sought = search.sought
    assert sought is not None
    for step in search.steps(is_newest_first=False):
        lines = []
        for result in step.found:
            frame = _Frame.of(result)
            for found in sought.detections_of(result):
                key = (result.bundle_id, found.label)
                label = labels.get(key)
                if label is None:
                    label = labels[key] = form.quoted(class_name(result.bundle, found.label))
                lines.append(form.line(frame, label, found))
        yield "".join(lines), len(lines)


def _parquet(search: Search) -> Generator[bytes]:
    until = time.monotonic() + LONGEST_IN_TABLE_S
    with room(".export-") as folder:
        csv, table = folder / "rows.csv", folder / "rows.parquet"
        n_rows = 0
        with csv.open("w", encoding="utf-8") as file:
            file.write(_FORMS["csv"].head)
            for lines, n_lines in _lines(search, _FORMS["csv"]):
                n_rows += n_lines
                if n_rows > MOST_IN_TABLE or time.monotonic() > until:
                    raise TooMuch
                file.write(lines)
        write_table(table, csv)
        csv.unlink()
        with table.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block

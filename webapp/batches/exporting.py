"""What came of a batch, as other people's programs read it: made while it is sent, in order.

Of a batch that is not over, what is judged so far. Boxes are in both measures: as shares of the
picture, and in its pixels.
"""

import csv
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import Final, Literal, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from processing.wire.batch import PictureOutcome
from processing.wire.packed import PackedDetection
from webapp.batches.models import Batch
from webapp.batches.queries import JudgedPicture, pictures_of
from webapp.common.rooms import room
from webapp.results.archive_files import write_table
from webapp.results.exporting import LONGEST_IN_TABLE_S, MOST_IN_TABLE, TooMuch, turns

T = TypeVar("T")
Format = Literal["jsonl", "coco", "parquet"]

CONTENT_TYPES: Final[Mapping[Format, str]] = {
    "jsonl": "application/jsonl",
    "coco": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
SUFFIXES: Final[Mapping[Format, str]] = {
    "jsonl": "jsonl", "coco": "coco.json", "parquet": "parquet",
}  # fmt: skip
_TOGETHER: Final = 200
"""Pictures of one piece of what is sent."""
_BLOCK: Final = 64 * 1024
_COLUMNS: Final = {
    "number": "UINTEGER",
    "picture": "VARCHAR",
    "width": "UINTEGER",
    "height": "UINTEGER",
    "error": "VARCHAR",
    "label": "VARCHAR",
    "score": "FLOAT",
    "x0": "FLOAT",
    "y0": "FLOAT",
    "x1": "FLOAT",
    "y1": "FLOAT",
    "x0_px": "FLOAT",
    "y0_px": "FLOAT",
    "x1_px": "FLOAT",
    "y1_px": "FLOAT",
    "bundle": "VARCHAR",
}
_encode: Final = msgspec.json.Encoder().encode


class Judged(NamedTuple):
    """A picture that is judged, or failed."""

    number: int
    name: str
    outcome: PictureOutcome
    detections: list[PackedDetection]


def export(batch: Batch, format_: Format, *, user_id: UUID) -> Generator[bytes]:
    """Yield the file piece by piece, with one shard in memory.

    Raise `Busy` while the same user has another one, or `TooMuch`; `BlobLost` or `BadShard` for a
    store that was tampered with.
    """
    pieces = _FORMS[format_](batch)
    with turns.taken(user_id) as turn, closing(pieces):
        for piece in pieces:
            yield piece
            turn.at = time.monotonic()


def as_json(batch: Batch, judged: Judged) -> dict[str, object]:
    """Return one picture as a line of JSON has it."""
    width, height = judged.outcome.width, judged.outcome.height
    return {
        "number": judged.number,
        "picture": judged.name,
        "width": width,
        "height": height,
        "error": judged.outcome.error or None,
        "bundle": batch.bundle,
        "detections": [
            {
                "label": batch.labels[found.label],
                "label_number": found.label,
                "score": round(found.score, 4),
                "xyxy": [round(edge, 5) for edge in found[:4]],
                "xyxy_px": _in_pixels(found, width, height),
            }
            for found in judged.detections
        ],
    }


def judged_only(pictures: Iterable[JudgedPicture]) -> Iterator[Judged]:
    """Yield those pictures that are done with."""
    for picture in pictures:
        if picture.outcome is not None:
            found = list(picture.detections())
            yield Judged(picture.number, picture.item.name, picture.outcome, found)


def _in_pixels(found: PackedDetection, width: int, height: int) -> list[float]:
    sides = (width, height, width, height)
    return [round(edge * side, 2) for edge, side in zip(found[:4], sides, strict=True)]


def _json_lines(batch: Batch) -> Generator[bytes]:
    pieces = (
        b"".join(_encode(as_json(batch, judged)) + b"\n" for judged in some)
        for some in _in_pieces(batch)
    )
    yield next(pieces, b"")  # of nothing, an empty file
    yield from pieces


def _coco(batch: Batch) -> Generator[bytes]:
    """Yield COCO's JSON, pictures first: what is judged is read twice, and kept never."""
    info = {
        "description": f"{batch.name}: what {batch.bundle_name} says",
        "date_created": batch.created_at.isoformat(),
        "bundle": batch.bundle,
        "n_failed": batch.n_failed,
    }
    categories = [{"id": n, "name": name} for n, name in enumerate(batch.labels, 1)]
    yield b'{"info":' + _encode(info) + b',"categories":' + _encode(categories) + b',"images":['
    yield from _joined(_image(judged) for judged in _of_size(batch))
    yield b'],"annotations":['
    found = ((judged, each) for judged in _of_size(batch) for each in judged.detections)
    yield from _joined(_annotation(n, *pair) for n, pair in enumerate(found, 1))
    yield b"]}"


def _of_size(batch: Batch) -> Iterator[Judged]:
    """Yield what COCO can hold: a picture that could not be opened has no size."""
    for judged in judged_only(pictures_of(batch)):
        if judged.outcome.width and judged.outcome.height:
            yield judged


def _image(judged: Judged) -> dict[str, object]:
    width, height = judged.outcome.width, judged.outcome.height
    return {
        "id": judged.number + 1, "file_name": judged.name, "width": width, "height": height,
    }  # fmt: skip


def _annotation(number: int, judged: Judged, found: PackedDetection) -> dict[str, object]:
    x0, y0, x1, y1 = _in_pixels(found, judged.outcome.width, judged.outcome.height)
    width, height = round(x1 - x0, 2), round(y1 - y0, 2)
    return {
        "id": number,
        "image_id": judged.number + 1,
        "category_id": found.label + 1,
        "bbox": [x0, y0, width, height],
        "area": round(width * height, 2),
        "iscrowd": 0,
        "segmentation": [],
        "score": round(found.score, 4),
    }


def _joined(objects: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    comma = b""
    for some in _chunks(objects):
        yield comma + b",".join(map(_encode, some))
        comma = b","


def _chunks(things: Iterable[T]) -> Iterator[tuple[T, ...]]:
    rest = iter(things)
    while some := tuple(islice(rest, _TOGETHER)):
        yield some


def _parquet(batch: Batch) -> Generator[bytes]:
    """Yield a table: a row a detection, and one for each picture in which there is none."""
    until = time.monotonic() + LONGEST_IN_TABLE_S
    with room(".export-") as folder:
        rows, table = folder / "rows.csv", folder / "rows.parquet"
        n_rows = 0
        with rows.open("w", encoding="utf-8", newline="") as file:
            write = csv.writer(file).writerow
            write(_COLUMNS)
            for judged in judged_only(pictures_of(batch)):
                for row in _rows(batch, judged):
                    write(row)
                    n_rows += 1
                if n_rows > MOST_IN_TABLE or time.monotonic() > until:
                    raise TooMuch
        write_table(table, rows, columns=_COLUMNS)
        rows.unlink()
        with table.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block


def _rows(batch: Batch, judged: Judged) -> Iterator[list[object]]:
    outcome = judged.outcome
    head = [judged.number, judged.name, outcome.width, outcome.height, outcome.error]
    if not judged.detections:
        yield [*head, *[""] * 10, batch.bundle]
    for found in judged.detections:
        edges = (*found[:4], *_in_pixels(found, outcome.width, outcome.height))
        yield [*head, batch.labels[found.label], found.score, *edges, batch.bundle]


def _in_pieces(batch: Batch) -> Iterator[tuple[Judged, ...]]:
    return _chunks(judged_only(pictures_of(batch)))


_FORMS: Final[Mapping[Format, Callable[[Batch], Generator[bytes]]]] = {
    "jsonl": _json_lines,
    "coco": _coco,
    "parquet": _parquet,
}


def file_name(batch: Batch, format_: Format, *, at: datetime) -> str:
    """Return what the file is called."""
    return f"farwatch-batch-{at:%Y-%m-%d}-{str(batch.pk)[-6:]}.{SUFFIXES[format_]}"

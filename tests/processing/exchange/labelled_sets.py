"""Sets of labelled pictures to write in every format, and to read again."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from hypothesis import strategies as some

from processing.exchange.coco_export import encode_coco, to_coco
from processing.exchange.labelled import LabelledBox, LabelledPicture, Polygon, ReadSet
from processing.exchange.sets import PICTURE_FOLDERS, WRITERS, read_archive
from tests.factories import JPEG
from tests.processing.exchange.archives import opened, zipped

LABELS = ("person", "bicycle", "traffic light", "été", "a & b")
FORMATS = tuple(PICTURE_FOLDERS)
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAMESPACE = UUID(int=7)
FILE_NAMES = ("a.jpg", "b.jpg", "north/a.jpg", "north/b.jpg", "north/gate 1/a.jpg", "south/a.jpg")
"""One stem in several folders."""

edges = some.integers(0, 999_999).map(lambda millionth: millionth / 1_000_000)


@some.composite
def boxes(draw: some.DrawFn) -> LabelledBox:
    label = draw(some.sampled_from(LABELS))
    if draw(some.booleans()):
        points: Polygon = tuple(draw(some.lists(some.tuples(edges, edges), min_size=3, max_size=9)))
        xs, ys = zip(*points, strict=True)
        return LabelledBox((min(xs), min(ys), max(xs), max(ys)), label, points)
    x0, x1 = sorted((draw(edges), draw(edges)))
    y0, y1 = sorted((draw(edges), draw(edges)))
    return LabelledBox((x0, y0, x1, y1), label)


@some.composite
def picture_lists(draw: some.DrawFn) -> list[LabelledPicture]:
    names = draw(some.lists(some.sampled_from(FILE_NAMES), min_size=1, max_size=4, unique=True))
    return [
        LabelledPicture(
            id=uuid5(NAMESPACE, name),
            file_name=name,
            width=draw(some.integers(16, 4000)),
            height=draw(some.integers(16, 4000)),
            captured_at=AT,
            boxes=tuple(draw(some.lists(boxes(), max_size=5))),
            classes=tuple(draw(some.lists(some.sampled_from(LABELS), unique=True, max_size=2))),
        )
        for name in names
    ]


def written(format_: str, pictures: list[LabelledPicture]) -> list[tuple[str, bytes]]:
    folder = PICTURE_FOLDERS[format_]
    if format_ == "coco":
        file = to_coco(pictures, labels=LABELS, description="All", at=AT)
        files = [("annotations.json", encode_coco(file))]
    else:
        files = list(WRITERS[format_](pictures, labels=LABELS))
    return [*files, *((f"{folder}/{picture.file_name}", JPEG) for picture in pictures)]


def read(files: list[tuple[str, bytes]]) -> ReadSet:
    with opened(zipped(files)) as archive:
        return read_archive(archive)

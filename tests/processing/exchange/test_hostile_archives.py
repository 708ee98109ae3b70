"""What somebody made to do harm is refused, with a reason that names it."""

from collections.abc import Callable

import pytest

from processing.exchange.archive import BadArchive
from processing.exchange.labelled import BadSet
from processing.exchange.sets import read_archive
from tests.factories import JPEG
from tests.processing.exchange.archives import opened, zipped
from tests.processing.exchange.hostile_archives import HOSTILE


def read_whole(content: bytes) -> list[bytes]:
    with opened(content) as archive:
        pictures = read_archive(archive).pictures
        return [archive.read(picture.file_name, most=10_000_000) for picture in pictures]


@pytest.mark.parametrize(
    ("make", "reason"), [pytest.param(make, reason, id=name) for name, make, reason in HOSTILE]
)
def test_it_is_refused(make: Callable[[], bytes], reason: str) -> None:
    content = make()
    with pytest.raises((BadArchive, BadSet), match=reason):
        read_whole(content)


def test_there_are_more_than_twenty() -> None:
    assert len(HOSTILE) >= 20


def test_a_harmless_one_is_read() -> None:
    harmless = zipped([("a/b.JPG", JPEG), ("a/c.jpeg", JPEG), ("__MACOSX/a/._b.JPG", b"junk")])
    with opened(harmless) as archive:
        read = read_archive(archive)
        assert [picture.file_name for picture in read.pictures] == ["a/b.JPG", "a/c.jpeg"]
        assert {picture.boxes for picture in read.pictures} == {None}
        assert archive.read("a/b.JPG", most=1000) == JPEG


def test_no_more_is_read_than_is_allowed() -> None:
    with opened(zipped([("a.jpg", JPEG)])) as archive, pytest.raises(BadArchive, match="at most 9"):
        archive.read("a.jpg", most=9)

"""A folder for a while goes with its block, and one that was left behind with the next."""

import os
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from webapp.common.clock import now
from webapp.common.rooms import LEFT_S, room


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def leave(folder: Path, name: str, *, written_s: float) -> Path:
    """Make a folder as somebody left it who wrote there last so many seconds ago."""
    left = folder / name
    left.mkdir()
    file = left / "rows.csv"
    file.write_text("half a")
    at = now().timestamp()
    os.utime(file, (at, at - written_s))
    os.utime(left, (at, at - 10 * LEFT_S))
    return left


def test_it_works(folder: Path) -> None:
    with room(".export-") as mine:
        (mine / "rows.csv").write_text("rows")
        assert list(folder.iterdir()) == [mine]
    assert not list(folder.iterdir())


@pytest.mark.parametrize("name", [".export-ab", ".archive-ab"])
def test_what_a_killed_process_left_goes_with_the_next(folder: Path, name: str) -> None:
    leave(folder, name, written_s=LEFT_S + 60)
    with room(".export-") as mine:
        assert list(folder.iterdir()) == [mine]


def test_where_somebody_is_at_work_nothing_goes(folder: Path) -> None:
    left = leave(folder, ".export-ab", written_s=LEFT_S - 60)
    with room(".archive-"):
        assert (left / "rows.csv").exists()


def test_nothing_else_goes(folder: Path) -> None:
    left = leave(folder, "media", written_s=LEFT_S + 60)
    with room(".archive-"):
        assert (left / "rows.csv").exists()


def test_a_room_that_was_swept_away_does_no_harm_at_its_end(folder: Path) -> None:
    with room(".export-") as mine:
        for file in mine.iterdir():
            file.unlink()
        mine.rmdir()
    assert not list(folder.iterdir())

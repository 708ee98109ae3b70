"""The shelf stays within its bounds, knows what it has, and survives being killed."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from edge_agent.clips.shelf import ClipShelf, Kept, ShelfFull
from processing.wire.messages import ClipMade

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CAMERA = UUID("11111111-1111-4111-8111-111111111111")
MB = 1024 * 1024
ROOT = Path(__file__).parents[3]


def shelf_in(folder: Path, *, max_mb: int = 100, max_days: float = 7, free: int = 10**12
             ) -> ClipShelf:  # fmt: skip
    return ClipShelf(folder, max_mb=max_mb, max_days=max_days, free=lambda _: free)


def put(shelf: ClipShelf, *, at: datetime = NOON, n_bytes: int = MB) -> ClipMade:
    clip_id = uuid4()
    part = shelf.part(clip_id)
    part.write_bytes(bytes(n_bytes))
    return shelf.add(part, clip_id=clip_id, camera_id=CAMERA, begins_at=at, seconds=12.3456)


def test_it_works(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path / "clips")
    made = put(shelf)
    assert made.begins_at == NOON
    assert made.seconds == 12.346
    assert made.n_bytes == MB
    found = shelf.find(made.clip_id)
    assert found is not None
    assert found.read_bytes() == bytes(MB)
    assert shelf.find(uuid4()) is None
    assert [file.name for file in (tmp_path / "clips").iterdir()] == [found.name]


def test_opened_again_it_has_the_same_clips(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    kept = [put(shelf, at=NOON + timedelta(seconds=n, microseconds=n)) for n in range(3)]
    shelf.part(uuid4()).write_bytes(b"half a clip")
    (tmp_path / "notes.txt").write_text("of somebody else's")
    (tmp_path / "a_b_c_d.mp4").write_text("of somebody else's")
    again = shelf_in(tmp_path)
    assert len(again) == 3
    assert again.n_bytes == 3 * MB
    assert all(again.find(made.clip_id) for made in kept)
    assert [again.made(each.clip_id) for each in kept] == kept
    assert again.made(UUID(int=404)) is None
    assert not list(tmp_path.glob("*.part"))
    assert (tmp_path / "notes.txt").exists()


def test_too_much_and_the_oldest_go_first(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path, max_mb=3)
    with capture_logs() as logs:
        kept = [put(shelf, at=NOON + timedelta(minutes=n)) for n in (2, 1, 3, 4, 5)]
    assert shelf.n_bytes == 3 * MB
    assert [shelf.find(made.clip_id) is not None for made in kept] == [False, False, True, True,
                                                                       True]  # fmt: skip
    assert shelf.n_deleted == 2
    assert [entry["event"] for entry in logs] == ["clips.deleted_for_room"]


def test_too_old_and_it_goes(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path, max_days=2)
    old, new = put(shelf, at=NOON - timedelta(days=2)), put(shelf, at=NOON)
    shelf.expire(NOON + timedelta(hours=1))
    assert shelf.find(old.clip_id) is None
    assert shelf.find(new.clip_id) is not None
    assert shelf.n_deleted == 0


def test_a_disk_that_is_nearly_full_is_not_filled(tmp_path: Path) -> None:
    free = {"bytes": 2000 * MB}
    shelf = ClipShelf(
        tmp_path, max_mb=1000, max_days=7, min_free_mb=512, free=lambda _: free["bytes"]
    )
    first = put(shelf)
    free["bytes"] = 100 * MB
    with pytest.raises(ShelfFull):
        put(shelf)
    assert shelf.find(first.clip_id) is None
    assert list(tmp_path.iterdir()) == []


def test_a_clip_larger_than_the_shelf_is_not_kept_at_the_price_of_nothing_left_over(
    tmp_path: Path,
) -> None:
    shelf = shelf_in(tmp_path, max_mb=2)
    with pytest.raises(ShelfFull, match="does not fit"):
        put(shelf, n_bytes=3 * MB)
    assert list(tmp_path.iterdir()) == []


def test_a_clip_deleted_behind_our_back_costs_nothing(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path, max_mb=1)
    made = put(shelf)
    found = shelf.find(made.clip_id)
    assert found is not None
    found.unlink()
    put(shelf, at=NOON + timedelta(hours=1))
    assert len(shelf) == 1


@given(
    begins_at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants them so
    milliseconds=st.integers(0, 10**7),
    clip_id=st.uuids(),
)
def test_a_name_says_all(
    begins_at: datetime, milliseconds: int, clip_id: UUID, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kept = Kept(begins_at, clip_id, CAMERA, milliseconds, 3)
    folder = tmp_path_factory.mktemp("names")
    (folder / kept.file_name).write_bytes(b"abc")
    shelf = shelf_in(folder)
    assert list(shelf._kept.values()) == [kept]


KEEP_FOREVER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from edge_agent.clips.shelf import ClipShelf

shelf = ClipShelf(Path(sys.argv[1]), max_mb=2, max_days=9, free=lambda _: 10**12)
at = datetime(2026, 1, 1, tzinfo=UTC)
while True:
    at += timedelta(seconds=1)
    clip_id = uuid4()
    part = shelf.part(clip_id)
    part.write_bytes(clip_id.bytes * 4096)
    shelf.add(part, clip_id=clip_id, camera_id=clip_id, begins_at=at, seconds=1)
    print("kept", clip_id, flush=True)
"""


def test_killed_at_any_time_what_it_called_kept_is_whole(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KEEP_FOREVER, str(tmp_path)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(60)]
        process.kill()
        lines += process.stdout.readlines()
    told = [
        UUID(line[5:].strip()) for line in lines if line.startswith("kept ") and line.endswith("\n")
    ]
    shelf = shelf_in(tmp_path, max_mb=2)
    assert not list(tmp_path.glob("*.part"))
    assert shelf.n_bytes <= 2 * MB + 65536
    for clip_id in told[-20:]:  # of those before, some had to go
        file = shelf.find(clip_id)
        assert file is not None
        assert file.read_bytes() == clip_id.bytes * 4096

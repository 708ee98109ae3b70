"""A full disk and a damaged file: capture goes on, loss is counted, people are told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent import backlog as backlog_module
from edge_agent.outbox import Outbox
from processing.wire.messages import LANES, Gap, Lane
from tests.edge_agent.entries import NOW, Noticed, result, sample, wait_until


@pytest.fixture
def problems() -> Noticed:
    return Noticed()


@pytest.fixture
def outbox(tmp_path: Path, problems: Noticed) -> Iterator[Outbox]:
    outbox = open_outbox(tmp_path, problems)
    yield outbox
    outbox.close()


def open_outbox(tmp_path: Path, problems: Noticed) -> Outbox:
    return Outbox(
        tmp_path / "outbox.db", capacity_bytes=10_000_000, now=lambda: NOW, problems=problems
    )


def fill_disk(outbox: Outbox, *, n_more_pages: int = 0) -> None:
    """Let the file grow no further."""
    [(n_pages,)] = outbox._spool._db.execute("PRAGMA page_count")
    outbox._spool._db.execute(f"PRAGMA max_page_count = {n_pages + n_more_pages}").fetchall()


def free_disk(outbox: Outbox) -> None:
    outbox._spool._db.execute("PRAGMA max_page_count = 1000000").fetchall()


def count(outbox: Outbox, lane: Lane) -> tuple[int, int]:
    """Return how many entries of a lane are there, and how many are counted as lost."""
    there = lost = after_seq = 0
    while found := outbox.pending(lane, after_seq, limit=500, max_bytes=10**8).result(timeout=10):
        if isinstance(found, Gap):
            lost += found.last_seq - found.first_seq + 1
        else:
            there += len(found.bodies)
        after_seq = found.last_seq
    return there, lost


def test_a_full_disk_is_told_and_nothing_is_lost_if_it_is_soon_free(
    outbox: Outbox, problems: Noticed
) -> None:
    outbox.states().result(timeout=10)
    fill_disk(outbox)
    for n in range(200):
        outbox.append(result(n, n_detections=20))
    wait_until(lambda: "outbox" in problems.open)
    assert "disk is full" in problems.open["outbox"]
    free_disk(outbox)
    wait_until(lambda: not problems.open)
    assert count(outbox, "results") == (200, 0)


def test_pictures_make_room_for_results_on_a_full_disk(outbox: Outbox) -> None:
    for n in range(20):
        outbox.append(sample(n, n_bytes=50_000))
    outbox.states().result(timeout=10)
    fill_disk(outbox)
    for n in range(100):
        outbox.append(result(n))
    wait_until(lambda: count(outbox, "results") == (100, 0))
    there, lost = count(outbox, "media")
    assert there + lost == 20
    assert lost > 0


def test_what_finds_no_room_even_in_memory_is_counted(
    outbox: Outbox, problems: Noticed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog_module, "MAX_ENTRIES", 50)
    outbox.states().result(timeout=10)
    fill_disk(outbox)
    for n in range(500):
        outbox.append(result(n, n_detections=20))
    wait_until(lambda: "outbox" in problems.open)
    free_disk(outbox)
    wait_until(lambda: not problems.open)
    there, lost = count(outbox, "results")
    assert there + lost == 500
    assert lost > 0


def test_a_file_full_of_rubbish_is_put_aside(tmp_path: Path, problems: Noticed) -> None:
    (tmp_path / "outbox.db").write_bytes(bytes(range(256)) * 100)
    outbox = open_outbox(tmp_path, problems)
    try:
        assert "outbox.damaged" in problems.open
        assert len(list(tmp_path.glob("outbox.db.corrupt-*"))) == 1
        assert count(outbox, "alerts") == (1, 0)  # a person is told
    finally:
        outbox.close()


def test_what_can_be_read_of_a_damaged_file_is_saved(tmp_path: Path, problems: Noticed) -> None:
    outbox = open_outbox(tmp_path, problems)
    epoch = outbox.epoch
    for n in range(300):
        outbox.append(result(n))
    outbox.close()
    path = tmp_path / "outbox.db"
    damaged = bytearray(path.read_bytes())
    damaged[-4096:] = bytes(4096)  # the last page
    path.write_bytes(damaged)

    outbox = open_outbox(tmp_path, problems)
    try:
        assert outbox.epoch != epoch
        there, _ = count(outbox, "results")
        assert 200 < there < 300
    finally:
        outbox.close()


def test_the_ballast_gives_way_and_comes_back(tmp_path: Path, outbox: Outbox) -> None:
    ballast = tmp_path / "outbox.ballast"
    assert ballast.exists()
    outbox._ballast.release()
    assert not ballast.exists()
    outbox.append(result())
    wait_until(ballast.exists)


def test_all_lanes_are_told(outbox: Outbox) -> None:
    assert tuple(state.lane for state in outbox.states().result(timeout=10)) == LANES

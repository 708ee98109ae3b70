"""A disk that is really full: what is worth most is kept, what is lost is counted, all is read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from edge_agent.outbox import Outbox
from processing.wire.messages import Gap, Lane
from tests.chaos.small_disk import Neighbour, small_disk
from tests.edge_agent.entries import NOW, Noticed, event, result, sample, wait_until

N_PICTURES: Final = 600
PICTURE_BYTES: Final = 60_000
N_RESULTS: Final = 2_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Smaller than all the pictures."""
    with small_disk(tmp_path / "disk", megabytes=24) as disk:
        yield disk


@pytest.fixture
def problems() -> Noticed:
    return Noticed()


@pytest.fixture
def outbox(disk: Path, problems: Noticed) -> Iterator[Outbox]:
    """It believes that it may have more than there is."""
    outbox = Outbox(disk / "outbox.db", capacity_bytes=10**9, now=lambda: NOW, problems=problems)
    yield outbox
    outbox.close()


def drain(outbox: Outbox, lane: Lane) -> tuple[int, int]:
    """Read a lane and acknowledge it; return how many entries came, and how many are lost."""
    came = lost = after_seq = 0
    while found := outbox.pending(lane, after_seq, limit=100, max_bytes=10**6).result(timeout=20):
        after_seq = found.last_seq
        if isinstance(found, Gap):
            lost += found.last_seq - found.first_seq + 1
        else:
            came += len(found.bodies)
        outbox.ack(lane, outbox.epoch, after_seq)
    return came, lost


def test_pictures_that_fill_the_disk_make_room_for_results(outbox: Outbox) -> None:
    for n in range(N_PICTURES):
        outbox.append(sample(n, n_bytes=PICTURE_BYTES))
        outbox.append(result(n))
        if n % 20 == 0:
            outbox.states().result(timeout=60)  # the disk shall fill, not the memory
    outbox.append(event())
    wait_until(lambda: outbox.last_seq("alerts") == 1, timeout_s=10.0)
    assert drain(outbox, "results") == (N_PICTURES, 0)
    came, lost = drain(outbox, "media")
    assert came + lost == N_PICTURES
    assert lost > N_PICTURES // 4


def test_a_disk_that_others_have_filled_is_drained_and_then_used_again(
    outbox: Outbox, disk: Path, problems: Noticed
) -> None:
    for n in range(N_RESULTS):
        outbox.append(result(n))
    outbox.states().result(timeout=20)
    with Neighbour(disk):
        for n in range(N_RESULTS):
            outbox.append(result(N_RESULTS + n, n_detections=20))
        came, lost = drain(outbox, "results")
        assert came + lost >= N_RESULTS
    outbox.append(result(2 * N_RESULTS))
    wait_until(lambda: outbox.last_seq("results") == 2 * N_RESULTS + 1)
    wait_until(lambda: not problems.open)
    came, lost = drain(outbox, "results")
    assert came + lost == 2 * N_RESULTS + 1
    assert came > 0

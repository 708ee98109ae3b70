"""The agent's disk is full while its hub is away: it goes on, drains, and counts what it lost."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from edge_agent.backlog import MAX_ENTRIES
from tests.chaos.reckoning import Frame, frame_of, lost_ranges, read_ledger, reckon
from tests.chaos.small_disk import Neighbour, small_disk
from tests.journeys.ledger import Key, stored_rows
from tests.journeys.processes import Agent, Hub, wait_for

N_LOST: Final = 500
"""About how many results shall find no room even in memory; some are between it and the disk."""


@pytest.fixture
def disk(tmp_path: Path, agent: Agent) -> Iterator[Path]:
    """A small disk that has all of the agent's data, but not its clips and compiled networks."""
    with small_disk(tmp_path / "disk", megabytes=32) as disk:
        shutil.copytree(agent.data_dir, disk / "agent")
        agent.environment.update(
            FARWATCH_DATA_DIR=str(disk / "agent"),
            FARWATCH_CACHE_DIR=str(tmp_path / "cache"),
            FARWATCH_CLIPS_DIR=str(tmp_path / "clips"),
        )
        yield disk
        agent.stop()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", [""], ids=["sqlite"])
@pytest.mark.parametrize("fps", [100])  # so that memory is full soon, too
def test_a_full_disk_drains_and_what_is_lost_is_counted(hub: Hub, agent: Agent, disk: Path) -> None:
    agent.start()
    wait_for("it stores results", lambda: n_made(agent) >= 100)
    hub.web.kill()

    with Neighbour(disk):
        wait_for(
            "disk and memory are full",
            lambda: n_waiting(agent) >= MAX_ENTRIES + N_LOST,
            timeout_s=150,
        )
        on_disk = read_ledger(agent.ledger)[1].keys()
        hub.start()
        wait_for(
            "what is on the full disk is delivered or counted",
            lambda: not on_disk - keys_at(hub) - keys_lost(hub),
            timeout_s=90,
        )

    meant = read_ledger(agent.ledger)[0]
    wait_for(
        "all of it is delivered or counted",
        lambda: n_missing(meant, hub) == len(keys_lost(hub)),
        timeout_s=90,
    )
    n_then = n_made(agent)
    wait_for("results are stored as ever", lambda: n_made(agent) >= n_then + 100)
    assert agent.program.stop() == 0

    found = reckon(agent.ledger, hub)
    assert keys_lost(hub)
    assert found.doubled == []
    assert found.altered == []
    assert len({key.epoch for key, _ in found.stored}) == 1  # the file was never given up


def n_made(agent: Agent) -> int:
    return agent.ledger.read_bytes().count(b"made ") if agent.ledger.exists() else 0


def n_waiting(agent: Agent) -> int:
    """Return how many results are in memory, or lost."""
    lines = agent.ledger.read_bytes()
    return lines.count(b"intent ") - lines.count(b"made ")


def n_missing(meant: Counter[Frame], hub: Hub) -> int:
    """Return how many of these the hub does not have."""
    return (meant - Counter(frame_of(row) for row in stored_rows(hub))).total()


def keys_at(hub: Hub) -> set[Key]:
    return {row.key for row in stored_rows(hub)}


def keys_lost(hub: Hub) -> set[Key]:
    """Return the numbers of results that will never come, as the hub was told."""
    return {
        Key(lost.epoch, seq)
        for lost in lost_ranges(hub)
        if lost.lane == "results"
        for seq in range(lost.first_seq, lost.last_seq + 1)
    }

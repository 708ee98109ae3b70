"""A process killed while it appends: what its ledger calls made is there, under its number."""

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from edge_agent.outbox import Outbox
from edge_agent.spool.spool import Run
from tests.edge_agent.entries import NOW, Noticed, wait_until

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("append_forever.py")
CAPACITY_BYTES = 50_000_000
KILLS_BETWEEN_LOOKS = 5
"""What so many lives append does not fill the outbox."""


def append_and_kill(path: Path, ledger: Path, *, after_s: float) -> None:
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(path), str(ledger)], cwd=ROOT, env={"PYTHONPATH": "."}
    )
    n_before = n_made(ledger)
    try:
        wait_until(lambda: n_made(ledger) > n_before)
        time.sleep(after_s)
    finally:
        process.kill()
        process.wait()


def n_made(ledger: Path) -> int:
    return ledger.read_bytes().count(b"made") if ledger.exists() else 0


def made_numbers(ledger: Path) -> list[tuple[int, int]]:
    lines = [line.split() for line in ledger.read_text().splitlines()]
    return [(int(line[1]), int(line[3])) for line in lines if line[0] == "made"]


def read_on(outbox: Outbox, after_seq: int) -> int:
    """Return the last number, with none missing after `after_seq`."""
    while found := outbox.pending("results", after_seq, limit=500, max_bytes=10**8).result(
        timeout=10
    ):
        assert isinstance(found, Run)  # nothing is missing in between
        assert found.first_seq == after_seq + 1
        after_seq = found.last_seq
    return after_seq


def check(folder: Path, *, rounds: int) -> None:
    """Kill again and again; now and then look whether all is there, and take it off, as a hub."""
    path, dice, last_seq = folder / "outbox.db", random.Random(7), 0
    for number in range(0, rounds, KILLS_BETWEEN_LOOKS):
        ledger = folder / f"ledger-{number}"
        for _ in range(min(KILLS_BETWEEN_LOOKS, rounds - number)):
            append_and_kill(path, ledger, after_s=dice.uniform(0.0, 0.3))
        before = last_seq
        outbox = Outbox(path, capacity_bytes=CAPACITY_BYTES, now=lambda: NOW, problems=Noticed())
        try:
            last_seq = read_on(outbox, before)
            outbox.ack("results", outbox.epoch, last_seq)
        finally:
            outbox.close()
        made = made_numbers(ledger)
        assert len(set(made)) == len(made)
        assert {epoch for epoch, _ in made} == {outbox.epoch}
        assert all(before < seq <= last_seq for _, seq in made)
        n_intended = ledger.read_text().count("intent")
        assert len(made) <= last_seq - before <= n_intended


def test_nothing_made_is_lost_and_no_number_is_given_twice(
    tmp_path: Path, soaked: Callable[[int], int]
) -> None:
    check(tmp_path, rounds=soaked(150))

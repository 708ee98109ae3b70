"""Agent and hub are killed at any moment, over and over: each result arrives once, unaltered."""

import random
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import pytest

from tests.chaos.conftest import N_CAMERAS
from tests.chaos.reckoning import lost_ranges, read_ledger, reckon
from tests.journeys.ledger import n_stored
from tests.journeys.processes import Agent, Hub, Program, wait_for

N_KILLS: Final = 200
SEED: Final = 20_261_122
SHARE_AT_WORK: Final = 0.7
"""So many of the kills wait until results flow; the others also hit programs that just start."""
PATIENCE_S: Final = 150.0


@pytest.mark.timeout(6 * 3600)
def test_whoever_is_killed_whenever_every_result_arrives_once_and_unaltered(
    hub: Hub, agent: Agent, soaked: Callable[[int], int]
) -> None:
    dice = random.Random(SEED)
    agent.start()
    for n in range(soaked(N_KILLS)):
        # The first kills are one of each, so that the short run has both.
        victim = (agent.program, hub.web)[n] if n < 2 else dice.choice((agent.program, hub.web))
        if dice.random() < SHARE_AT_WORK:
            wait_for_results(hub, more_than=n_stored(hub))
        time.sleep(dice.uniform(0.0, 1.0))
        kill_and_start_again(victim, away_s=dice.uniform(0.0, 1.0))
    assert_nothing_is_wrong(hub, agent)


def kill_and_start_again(victim: Program, *, away_s: float) -> None:
    assert victim.is_running, f"{victim.name} ended by itself: see {victim.log}"
    victim.kill()
    time.sleep(away_s)
    victim.start()


def wait_for_results(hub: Hub, *, more_than: int) -> None:
    has_more = partial(lambda: n_stored(hub) > more_than)
    wait_for("results flow again", has_more, timeout_s=PATIENCE_S)


def assert_nothing_is_wrong(hub: Hub, agent: Agent) -> None:
    """Let all that was made arrive, stop the agent, and compare."""
    wait_for_results(hub, more_than=n_stored(hub))  # who only just starts cannot stop in order
    _, made = read_ledger(agent.ledger)
    wait_for(
        "all that was made is in the table",
        lambda: not made.keys() - {key for key, _ in reckon(agent.ledger, hub).stored},
        timeout_s=PATIENCE_S,
    )
    assert agent.program.is_running, f"it ended by itself: see {agent.program.log}"
    assert agent.program.stop() == 0
    found = reckon(agent.ledger, hub)
    assert found.lost & made.keys() == set()
    assert found.doubled == []
    assert found.altered == []
    assert len({key.epoch for key, _ in found.stored}) == 1  # the file was never given up
    assert len(found.n_by_camera) == N_CAMERAS
    assert lost_ranges(hub) == []

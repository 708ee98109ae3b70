"""Every result that the agent made is in the table exactly once, whoever is killed."""

import time
from functools import partial

from tests.journeys.ledger import n_stored, read_books
from tests.journeys.processes import Agent, Hub, wait_for

HUB_AWAY_S = 20.0


def test_results_flow_from_a_video_to_the_table(hub: Hub, agent: Agent) -> None:
    agent.start()
    wait_for("20 results are stored", lambda: n_stored(hub) >= 20)
    assert_books_agree(hub, agent)


def test_a_hub_killed_for_20_seconds_loses_nothing(hub: Hub, agent: Agent) -> None:
    agent.start()
    wait_for("20 results are stored", lambda: n_stored(hub) >= 20)

    hub.web.kill()
    n_before = len(read_books(agent.ledger, hub).made)
    time.sleep(HUB_AWAY_S)
    n_meanwhile = len(read_books(agent.ledger, hub).made) - n_before
    assert n_meanwhile > HUB_AWAY_S  # the camera did not wait for the hub

    hub.start()
    assert_books_agree(hub, agent)


def test_an_agent_killed_again_and_again_loses_nothing(hub: Hub, agent: Agent) -> None:
    for _ in range(3):
        wanted = n_stored(hub) + 10
        agent.start()
        wait_for("it makes results again", partial(has_stored, hub, wanted))
        agent.program.kill()
    assert_books_agree(hub, agent)


def has_stored(hub: Hub, wanted: int) -> bool:
    return n_stored(hub) >= wanted


def assert_books_agree(hub: Hub, agent: Agent) -> None:
    """Let what is still in the outbox arrive, stop the agent, compare the books."""
    if not agent.program.is_running:
        agent.start()
    made = set(read_books(agent.ledger, hub).made)
    wait_for(
        "all is delivered",
        lambda: made <= {row.key for row in read_books(agent.ledger, hub).stored},
        timeout_s=90,
    )
    agent.stop()
    books = read_books(agent.ledger, hub)
    # What was made while it stopped may still lie in the outbox; nothing older may.
    assert books.lost & made == set()
    assert books.doubled == set()
    assert books.altered == []
    assert books.invented == []

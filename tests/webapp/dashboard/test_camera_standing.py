"""How a camera and an agent are, in the words a person reads first."""

from datetime import timedelta

import pytest

from tests.factories import START
from webapp.dashboard.standing import (
    agent_problems,
    agent_standing,
    agent_urgency,
    camera_standing,
    camera_urgency,
)
from webapp.fleet.models import Agent, Camera

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(agent: Agent) -> Agent:
    """An agent that is connected."""
    agent.is_connected, agent.last_seen_at = True, START
    agent.reported_version = agent.desired_version
    return agent


@pytest.fixture
def camera(camera: Camera, agent: Agent) -> Camera:
    camera.agent = agent
    return camera


def test_it_works(camera: Camera) -> None:
    camera.state = Camera.State.ONLINE
    standing = camera_standing(camera, at=START)
    assert (standing.tone, standing.word, standing.reason) == ("ok", "Live", "")


@pytest.mark.parametrize(
    ("state", "tone", "word"),
    [
        (Camera.State.CONNECTING, "warn", "Connecting"),
        (Camera.State.UNREACHABLE, "err", "Unreachable"),
        (Camera.State.DISABLED, "idle", "Off"),
        (Camera.State.UNKNOWN, "warn", "Waiting for the agent"),
    ],
)
def test_every_state_has_a_word(camera: Camera, state: str, tone: str, word: str) -> None:
    camera.state = state
    standing = camera_standing(camera, at=START)
    assert (standing.tone, standing.word) == (tone, word)


def test_the_agents_reason_is_shown_as_it_is(camera: Camera) -> None:
    camera.state, camera.state_reason = Camera.State.UNREACHABLE, "401: wrong password"
    assert camera_standing(camera, at=START).reason == "401: wrong password"


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("401 Unauthorized", "password"),
        ("Connection refused", "port"),
        ("No route to host", "cable"),
        ("404 Not Found", "path"),
        ("something nobody has seen yet", ""),
    ],
)
def test_an_unreachable_camera_comes_with_advice(camera: Camera, reason: str, advice: str) -> None:
    camera.state, camera.state_reason = Camera.State.UNREACHABLE, reason
    said = camera_standing(camera, at=START).advice
    assert advice in said
    assert bool(said) == bool(advice)


def test_a_silent_agent_hides_what_its_cameras_said_last(camera: Camera, agent: Agent) -> None:
    camera.state = Camera.State.ONLINE
    standing = camera_standing(camera, at=START + timedelta(minutes=5))
    assert (standing.tone, standing.word) == ("err", "Agent offline")
    assert agent.name in standing.reason


def test_a_camera_that_is_switched_off_is_no_alarm(camera: Camera) -> None:
    camera.is_enabled = False
    assert camera_standing(camera, at=START + timedelta(days=1)).tone == "idle"


def test_what_needs_a_person_comes_first(camera: Camera) -> None:
    order = []
    for state in (Camera.State.ONLINE, Camera.State.UNREACHABLE, Camera.State.CONNECTING):
        camera.state = state
        order.append((camera_standing(camera, at=START).urgency, state))
    assert [state for _, state in sorted(order)] == [
        Camera.State.UNREACHABLE,
        Camera.State.CONNECTING,
        Camera.State.ONLINE,
    ]


def test_an_agents_problems_are_its_own_words_and_what_the_hub_sees(agent: Agent) -> None:
    agent.problems = ["The disk is full."]
    agent.clock_offset_ms = -65_000.0
    agent.n_pending = 12_000
    agent.desired_version = 9
    problems = agent_problems(agent)
    assert problems[0] == "The disk is full."
    assert "65 s behind" in problems[1]
    assert "12,000" in problems[2]
    assert "newest settings" in problems[3]
    assert agent_standing(agent, at=START).tone == "warn"


def test_a_well_agent_has_none(agent: Agent) -> None:
    assert agent_problems(agent) == ()
    assert agent_standing(agent, at=START).word == "Online"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"is_revoked": True}, "Revoked"),
        ({"last_seen_at": None}, "Never connected"),
        ({"is_connected": False}, "Offline"),
    ],
)
def test_an_agent_that_is_not_there(agent: Agent, changes: dict[str, object], word: str) -> None:
    for name, value in changes.items():
        setattr(agent, name, value)
    assert agent_standing(agent, at=START).word == word


@pytest.mark.parametrize("of_agent", [{}, {"is_connected": False}, {"is_revoked": True}])
@pytest.mark.parametrize("of_camera", [{}, {"is_enabled": False}])
def test_the_database_sorts_cameras_by_the_urgency_that_people_see(
    camera: Camera, of_agent: dict[str, object], of_camera: dict[str, object]
) -> None:
    Agent.objects.update(is_connected=True, last_seen_at=START)
    Agent.objects.update(**of_agent)
    for state in Camera.State:
        Camera.objects.update(state=state, **of_camera)
        sorted_by = Camera.objects.annotate(urgency=camera_urgency(at=START)).get()
        assert sorted_by.urgency == camera_standing(sorted_by, at=START).urgency


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"last_seen_at": None},
        {"last_seen_at": START - timedelta(seconds=31)},
        {"is_connected": False},
        {"is_revoked": True},
        {"problems": ["the disk is nearly full"]},
        {"clock_offset_ms": -6000.0},
        {"clock_offset_ms": 6000.0},
        {"clock_offset_ms": 100.0},
        {"n_pending": 3000},
        {"slowed_to_per_s": 10},
        {"desired_version": 9},
        {"desired_version": 9, "is_connected": False},
    ],
)
def test_the_database_sorts_agents_by_the_urgency_that_people_see(
    agent: Agent, fields: dict[str, object]
) -> None:
    Agent.objects.update(
        is_connected=True, last_seen_at=START, reported_version=agent.desired_version
    )
    Agent.objects.update(**fields)
    sorted_by = Agent.objects.annotate(urgency=agent_urgency(at=START)).get()
    assert sorted_by.urgency == agent_standing(sorted_by, at=START).urgency

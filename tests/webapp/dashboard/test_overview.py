"""The overview: what needs a person first, and no more questions for more cameras."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.factories import make_agent, make_camera, make_event, make_review_item, make_sample
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.dashboard import queries
from webapp.dashboard.queries import camera_cards, headline
from webapp.fleet.models import Agent, Bundle, Camera, Site
from webapp.results.models import CameraMinute


def bring_online(agent: Agent) -> None:
    agent.is_connected, agent.last_seen_at = True, now()
    agent.save()


def test_it_works(client: Client, olga: User, camera: Camera, bundle: Bundle) -> None:
    bring_online(camera.agent)
    Camera.objects.update(state=Camera.State.ONLINE)
    sample = make_sample(camera, bundle)
    make_review_item(sample)
    make_event(camera.organization, title="Something to know", camera=camera)
    client.force_login(olga)
    page = client.get("/")
    assert page.status_code == 200
    assert camera.name in page.text
    assert "Something to know" in page.text
    assert f"/media/{sample.pk}/" in page.text
    assert f"/cameras/{camera.pk}/" in page.text


def test_an_empty_hub_says_what_to_do_next(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert "Add an agent" in client.get("/").text


def test_a_labeler_sees_the_wall_but_is_led_nowhere_they_may_not_go(
    client: Client, bob: User, camera: Camera
) -> None:
    client.force_login(bob)
    page = client.get("/").text
    assert camera.name in page
    assert f"/cameras/{camera.pk}/" not in page
    assert "/live/camera/" not in page
    assert 'href="/agents/"' not in page


def test_a_stranger_sees_nothing_of_others(client: Client, charlie: User, camera: Camera) -> None:
    make_event(camera.organization, title="Ours alone")
    client.force_login(charlie)
    page = client.get("/").text
    assert camera.name not in page
    assert "Ours alone" not in page


def test_figures_count_what_is_there(olga: User, camera: Camera, bundle: Bundle) -> None:
    at = now()
    bring_online(camera.agent)
    Camera.objects.update(state=Camera.State.ONLINE)
    make_camera(camera.agent, is_enabled=False)
    make_agent(camera.agent.site)
    make_review_item(make_sample(camera, bundle))
    CameraMinute.objects.create(
        camera=camera,
        organization=camera.organization,
        minute_at=at.replace(second=0, microsecond=0) - timedelta(minutes=1),
        n_results=600,
    )
    figures = headline(olga, at=at)
    assert (figures.n_agents_online, figures.n_agents) == (1, 2)
    assert (figures.n_cameras_online, figures.n_cameras) == (1, 1)
    assert (figures.results_per_s, figures.n_waiting) == (10.0, 1)


def test_cards_that_need_a_person_come_first(olga: User, agent: Agent) -> None:
    bring_online(agent)
    for name, state in (("A", "online"), ("B", "unreachable"), ("C", "connecting")):
        make_camera(agent, name=name, state=state)
    assert [card.camera.name for card in camera_cards(olga, at=now())] == ["B", "C", "A"]


def test_of_many_cameras_those_that_need_a_person_are_shown(
    olga: User, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MAX_CARDS", 2)
    bring_online(agent)
    for name, state in (("A", "online"), ("B", "online"), ("C", "connecting"), ("D", "disabled")):
        make_camera(agent, name=name, state=state)
    make_camera(make_agent(agent.site), name="E", state="online")
    assert [card.camera.name for card in camera_cards(olga, at=now())] == ["E", "C"]


def test_of_many_agents_the_list_shows_those_that_need_a_person_and_how_many_there_are(
    client: Client, olga: User, site: Site
) -> None:
    for number in range(10):
        bring_online(make_agent(site, name=f"Well {number}"))
    make_agent(site, name="Zoe", last_seen_at=now())
    client.force_login(olga)
    part = client.get("/_agents/").text
    assert part.index("Zoe") < part.index("Well 0")
    assert "Well 9" not in part
    assert "11 agents in all" in part


@pytest.mark.parametrize("path", ["/", "/_wall/", "/_agents/", "/agents/"])
def test_more_cameras_cost_no_more_queries(
    client: Client,
    alice: User,
    site: Site,
    bundle: Bundle,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    path: str,
) -> None:
    for _ in range(3):
        agent = make_agent(site)
        for _ in range(6):
            make_sample(make_camera(agent), bundle)
    client.force_login(alice)
    with django_assert_max_num_queries(22):
        assert client.get(path).status_code == 200

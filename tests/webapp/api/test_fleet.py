"""Sites, agents, cameras and join tokens over HTTP: operators read, admins write."""

import pytest
from django.test import Client

from tests.factories import make_agent, make_camera, make_organization, make_site, make_user
from webapp.accounts.models import Membership, Organization, Role, User
from webapp.common.models import Change
from webapp.fleet.models import Agent, Camera, JoinToken, Site

JSON = "application/json"


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def theirs(charlie: User) -> Camera:
    """A camera of somebody else."""
    return make_camera(make_agent(make_site(charlie.organizations.get())), name="Theirs")


def test_it_works(admin: Client, agent: Agent) -> None:
    wanted = {"agent": str(agent.id), "name": "Yard", "source": "rtsp://10.0.0.7/main"}
    answer = admin.post("/api/v1/cameras/", wanted, content_type=JSON)
    assert answer.status_code == 201, answer.content
    camera = Camera.objects.get()
    said = answer.json()
    assert said["id"] == str(camera.id)
    assert (said["state"], said["analysed_fps"], said["labels"]) == ("unknown", 10.0, [])
    agent.refresh_from_db()
    assert agent.desired_version == 2
    assert Change.objects.filter(topic="cameras").exists()


def test_what_is_wanted_of_a_camera_can_be_changed(admin: Client, camera: Camera) -> None:
    path = f"/api/v1/cameras/{camera.id}/"
    wanted = {"score_threshold": 0.6, "labels": ["car"], "sample_policy": {"every_s": 30}}
    assert admin.patch(path, wanted, content_type=JSON).status_code == 200
    camera.refresh_from_db()
    assert (camera.score_threshold, camera.labels) == (0.6, ["car"])
    assert camera.agent.desired_version == 2


def test_what_an_agent_reports_is_not_written_by_people(admin: Client, camera: Camera) -> None:
    path = f"/api/v1/cameras/{camera.id}/"
    forged = {"state": "online", "n_frames": 9, "organization": str(make_organization().id)}
    assert admin.patch(path, forged, content_type=JSON).status_code == 200
    camera.refresh_from_db()
    assert (camera.state, camera.n_frames, camera.organization.name) == ("unknown", 0, "Acme")
    assert camera.agent.desired_version == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", "gopher://x"),
        ("source", "file:../../etc/passwd"),
        ("source", ""),
        ("name", ""),
        ("name", "x" * 201),
        ("analysed_fps", 0),
        ("analysed_fps", 1e9),
        ("score_threshold", 1.5),
        ("labels", "car"),
        ("sample_policy", {"low_score": 7}),
        ("sample_policy", {"low_score": "high"}),
        ("is_enabled", "perhaps"),
        ("agent", "not-an-id"),
    ],
)
def test_what_no_agent_would_accept_is_refused(
    admin: Client, camera: Camera, field: str, value: object
) -> None:
    path = f"/api/v1/cameras/{camera.id}/"
    answer = admin.patch(path, {field: value}, content_type=JSON)
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"]


def test_a_name_that_is_taken_is_refused(admin: Client, camera: Camera) -> None:
    wanted = {"agent": str(camera.agent_id), "name": camera.name, "source": "usb:0"}
    answer = admin.post("/api/v1/cameras/", wanted, content_type=JSON)
    assert answer.status_code == 400
    assert Camera.objects.count() == 1


def test_a_camera_is_not_given_to_somebody_elses_agent(admin: Client, theirs: Camera) -> None:
    wanted = {"agent": str(theirs.agent_id), "name": "Yard", "source": "usb:0"}
    answer = admin.post("/api/v1/cameras/", wanted, content_type=JSON)
    assert answer.status_code == 400
    assert "agent" in answer.json()["errors"]


def test_a_camera_stays_with_its_agent(admin: Client, camera: Camera) -> None:
    other = make_agent(camera.agent.site)
    path = f"/api/v1/cameras/{camera.id}/"
    answer = admin.patch(path, {"agent": str(other.id)}, content_type=JSON)
    assert "agent" in answer.json()["errors"]


def test_a_camera_can_be_forgotten(admin: Client, camera: Camera) -> None:
    assert admin.delete(f"/api/v1/cameras/{camera.id}/").status_code == 204
    assert not Camera.objects.exists()


def test_operators_read_and_do_not_write(client: Client, olga: User, camera: Camera) -> None:
    client.force_login(olga)
    path = f"/api/v1/cameras/{camera.id}/"
    assert client.get(path).json()["name"] == "Gate"
    for answer in (
        client.patch(path, {"name": "Mine"}, content_type=JSON),
        client.delete(path),
        client.post("/api/v1/cameras/", {}, content_type=JSON),
        client.post("/api/v1/join-tokens/", {}, content_type=JSON),
        client.get("/api/v1/join-tokens/"),
        client.post(f"/api/v1/agents/{camera.agent_id}/revoke/"),
    ):
        assert answer.status_code == 403


def test_lists_hold_only_the_organizations_own_rows(
    admin: Client, camera: Camera, theirs: Camera
) -> None:
    for name in ("sites", "agents", "cameras"):
        answer = admin.get(f"/api/v1/{name}/")
        assert len(answer.json()["results"]) == 1
        assert answer.headers["Cache-Control"] == "private, no-store"
    assert admin.get(f"/api/v1/cameras/{theirs.id}/").status_code == 404
    assert admin.get(f"/api/v1/cameras/?agent={theirs.agent_id}").json()["results"] == []


def test_an_admin_here_who_is_an_operator_there_writes_only_here(
    admin: Client, alice: User, theirs: Camera
) -> None:
    Membership.objects.create(user=alice, organization=theirs.organization, role=Role.OPERATOR)
    path = f"/api/v1/cameras/{theirs.id}/"
    assert admin.get(path).status_code == 200
    assert admin.patch(path, {"name": "Mine"}, content_type=JSON).status_code == 404


def test_a_site_is_added_and_renamed(admin: Client) -> None:
    answer = admin.post("/api/v1/sites/", {"name": "Dock"}, content_type=JSON)
    assert answer.status_code == 201, answer.content
    path = f"/api/v1/sites/{answer.json()['id']}/"
    assert admin.patch(path, {"name": "Pier"}, content_type=JSON).json()["name"] == "Pier"
    answer = admin.post("/api/v1/sites/", {"name": "Pier"}, content_type=JSON)
    assert answer.status_code == 400


def test_who_is_in_several_organizations_says_which(admin: Client, alice: User) -> None:
    other = make_organization("Second")
    Membership.objects.create(user=alice, organization=other, role=Role.ADMIN)
    answer = admin.post("/api/v1/sites/", {"name": "Dock"}, content_type=JSON)
    assert "organization" in answer.json()["errors"]
    wanted = {"name": "Dock", "organization": str(other.id)}
    assert admin.post("/api/v1/sites/", wanted, content_type=JSON).status_code == 201
    assert Site.objects.get().organization == other


def test_a_site_is_not_added_to_somebody_elses_organization(admin: Client, charlie: User) -> None:
    wanted = {"name": "Dock", "organization": str(charlie.organizations.get().id)}
    assert admin.post("/api/v1/sites/", wanted, content_type=JSON).status_code == 400


def test_a_join_token_is_shown_once(admin: Client, site: Site) -> None:
    answer = admin.post("/api/v1/join-tokens/", {"site": str(site.id)}, content_type=JSON)
    assert answer.status_code == 201
    assert "no-store" in answer.headers["Cache-Control"]
    secret = answer.json()["token"]
    token = JoinToken.objects.get()
    assert token.id.hex in secret
    listed = admin.get("/api/v1/join-tokens/").content.decode()
    assert secret not in listed
    assert token.secret_hash not in listed


def test_an_agent_can_be_shut_out(admin: Client, agent: Agent) -> None:
    answer = admin.post(f"/api/v1/agents/{agent.id}/revoke/")
    assert answer.json()["is_revoked"] is True


def test_pages_follow_each_other_without_gaps(admin: Client, agent: Agent) -> None:
    names = {make_camera(agent).name for _ in range(7)}
    found: list[str] = []
    url = "/api/v1/cameras/?page_size=3"
    while url:
        page = admin.get(url).json()
        assert len(page["results"]) <= 3
        found += [camera["name"] for camera in page["results"]]
        url = page["next"]
    assert sorted(found) == sorted(names)


def test_a_page_has_an_end(admin: Client, acme: Organization) -> None:
    Site.objects.bulk_create(Site(organization=acme, name=f"Site {n}") for n in range(510))
    assert len(admin.get("/api/v1/sites/?page_size=1000000").json()["results"]) == 500


def test_a_superuser_sees_all(client: Client, camera: Camera, theirs: Camera) -> None:
    root = make_user("root")
    User.objects.filter(pk=root.pk).update(is_superuser=True)
    client.force_login(root)
    assert len(client.get("/api/v1/cameras/").json()["results"]) == 2

"""What people want of a camera is read strictly, and what is wrong is said by its field."""

from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processing.wire.camera import Privacy, Region, Schedule, Tiling, Window
from processing.wire.scene import Crossed, InZone, Line, Rule, Scene, Tampered, Zone
from tests.factories import START
from webapp.accounts.models import User
from webapp.fleet.actions import add_camera, update_camera
from webapp.fleet.models import Agent, Camera
from webapp.fleet.queries import build_desired_state
from webapp.fleet.wishes import POLICIES, BadWish, Policies, plain, read_wish

SQUARE = ((0.1, 0.1), (0.4, 0.1), (0.4, 0.5), (0.1, 0.5))
ZONE = Zone(zone_id=uuid4(), name="Door", polygon=SQUARE)
LINE = Line(line_id=uuid4(), name="Kerb", start=(0.1, 0.9), end=(0.9, 0.8))
IN_ZONE = Rule(rule_id=uuid4(), name="At the door", condition=InZone(zone_id=ZONE.zone_id))
CROSSED = Rule(rule_id=uuid4(), name="Over the kerb", condition=Crossed(line_id=LINE.line_id))
SCENE = Scene(zones=(ZONE,), lines=(LINE,), rules=(IN_ZONE, CROSSED))


def changed(**fields: Any) -> dict[str, Any]:
    """Return the scene as JSON with other members."""
    return {**plain(SCENE), **fields}


def test_it_works(agent: Agent) -> None:
    camera = add_camera(
        agent,
        at=START,
        name="Gate",
        source="usb:0",
        policies={"tiling": {"columns": 2}, "privacy": {"hides_faces": True}},
        scene=plain(SCENE),
    )
    agent.refresh_from_db()
    (told,) = build_desired_state(agent).cameras
    assert told.scene == SCENE
    assert told.tiling == Tiling(columns=2)
    assert told.privacy == Privacy(hides_faces=True)
    assert told.region == Region()
    assert camera.drawing_revision == 0


def test_an_update_of_one_policy_leaves_the_others_and_raises_the_version(agent: Agent) -> None:
    camera = add_camera(
        agent, at=START, name="Gate", source="usb:0", policies={"privacy": {"zones": [SQUARE]}}
    )
    camera = update_camera(camera, at=START, policies={"gate": {"is_on": True}})
    agent.refresh_from_db()
    state = build_desired_state(agent)
    assert state.version == 3
    assert state.cameras[0].privacy.zones == (SQUARE,)
    assert state.cameras[0].gate.is_on


@pytest.mark.parametrize(
    ("policies", "path"),
    [
        ({"tiling": {"columns": 9}}, "tiling.columns"),
        ({"tiling": {"colums": 2}}, "tiling.colums"),
        ({"tilling": {}}, "tilling"),
        ({"streams": {"transport": "smoke"}}, "streams.transport"),
        ({"streams": {"clip_source": "file:../../etc/passwd"}}, "streams.clip_source"),
        ({"streams": {"clip_source": "rtsp://a\0b/"}}, "streams.clip_source"),
        ({"region": {"left": 0.5, "right": 0.4}}, "region.right"),
        ({"region": {"top": float("nan")}}, "region.top"),
        ({"region": {"bottom": 10**400}}, "region.bottom"),
        ({"schedule": {"time_zone": "Mars/Base"}}, "schedule.time_zone"),
        ({"schedule": {"time_zone": "../../etc/passwd"}}, "schedule.time_zone"),
        (
            {"schedule": {"windows": [{"days": [1], "from_minute": 60, "to_minute": 60}]}},
            "schedule.windows.0.to_minute",
        ),
        (
            {"schedule": {"windows": [{"days": [1, 1], "from_minute": 0, "to_minute": 60}]}},
            "schedule.windows.0.days",
        ),
        (
            {"schedule": {"windows": [{"days": [7], "from_minute": 0, "to_minute": 60}]}},
            "schedule.windows.0.days.0",
        ),
        ({"clips": {"longest_s": 5.0}}, "clips.longest_s"),
        ({"privacy": {"zones": [[[0, 0], [1, 1]]]}}, "privacy.zones.0"),
        ([], ""),
        (None, ""),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_by_its_field(policies: object, path: str) -> None:
    with pytest.raises(BadWish) as refused:
        read_wish(Policies, policies)
    assert refused.value.path == path
    assert str(refused.value)


@pytest.mark.parametrize(
    ("scene", "path"),
    [
        (changed(zones=[]), "rules.0.condition.zone_id"),
        (changed(lines=[]), "rules.1.condition.line_id"),
        (changed(zones=[plain(ZONE), plain(ZONE)]), "zones.1.zone_id"),
        (changed(lines=[plain(LINE) | {"end": plain(LINE)["start"]}]), "lines.0.end"),
        (changed(rules=[plain(IN_ZONE) | {"severity": "fatal"}]), "rules.0.severity"),
        (changed(rules=[plain(IN_ZONE) | {"name": ""}]), "rules.0.name"),
        (changed(zones=[plain(ZONE) | {"name": "a\0b"}]), "zones.0.name"),
        (changed(zones=[plain(ZONE) | {"colour": "red"}]), "zones.0.colour"),
        (
            changed(zones=[plain(ZONE) | {"polygon": [[0, 0], [2, 0], [1, 1]]}]),
            "zones.0.polygon.1.0",
        ),
    ],
)
def test_a_scene_that_makes_no_sense_is_refused_by_its_field(scene: object, path: str) -> None:
    with pytest.raises(BadWish) as refused:
        read_wish(Scene, scene)
    assert refused.value.path == path


def test_a_camera_is_not_saved_with_what_makes_no_sense(camera: Camera) -> None:
    with pytest.raises(ValidationError, match=r"tiling\.rows"):
        update_camera(camera, at=START, policies={"tiling": {"rows": 0}})
    camera.refresh_from_db()
    assert camera.policies == {}
    assert camera.agent.desired_version == 1


def test_a_rule_about_the_camera_itself_needs_no_zone() -> None:
    alone = Scene(rules=(Rule(rule_id=uuid4(), name="Touched", condition=Tampered()),))
    assert read_wish(Scene, plain(alone)) == alone


def test_a_window_may_go_past_midnight() -> None:
    night = Schedule(
        windows=(Window(days=(4, 5), from_minute=1320, to_minute=360),), time_zone="Europe/Berlin"
    )
    assert read_wish(Schedule, plain(night)) == night


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\0")
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*POLICIES, "zones", "rules", "left", "windows", "time_zone"]), inner
        )
    ),
    max_leaves=10,
)


@given(given_=anything, kind=st.sampled_from([Policies, Scene]))
def test_whatever_is_given_is_a_wish_or_is_refused(
    given_: object, kind: type[Policies] | type[Scene]
) -> None:
    try:
        wish = read_wish(kind, given_)
    except BadWish:
        return
    assert read_wish(kind, plain(wish)) == wish


class TestOverHttp:
    """The same, by the API."""

    @pytest.fixture
    def path(self, client: Client, alice: User, camera: Camera) -> str:
        client.force_login(alice)
        return f"/api/v1/cameras/{camera.id}/"

    def patch(self, client: Client, path: str, **body: object) -> Any:
        return client.patch(path, body, content_type="application/json")

    def test_it_works(self, client: Client, path: str, camera: Camera) -> None:
        answer = self.patch(client, path, scene=plain(SCENE), gate={"is_on": True})
        assert answer.status_code == 200, answer.content
        assert answer.json()["scene"] == plain(SCENE)
        assert answer.json()["gate"] == {"is_on": True, "always_look_s": 5.0}
        assert answer.json()["region"] == plain(Region())
        camera.refresh_from_db()
        assert camera.desired().scene == SCENE
        assert (camera.agent.desired_version, camera.drawing_revision) == (2, 1)

    def test_one_policy_leaves_the_others(self, client: Client, path: str, camera: Camera) -> None:
        self.patch(client, path, privacy={"zones": [SQUARE]})
        self.patch(client, path, tiling={"rows": 2})
        camera.refresh_from_db()
        assert camera.desired().privacy.zones == (SQUARE,)

    def test_a_mistake_is_named_by_its_path(
        self, client: Client, path: str, camera: Camera
    ) -> None:
        answer = self.patch(
            client, path, scene=changed(zones=[]), clips={"before_s": 99}, tiling={"rows": 2}
        )
        assert answer.status_code == 400
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert set(answer.json()["errors"]) == {
            "scene.rules.0.condition.zone_id", "clips.before_s",
        }  # fmt: skip
        camera.refresh_from_db()
        assert camera.policies == {}

    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(body=st.dictionaries(st.sampled_from([*POLICIES, "scene", "policies"]), anything))
    def test_no_body_makes_it_crash(self, client: Client, path: str, body: object) -> None:
        answer = client.patch(path, msgspec.json.encode(body), content_type="application/json")
        assert answer.status_code < 500, answer.content

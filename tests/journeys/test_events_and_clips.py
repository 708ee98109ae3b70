"""A rule set at the hub becomes an event there, with a picture and a clip, whatever breaks between.

The hub is used as a browser uses it: a log-in, then its addresses.
"""

import io
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID, uuid4

import av
import httpx
import numpy as np
import pytest

from deploy.sample_video import sample_video_path
from processing.media.jpeg import decode_jpeg
from tests.journeys.ledger import _query
from tests.journeys.processes import Agent, Hub, wait_for
from tests.journeys.test_delivery import assert_books_agree

EVERYWHERE: Final = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
CLIPS: Final = {"is_on": True, "before_s": 2.0, "after_s": 1.0, "longest_s": 6.0}
HUB_AWAY_S: Final = 8.0
GREY_AT_MOST: Final = 150
"""Of what is hidden, after coding; the video has whites."""


class Person:
    """Somebody who is logged in at the hub."""

    def __init__(self, hub: Hub) -> None:
        prepared = hub.prepare(source=f"file:{sample_video_path().name}", is_new_agent=False)
        self._client = httpx.Client(
            base_url=hub.url, follow_redirects=True, trust_env=False, timeout=20
        )
        self._client.get("/login/").raise_for_status()
        form = {"username": prepared.user, "password": prepared.password}
        self._send("POST", "/login/", data=form)
        [camera] = self.get("/api/v1/cameras/")["results"]
        self._camera = f"/api/v1/cameras/{camera['id']}/"

    def close(self) -> None:
        self._client.close()

    def get(self, path: str) -> Any:
        return self.fetch(path).json()

    def fetch(self, path: str, **headers: str) -> httpx.Response:
        return self._client.get(path, headers=headers).raise_for_status()

    def post(self, path: str) -> httpx.Response:
        return self._send("POST", path)

    def want(self, **settings: object) -> None:
        """Change the camera's settings."""
        self._send("PATCH", self._camera, json=settings)

    def events(self, rule_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"/api/v1/events/?rule={rule_id}")["results"]
        return found

    def clip(self, rule_id: str, state: str) -> dict[str, Any] | None:
        """Return the clip of the rule's oldest event if it is in this state."""
        events = self.events(rule_id)
        clips = events[-1]["clips"] if events else []
        return next((clip for clip in clips if clip["state"] == state), None)

    def _send(self, method: str, path: str, **body: Any) -> httpx.Response:
        headers = {
            "X-CSRFToken": self._client.cookies["csrftoken"],
            "Referer": str(self._client.base_url),
        }
        return self._client.request(method, path, headers=headers, **body).raise_for_status()


@pytest.fixture
def person(hub: Hub, agent: Agent) -> Iterator[Person]:
    """Somebody who is logged in; the agent is enrolled and does not run yet."""
    person = Person(hub)
    yield person
    person.close()


def person_anywhere(rule_id: str) -> dict[str, object]:
    """Return a scene: somebody is anywhere in the picture."""
    zone = {"zone_id": str(uuid4()), "name": "All of it", "polygon": EVERYWHERE}
    condition = {"when": "in_zone", "zone_id": zone["zone_id"], "after_s": 0.0}
    rule = {"rule_id": rule_id, "name": "Somebody", "condition": condition, "labels": ["person"]}
    return {"zones": [zone], "rules": [rule]}


def wait_for_event(person: Person, rule_id: str) -> dict[str, Any]:
    """Return the rule's first event once it has a picture."""

    def pictured() -> dict[str, Any] | None:
        events = person.events(rule_id)
        return events[-1] if events and events[-1]["thumbnail"] else None

    return wait_for("an event with a picture", pictured, timeout_s=90)


def fetch_clip(person: Person, rule_id: str, event_id: str) -> tuple[dict[str, Any], bytes]:
    """Ask for the clip of the event, wait until it is here, and return it with its bytes."""
    wait_for("a clip is told of", lambda: person.clip(rule_id, "kept"), timeout_s=90)
    assert person.post(f"/api/v1/events/{event_id}/ask-clips/").status_code == 202
    clip = wait_for("the clip is here", lambda: person.clip(rule_id, "here"), timeout_s=60)
    answer = person.fetch(clip["file"])
    assert answer.headers["content-type"] == "video/mp4"
    assert len(answer.content) == clip["n_bytes"]
    return clip, answer.content


def frames_of(mp4: bytes) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    """Return the lumas of a clip's pictures; all must decode."""
    with av.open(io.BytesIO(mp4), "r") as container:
        return [
            np.asarray(frame.to_ndarray(format="gray"), np.uint8)
            for frame in container.decode(video=0)
        ]


def seconds_of(mp4: bytes) -> float:
    with av.open(io.BytesIO(mp4), "r") as container:
        assert container.duration is not None
        return container.duration / av.time_base


def words_of(hub: Hub) -> Counter[tuple[str, str]]:
    """Return how often each event has each phase."""
    rows = _query(hub, "SELECT event_id, phase FROM events_word")
    return Counter((str(UUID(str(event))), phase) for event, phase in rows)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_an_event_and_its_clip_come_whole_although_the_hub_goes_away(
    hub: Hub, agent: Agent, person: Person
) -> None:
    rule_id = str(uuid4())
    person.want(scene=person_anywhere(rule_id), clips=CLIPS)
    agent.start()
    event = wait_for_event(person, rule_id)
    assert event["state"] == "running"
    assert event["labels"] == ["person"]
    picture = decode_jpeg(person.fetch(event["thumbnail"]).content)
    assert picture.shape[:2] == (272, 640)

    hub.web.kill()  # the clip is finished meanwhile
    time.sleep(HUB_AWAY_S)
    hub.start()

    clip, mp4 = fetch_clip(person, rule_id, event["id"])
    piece = person.fetch(clip["file"], Range="bytes=100-299")
    assert piece.status_code == 206
    assert piece.content == mp4[100:300]
    assert piece.headers["content-range"] == f"bytes 100-299/{len(mp4)}"
    assert abs(seconds_of(mp4) - clip["seconds"]) < 0.2
    assert CLIPS["longest_s"] - 1.0 < clip["seconds"] < CLIPS["longest_s"] + 4.0
    pictures = frames_of(mp4)
    assert pictures[0].shape == (272, 640)
    assert abs(len(pictures) / 25.0 - clip["seconds"]) < 0.5  # none is missing

    person.want(scene={})
    wait_for("the event is over", lambda: person.events(rule_id)[-1]["state"] == "over")
    counts = words_of(hub)
    assert counts[event["id"], "start"] == counts[event["id"], "end"] == 1
    assert {n for (_, phase), n in counts.items() if phase in {"start", "end"}} == {1}
    assert_books_agree(hub, agent)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_hidden_never_reaches_the_hub(agent: Agent, person: Person) -> None:
    rule_id = str(uuid4())
    hidden = {"zones": [EVERYWHERE]}
    person.want(scene=person_anywhere(rule_id), clips=CLIPS, privacy=hidden)
    agent.start()
    event = wait_for_event(person, rule_id)
    assert decode_jpeg(person.fetch(event["thumbnail"]).content).max() < GREY_AT_MOST
    _, mp4 = fetch_clip(person, rule_id, event["id"])
    assert max(int(picture.max()) for picture in frames_of(mp4)) < GREY_AT_MOST

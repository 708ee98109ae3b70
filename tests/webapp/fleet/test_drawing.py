"""Two people who draw on one camera never overwrite each other unawares."""

from uuid import uuid4

import msgspec
import pytest

from processing.wire.camera import Region
from processing.wire.scene import Scene, Zone
from tests.factories import START
from webapp.fleet.actions import DrawingChanged, NotAllowed, save_drawing, update_camera
from webapp.fleet.drawing import Drawing
from webapp.fleet.models import Camera

SQUARE = ((0.1, 0.1), (0.4, 0.1), (0.4, 0.5))
SCENE = Scene(zones=(Zone(zone_id=uuid4(), name="Door", polygon=SQUARE),))


def test_it_works(camera: Camera) -> None:
    drawing = Drawing(revision=0, scene=SCENE, region=Region(left=0.25), privacy_zones=(SQUARE,))
    saved = save_drawing(camera, drawing, may_unhide=True, at=START)
    assert Drawing.of(saved) == msgspec.structs.replace(drawing, revision=1)
    saved.agent.refresh_from_db()
    assert saved.agent.desired_version == 2
    told = saved.desired()
    assert (told.scene, told.region, told.privacy.zones) == (SCENE, Region(left=0.25), (SQUARE,))


def test_who_saves_over_an_old_drawing_is_told_and_writes_nothing(camera: Camera) -> None:
    save_drawing(camera, Drawing(revision=0, scene=SCENE), may_unhide=True, at=START)
    with pytest.raises(DrawingChanged) as told:
        save_drawing(camera, Drawing(revision=0), may_unhide=True, at=START)
    assert Drawing.of(told.value.camera).scene == SCENE
    camera.refresh_from_db()
    camera.agent.refresh_from_db()
    assert (camera.drawing_revision, camera.agent.desired_version) == (1, 2)


def test_the_revision_rises_with_what_is_drawn_and_with_nothing_else(camera: Camera) -> None:
    camera = update_camera(camera, at=START, name="Door", policies={"gate": {"is_on": True}})
    assert camera.drawing_revision == 0
    camera = update_camera(camera, at=START, policies={"region": {"left": 0.5}})
    assert camera.drawing_revision == 1


def test_what_else_is_hidden_stays_so(camera: Camera) -> None:
    camera = update_camera(camera, at=START, policies={"privacy": {"hides_faces": True}})
    saved = save_drawing(
        camera, Drawing(revision=0, privacy_zones=(SQUARE,)), may_unhide=True, at=START
    )
    assert saved.desired().privacy.hides_faces


def test_what_is_hidden_is_unhidden_by_admins_alone(camera: Camera) -> None:
    camera = update_camera(camera, at=START, policies={"privacy": {"zones": [SQUARE]}})
    with pytest.raises(NotAllowed):
        save_drawing(camera, Drawing(revision=1), may_unhide=False, at=START)
    kept = Drawing(revision=1, scene=SCENE, privacy_zones=(SQUARE,))
    assert save_drawing(camera, kept, may_unhide=False, at=START).desired().scene == SCENE

"""What leaves the machine of a frame: zones and heads covered, and all that nobody looked at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.pipeline.privacy import Exposure, people_in
from processing.vision.detections import Boxes, Detections
from processing.wire.camera import Privacy, Region
from tests.processing.media.test_masking import noise, planes

NOBODY: Boxes = np.empty((0, 4), np.float32)
SOMEBODY = np.array([[40, 20, 60, 90]], np.float32)
CORNER = ((0.0, 0.0), (0.25, 0.0), (0.25, 0.25), (0.0, 0.25))
SIDE = 120


def expose(privacy: Privacy, people: Boxes | None, region: Region | None = None) -> Exposure:
    return Exposure(noise(SIDE, SIDE), privacy, region or Region(), people)


def test_without_privacy_the_frame_is_shown_as_it_is() -> None:
    exposure = expose(Privacy(), None)
    assert exposure.covered() is exposure.frame


def test_zones_are_covered_and_nothing_else() -> None:
    exposure = expose(Privacy(zones=(CORNER,)), None)
    shown = exposure.covered().y
    assert len(np.unique(shown[:30, :30])) == 1
    assert np.array_equal(shown[40:, 40:], exposure.frame.y[40:, 40:])


def test_heads_are_covered_and_what_is_far_from_them_is_not() -> None:
    exposure = expose(Privacy(hides_faces=True), SOMEBODY)
    shown, before = exposure.covered().y, exposure.frame.y
    assert len(np.unique(shown[22:38, 42:58])) <= 16  # a few blocks
    assert np.array_equal(shown[80:, 80:], before[80:, 80:])


def test_where_nobody_can_tell_where_people_are_all_is_hidden() -> None:
    shown = expose(Privacy(hides_faces=True), None).covered()
    assert all(len(np.unique(plane)) == 1 for plane in planes(shown))


@given(
    left=st.floats(0, 0.6), top=st.floats(0, 0.6), width=st.floats(0.1, 0.4),
    height=st.floats(0.1, 0.4),
)  # fmt: skip
def test_with_faces_hidden_what_lies_outside_the_region_is_covered(
    left: float, top: float, width: float, height: float
) -> None:
    region = Region(left=left, top=top, right=left + width, bottom=top + height)
    exposure = expose(Privacy(hides_faces=True), NOBODY, region)
    ys, xs = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE
    outside = (xs < region.left) | (xs > region.right) | (ys < region.top) | (ys > region.bottom)
    assert set(exposure.covered().y[outside].tolist()) <= {126}


def test_with_faces_hidden_the_region_itself_is_shown() -> None:
    region = Region(left=0.25, top=0.25, right=0.75, bottom=0.75)
    exposure = expose(Privacy(hides_faces=True), NOBODY, region)
    inside = slice(36, 84)
    assert np.array_equal(exposure.covered().y[inside, inside], exposure.frame.y[inside, inside])


@pytest.mark.parametrize(("labels", "n"), [(("person", "car"), 2), (("car", "person"), 1)])
def test_people_are_all_that_may_be_people_however_doubtful(
    labels: tuple[str, ...], n: int
) -> None:
    found = Detections(
        np.zeros((3, 4), np.float32),
        np.array([0.9, 0.05, 0.5], np.float32),
        np.array([0, 0, 1], np.int32),
    )
    people = people_in(found, labels)
    assert people is not None
    assert len(people) == n


def test_a_network_that_knows_no_people_cannot_tell_where_they_are() -> None:
    assert people_in(Detections.empty(), ("car", "dog")) is None

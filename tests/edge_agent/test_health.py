"""What all threads tell of cameras is what the report says of them."""

from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.health import Health
from edge_agent.histogram import Histogram
from processing.wire.messages import FoundCamera, ImageState
from processing.wire.overflow import OverflowState
from tests.edge_agent.entries import NOW

GATE, YARD = UUID(int=1), UUID(int=2)
DARK = ImageState(brightness=0.02, contrast=0.01, sharpness=3.0, noise=1.5, motion=0.0)


def now() -> datetime:
    return NOW


@pytest.fixture
def health() -> Health:
    health = Health(now)
    health.camera_is(GATE, "online")
    return health


def test_it_works(health: Health) -> None:
    health.frame_analysed(GATE, width=640, height=360, latency_s=0.03)
    for _ in range(3):
        health.frame_gated(GATE)
    health.frame_dropped(GATE, "engine_busy")
    health.frame_dropped(GATE, "engine_busy")
    health.frame_dropped(GATE, "inference_failed")
    health.image_is(GATE, DARK)
    [camera] = health.report(()).cameras
    assert (camera.n_frames, camera.n_gated, camera.n_dropped) == (1, 3, 3)
    assert (camera.width, camera.height, camera.image) == (640, 360, DARK)


def test_figures_tell_drops_by_reason_and_do_not_change_afterwards(health: Health) -> None:
    health.frame_dropped(GATE, "engine_busy")
    health.frame_analysed(GATE, width=640, height=360, latency_s=0.03)
    [figures] = health.figures()
    health.frame_dropped(GATE, "engine_busy")
    health.frame_analysed(GATE, width=640, height=360, latency_s=0.03)
    assert figures.dropped == {"engine_busy": 1}
    assert (figures.state.camera_id, figures.state.n_frames) == (GATE, 1)
    assert (figures.latency.n, figures.latency.total) == (1, 0.03)


def test_what_is_said_of_a_camera_that_is_gone_is_not_kept(health: Health) -> None:
    health.frame_gated(YARD)
    health.image_is(YARD, DARK)
    health.frame_analysed(YARD, width=640, height=360)
    assert [figures.state.camera_id for figures in health.figures()] == [GATE]


def test_cameras_found_on_the_network_are_news_once(health: Health) -> None:
    calls: list[None] = []
    health.call_on_change(lambda: calls.append(None))
    found = tuple(FoundCamera(address=f"10.0.0.{n}") for n in range(100))
    health.found_are(found)
    health.found_are(found)
    assert len(calls) == 1
    assert health.report(()).found == found[:64]
    health.found_are(())
    assert health.report(()).found == ()


def test_frames_are_no_news(health: Health) -> None:
    calls: list[None] = []
    health.call_on_change(lambda: calls.append(None))
    health.frame_analysed(GATE, width=640, height=360, latency_s=0.03)
    health.frame_gated(GATE)
    health.image_is(GATE, DARK)
    assert calls == []


def test_of_the_cloud_only_why_it_is_not_used_is_news(health: Health) -> None:
    calls: list[None] = []
    health.call_on_change(lambda: calls.append(None))
    for n in range(5):
        health.overflow_is({GATE: OverflowState(since_at=NOW, n_cloud=n)}, ())
    assert len(calls) == 1
    health.overflow_is({GATE: OverflowState(since_at=NOW, n_cloud=5, reason="it is away")}, ())
    assert len(calls) == 2
    [camera] = health.report(()).cameras
    assert camera.overflow is not None
    assert camera.overflow.n_cloud == 5


@given(st.lists(st.floats(-10.0, 1000.0)))
def test_a_histogram_counts_what_lies_at_or_below_each_bound(values: list[float]) -> None:
    histogram = Histogram((0.1, 1.0, 5.0))
    for value in values:
        histogram.observe(value)
    assert histogram.n == len(values)
    assert histogram.cumulative() == [
        (bound, sum(value <= bound for value in values)) for bound in (0.1, 1.0, 5.0, float("inf"))
    ]

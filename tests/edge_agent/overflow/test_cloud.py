"""The cloud as a second engine, against a tier over real HTTP: answered in time, or not at all."""

import queue
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from msgspec.structs import replace

from edge_agent.clock import utc_now
from edge_agent.overflow.access import AccessDesk
from edge_agent.overflow.book import Book
from edge_agent.overflow.cloud import N_IN_FLIGHT, TierCloud
from edge_agent.overflow.errand import Answered, Errand, TurnedAway, Verdict
from processing.media.jpeg import decode_jpeg, read_jpeg_size
from processing.pipeline.privacy import Exposure
from processing.wire.camera import DesiredCamera, OverflowPolicy, Privacy, Region
from processing.wire.messages import (
    BundleState,
)
from processing.wire.overflow import OverflowState
from tests.edge_agent.entries import wait_until
from tests.edge_agent.overflow.fake_tier import TOKEN, VERSION, FakeTier
from tests.ports import free_port
from tests.processing.pipeline.made_scenes import frame_of

POLICY = OverflowPolicy(mode="saturated", budget_ms=5000.0)
CAMERA = DesiredCamera(camera_id=UUID(int=1), name="Gate", source="played:", overflow=POLICY)
WHITE = 235
LABELS = ("person", "car")


class Rig:
    """An agent's cloud, a tier, and what comes back."""

    def __init__(self, folder: Path) -> None:
        self.tier = FakeTier(free_port())
        self.tier.start()
        self.desk = AccessDesk("http://127.0.0.1:9")
        self.book = Book(folder / "overflow.msgpack", now=utc_now)
        self.states: dict[UUID, OverflowState] = {}
        self.bundles: tuple[BundleState, ...] = ()
        self.cloud = TierCloud(self.desk, self.book, on_report=self._report)
        self.verdicts: queue.SimpleQueue[Verdict] = queue.SimpleQueue()

    def _report(self, states: dict[UUID, OverflowState], bundles: tuple[BundleState, ...]) -> None:
        self.states, self.bundles = states, bundles

    def offer(self, camera: DesiredCamera = CAMERA, *, size: tuple[int, int] = (96, 128)) -> bool:
        frame = frame_of(np.full(size, WHITE, np.uint8), utc_now())
        exposure = Exposure(frame, camera.privacy, camera.region, None)
        errand = Errand(
            camera, exposure, LABELS,
            why="saturated", begun=time.monotonic(), done=self.verdicts.put,
        )  # fmt: skip
        return self.cloud.offer(errand)

    def next(self) -> Verdict:
        return self.verdicts.get(timeout=60)

    @property
    def state(self) -> OverflowState:
        """What is on disk of the camera."""
        self.book.save()
        return self.book.states({})[CAMERA.camera_id]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    rig.desk.admit(rig.tier.access)
    yield rig
    rig.cloud.close()
    rig.tier.kill()


def test_it_works(rig: Rig) -> None:
    assert rig.offer()
    verdict = rig.next()
    assert isinstance(verdict, Answered)
    assert verdict.found.xyxy.tolist() == [[32.0, 24.0, 64.0, 72.0]]
    assert verdict.tongue.bundle.hex() == VERSION
    script = rig.tier.script
    assert script.tokens == [f"Bearer {TOKEN}"]
    assert script.queries[0]["sticky"] == [CAMERA.camera_id.hex]
    assert 0 < float(script.queries[0]["budget_ms"][0]) <= 5000
    state = rig.state
    assert (state.n_cloud, state.n_saturated, state.micros) == (1, 1, 2000)
    assert state.n_bytes == len(script.pictures[0])


def test_without_access_nothing_is_sent(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    assert not rig.offer()
    assert rig.cloud.why_not(CAMERA) == "the hub offers no cloud"
    rig.cloud.close()
    rig.tier.kill()


def test_pictures_are_covered_cut_and_made_small_before_they_leave(rig: Rig) -> None:
    everywhere = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    hidden = replace(
        CAMERA,
        privacy=Privacy(zones=(everywhere,)),
        region=Region(right=0.5),
        overflow=replace(POLICY, max_width=160, model="street"),
    )
    assert rig.offer(hidden, size=(480, 640))
    assert isinstance(rig.next(), Answered)
    [picture] = rig.tier.script.pictures
    assert read_jpeg_size(picture) == (160, 240)
    assert decode_jpeg(picture).max() < 160
    assert rig.tier.script.queries[0]["model"] == ["street"]


def test_faces_that_are_hidden_never_leave(rig: Rig) -> None:
    assert not rig.offer(replace(CAMERA, privacy=Privacy(hides_faces=True)))
    assert not rig.tier.script.pictures


def test_what_is_late_is_told_at_its_deadline_and_its_answer_is_dropped(rig: Rig) -> None:
    rig.tier.script.delay_s = 1.0
    soon = replace(CAMERA, overflow=replace(POLICY, budget_ms=100.0))
    assert rig.offer(soon)
    assert rig.next() == TurnedAway("late")
    rig.tier.script.delay_s = 0.0
    wait_until(lambda: rig.cloud.why_not(soon) == "")
    assert rig.offer(soon)
    assert isinstance(rig.next(), Answered)
    state = rig.state
    assert (state.n_late, state.n_cloud, state.n_saturated) == (1, 1, 2)
    assert rig.verdicts.empty()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, "refused"), (503, "refused"), (401, "refused"), (404, "refused"), (422, "refused"),
     (504, "late"), (500, "failed")],
)  # fmt: skip
def test_every_refusal_has_its_name(rig: Rig, status: int, kind: str) -> None:
    rig.tier.script.status = status
    assert rig.offer()
    verdict = rig.next()
    assert isinstance(verdict, TurnedAway)
    assert verdict.kind == kind
    assert rig.state.micros == 0


def test_an_answer_that_cannot_be_unpacked_costs_no_thread(rig: Rig) -> None:
    rig.tier.script.encoding = "gzip"
    for _ in range(N_IN_FLIGHT + 1):
        wait_until(rig.offer)
        assert rig.next() == TurnedAway("failed")
    rig.tier.script.encoding = ""
    wait_until(rig.offer)
    assert isinstance(rig.next(), Answered)


def test_an_answer_that_drips_holds_nobody_beyond_its_budget(rig: Rig) -> None:
    rig.tier.script.drips_s = 0.05
    soon = replace(CAMERA, overflow=replace(POLICY, budget_ms=100.0))
    assert rig.offer(soon)
    assert rig.next() == TurnedAway("late")
    wait_until(lambda: rig.cloud._n_carried == 0)
    assert "in time" in rig.cloud.why_not(soon)


def test_a_frame_that_is_settled_is_not_kept_until_its_deadline(rig: Rig) -> None:
    patient = replace(CAMERA, overflow=replace(POLICY, budget_ms=5000.0))
    assert rig.offer(patient)
    [errand] = map(weakref.ref, rig.cloud._errands)
    rig.next()
    wait_until(lambda: errand() is None)
    assert rig.cloud._deadlines._due


def test_a_tier_that_asks_to_wait_is_left_alone(rig: Rig) -> None:
    rig.tier.script.status, rig.tier.script.retry_after = 429, "1"
    assert rig.offer()
    assert rig.next() == TurnedAway("refused")
    assert not rig.offer()
    assert "asks to wait" in rig.cloud.why_not(CAMERA)
    rig.tier.script.status = 200
    wait_until(rig.offer)
    assert isinstance(rig.next(), Answered)


def test_a_tier_that_is_killed_is_noticed_at_once_and_used_again_when_it_is_back(rig: Rig) -> None:
    assert rig.offer()
    assert isinstance(rig.next(), Answered)
    rig.tier.kill()
    assert rig.offer()
    assert rig.next() == TurnedAway("failed")
    assert not rig.offer()  # no other frame waits for it
    assert "cannot be reached" in rig.cloud.why_not(CAMERA)
    rig.tier.start()
    wait_until(rig.offer)
    assert isinstance(rig.next(), Answered)


def test_a_tier_that_is_not_ready_yet_gets_no_frames(rig: Rig) -> None:
    rig.tier.script.status, rig.tier.script.is_ready = 500, False
    assert rig.offer()
    assert rig.next() == TurnedAway("failed")
    n_before = rig.tier.script.n_probes
    wait_until(lambda: rig.tier.script.n_probes >= n_before + 2)
    assert not rig.offer()
    assert len(rig.tier.script.pictures) == 1


def test_no_more_are_on_their_way_than_may_be(rig: Rig) -> None:
    rig.tier.script.delay_s = 0.5
    taken = [rig.offer() for _ in range(3 * N_IN_FLIGHT)]
    assert taken.count(True) == N_IN_FLIGHT
    assert all(isinstance(rig.next(), Answered) for _ in range(N_IN_FLIGHT))


def test_a_days_budget_is_kept_and_told(rig: Rig) -> None:
    poor = replace(CAMERA, overflow=replace(POLICY, money_per_day=0.004))
    for _ in range(2):
        assert rig.offer(poor)
        assert isinstance(rig.next(), Answered)
    assert not rig.offer(poor)
    assert "budget" in rig.cloud.why_not(poor)
    assert rig.state.n_over_budget == 1


def test_a_picture_that_would_be_too_much_is_not_sent(rig: Rig) -> None:
    poor = replace(CAMERA, overflow=replace(POLICY, mb_per_day=0.0001))
    assert rig.offer(poor)
    assert rig.next() == TurnedAway("over_budget")
    assert not rig.tier.script.pictures


def test_who_ends_waits_for_nothing(rig: Rig) -> None:
    rig.tier.script.delay_s = 2.0
    assert rig.offer()
    wait_until(lambda: rig.tier.script.pictures)
    rig.cloud.give_up()
    assert rig.next() == TurnedAway("failed")
    assert not rig.offer()


def test_what_is_counted_is_reported(rig: Rig) -> None:
    told = BundleState(digest=bytes.fromhex(VERSION), name="big", version="3", labels=LABELS)
    rig.desk.admit(replace(rig.tier.access, bundles=(told,)))
    rig.cloud.judged_here(CAMERA)
    assert rig.offer()
    rig.next()
    wait_until(lambda: rig.states and rig.states[CAMERA.camera_id].n_cloud == 1)
    state = rig.states[CAMERA.camera_id]
    assert (state.n_local, state.reason) == (1, "")
    assert rig.bundles == (told,)
    rig.tier.kill()
    assert rig.offer()
    rig.next()
    wait_until(lambda: "cannot be reached" in rig.states[CAMERA.camera_id].reason)

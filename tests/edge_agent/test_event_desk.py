"""What rules say becomes words, pictures and clips: none twice, none too often, none uncovered."""

import threading
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import numpy as np
import pytest

from edge_agent.backlog import Entry  # noqa: TC001  # at run time a reader looks for it here
from edge_agent.darkroom import Darkroom
from edge_agent.event_desk import EventDesk
from processing.media.jpeg import decode_jpeg
from processing.pipeline.privacy import Exposure
from processing.pipeline.watching import Seen
from processing.rules.happening import Glimpse, Happening, Phase
from processing.vision.detections import Detections
from processing.wire.camera import Privacy, Region
from processing.wire.messages import ClipMade, EventRaised, Thumbnail
from processing.wire.scene import InZone, Rule
from tests.edge_agent.entries import CAMERA
from tests.processing.pipeline.made_scenes import after, frame_of

EVENT = UUID(int=20)
RULE = Rule(rule_id=UUID(int=3), name="Yard", condition=InZone(zone_id=UUID(int=2)))
EVERYWHERE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
CLIP = ClipMade(clip_id=EVENT, begins_at=after(0), seconds=4.0, n_bytes=1000)
WHITE = 235


def happening(phase: Phase, at_s: float, *, event_id: UUID = EVENT) -> Happening:
    return Happening(
        event_id=event_id, rule=RULE, phase=phase, at=after(at_s), started_at=after(0),
        labels=("person", "person"), tracks=(1, 2), title=f"{phase} at {at_s:g}", detail="because",
        best=0 if phase in {"start", "once"} else None, score=0.5,
    )  # fmt: skip


class Recorder:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, UUID, datetime]] = []

    def begin_event(self, event_id: UUID, at: datetime) -> None:
        self.told.append(("begin", event_id, at))

    def end_event(self, event_id: UUID, at: datetime) -> None:
        self.told.append(("end", event_id, at))


class Office:
    """A desk, and what leaves it."""

    def __init__(self) -> None:
        self.privacy = Privacy()
        self.recorder = Recorder()
        self.entries: list[Entry] = []
        self.darkroom = Darkroom(on_dropped=lambda _camera: None)
        self.desk = EventDesk(
            CAMERA,
            append=self.entries.append,
            darkroom=self.darkroom,
            recorder=self.recorder,
            privacy=lambda: self.privacy,
        )

    def see(self, at_s: float, *happenings: Happening, better: float | None = None) -> None:
        """Tell of a white frame; `better` is the score of a glimpse of the event."""
        frame = frame_of(np.full((48, 64), WHITE, np.uint8), after(at_s))
        scores = np.array([0.5], np.float32)
        boxes, labels = np.array([[1, 1, 9, 9]], np.float32), np.array([0], np.int32)
        found = Detections(boxes, scores, labels)
        seen = Seen(
            tracked=found, shown=found, started=np.empty(0, np.int32), entered={},
            happenings=happenings, glimpses=() if better is None else (Glimpse(EVENT, 0, better),),
        )  # fmt: skip
        self.desk.tell(happenings)
        self.desk.show(seen, Exposure(frame, self.privacy, Region(), None))

    @property
    def words(self) -> list[EventRaised]:
        return [entry for entry in self.entries if isinstance(entry, EventRaised)]

    def thumbnails(self) -> list[Thumbnail]:
        """Return all pictures, once they are developed; nothing can be told afterwards."""
        self.darkroom.close()
        return [entry for entry in self.entries if isinstance(entry, Thumbnail)]


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    yield office
    office.darkroom.close()


def test_an_event_has_words_a_picture_and_a_clip(office: Office) -> None:
    office.see(0, happening("start", 0))
    is_running = [office.desk.has_running]
    office.see(5, happening("end", 4))
    assert [*is_running, office.desk.has_running] == [True, False]
    assert [(word.phase, word.kind, word.event_id) for word in office.words] == [
        ("start", "in_zone", EVENT),
        ("end", "in_zone", EVENT),
    ]
    assert office.words[0].labels == ("person",)
    assert office.recorder.told == [("begin", EVENT, after(0)), ("end", EVENT, after(4))]
    [thumbnail] = office.thumbnails()
    assert (thumbnail.event_id, thumbnail.captured_at, thumbnail.score) == (EVENT, after(0), 0.5)


def test_pictures_of_an_event_are_two_seconds_apart_and_the_best_is_among_them(
    office: Office,
) -> None:
    office.see(0, happening("start", 0), better=0.5)
    for tenth in range(1, 60):
        office.see(tenth / 10, better=0.5 + tenth / 200 if tenth <= 45 else None)
    office.see(8.1, happening("end", 6))
    thumbnails = office.thumbnails()
    assert [each.captured_at for each in thumbnails] == [after(0), after(2), after(4), after(4.5)]
    assert thumbnails[-1].score == pytest.approx(0.725)


def test_a_better_picture_that_comes_soon_is_sent_when_its_time_has_come(office: Office) -> None:
    office.see(0, happening("start", 0))
    office.see(0.5, better=0.9)
    office.see(1.9)
    office.see(2.1)
    office.see(9)
    thumbnails = office.thumbnails()
    assert [(each.captured_at, each.score) for each in thumbnails] == [
        (after(0), 0.5),
        (after(0.5), 0.9),
    ]


def test_a_picture_taken_before_something_was_to_be_hidden_is_not_sent_afterwards(
    office: Office,
) -> None:
    office.see(0, happening("start", 0))
    office.see(0.5, better=0.9)
    office.privacy = Privacy(zones=(EVERYWHERE,))
    office.see(3)
    office.see(4, happening("end", 3))
    assert [each.captured_at for each in office.thumbnails()] == [after(0)]


def test_pictures_of_events_show_nothing_that_is_to_be_hidden(office: Office) -> None:
    office.privacy = Privacy(zones=(EVERYWHERE,))
    office.see(0, happening("once", 0))
    [thumbnail] = office.thumbnails()
    assert decode_jpeg(thumbnail.jpeg).max() < 160  # the frame was white


@pytest.mark.parametrize(
    ("phases", "said"), [(("start",), "update"), (("start", "end"), "end"), (("once",), "once")]
)
def test_a_clip_is_told_with_the_last_words_of_its_event(
    office: Office, phases: tuple[Phase, ...], said: str
) -> None:
    for at_s, phase in enumerate(phases):
        office.see(at_s, happening(phase, at_s))
    thread = threading.Thread(target=office.desk.clip_made, args=(EVENT, CLIP))
    thread.start()
    thread.join()
    last = office.words[-2]
    assert (office.words[-1].phase, office.words[-1].clip) == (said, CLIP)
    assert (office.words[-1].title, office.words[-1].occurred_at) == (last.title, last.occurred_at)


def test_a_clip_of_an_event_that_nobody_knows_is_not_told(office: Office) -> None:
    office.desk.clip_made(UUID(int=404), CLIP)
    assert office.entries == []

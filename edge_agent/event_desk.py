"""What the rules say of a camera becomes events on the wire, with pictures and clips."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from msgspec.structs import replace

from edge_agent.backlog import Entry
from edge_agent.darkroom import Darkroom, Developed
from processing.pipeline.privacy import Exposure
from processing.pipeline.watching import Seen
from processing.rules.happening import Happening
from processing.wire.camera import Privacy
from processing.wire.messages import ClipMade, EventRaised, Thumbnail

_THUMBNAIL_WIDTH: Final = 640
_BETWEEN_THUMBNAILS: Final = timedelta(seconds=2)
_REMEMBERED: Final = 256
"""Events whose last words are kept, for the clip that comes after them."""


class Recorder(Protocol):
    """Makes a clip of an event."""

    def begin_event(self, event_id: UUID, at: datetime) -> None: ...

    def end_event(self, event_id: UUID, at: datetime) -> None: ...


class _Better(NamedTuple):
    """A picture of an event that came too soon after the last, and is better."""

    score: float
    exposure: Exposure


class EventDesk:
    """Of one camera."""

    def __init__(
        self,
        camera_id: UUID,
        *,
        append: Callable[[Entry], None],
        darkroom: Darkroom,
        recorder: Recorder | None,
        privacy: Callable[[], Privacy],
    ) -> None:
        """`privacy` is what holds now: a picture taken under another may wait no longer."""
        self._camera_id = camera_id
        self._append = append
        self._darkroom = darkroom
        self._recorder = recorder
        self._privacy = privacy
        self._lock = threading.Lock()
        self._last_words: OrderedDict[UUID, EventRaised] = OrderedDict()
        self._running: set[UUID] = set()
        self._pictured_at: dict[UUID, datetime] = {}
        self._waiting: dict[UUID, _Better] = {}

    @property
    def has_running(self) -> bool:
        """Return whether an event has begun that is not over."""
        return bool(self._running)

    def tell(self, happenings: Iterable[Happening]) -> None:
        """Pass on what is said of events."""
        for happening in happenings:
            self._say(_word(self._camera_id, happening))
            if happening.phase == "start":
                self._running.add(happening.event_id)
            elif happening.phase == "end":
                self._running.discard(happening.event_id)
                self._picture_waiting(happening.event_id, happening.at)
            if self._recorder is not None:
                self._record(self._recorder, happening)

    def show(self, seen: Seen, exposure: Exposure) -> None:
        """Take pictures of events that this frame shows first, or best.

        A better one that comes soon after the last waits, or gives way to one better still: what
        walks into the picture is seen best a moment later.
        """
        at = exposure.frame.captured_at
        begun = [each for each in seen.happenings if each.phase in {"once", "start"}]
        for happening in begun:
            score = 0.0 if happening.best is None else float(seen.tracked.scores[happening.best])
            self._picture(happening.event_id, score, exposure, at)
        pictured = {happening.event_id for happening in begun}
        for glimpse in seen.glimpses:
            if glimpse.event_id not in pictured:
                self._waiting[glimpse.event_id] = _Better(glimpse.score, exposure)
        for event_id in tuple(self._waiting):
            before = self._pictured_at.get(event_id)
            if before is None or not timedelta(0) <= at - before < _BETWEEN_THUMBNAILS:
                self._picture_waiting(event_id, at)

    def clip_made(self, event_id: UUID, clip: ClipMade) -> None:
        """Say of an event that there is a clip of it; from any thread."""
        with self._lock:
            word = self._last_words.get(event_id)
        if word is not None:
            phase = "update" if word.phase == "start" else word.phase
            self._say(replace(word, phase=phase, clip=clip))

    def _say(self, word: EventRaised) -> None:
        assert word.event_id is not None
        with self._lock:
            self._last_words[word.event_id] = word
            while len(self._last_words) > _REMEMBERED:
                forgotten, _ = self._last_words.popitem(last=False)
                self._pictured_at.pop(forgotten, None)
        self._append(word)

    def _record(self, recorder: Recorder, happening: Happening) -> None:
        if happening.phase in {"once", "start"}:
            recorder.begin_event(happening.event_id, happening.started_at)
        if happening.phase in {"once", "end"}:
            recorder.end_event(happening.event_id, happening.at)

    def _picture_waiting(self, event_id: UUID, at: datetime) -> None:
        better = self._waiting.pop(event_id, None)
        if better is not None and better.exposure.privacy == self._privacy():
            self._picture(event_id, better.score, better.exposure, at)

    def _picture(self, event_id: UUID, score: float, exposure: Exposure, at: datetime) -> None:
        self._pictured_at[event_id] = at

        def append(developed: Developed) -> None:
            thumbnail = Thumbnail(
                event_id=event_id,
                camera_id=self._camera_id,
                captured_at=exposure.frame.captured_at,
                score=min(max(score, 0.0), 1.0),
                width=developed.width,
                height=developed.height,
                jpeg=developed.jpeg,
            )
            self._append(thumbnail)

        self._darkroom.keep(self._camera_id, exposure, append, max_width=_THUMBNAIL_WIDTH)


def _word(camera_id: UUID, happening: Happening) -> EventRaised:
    rule = happening.rule
    return EventRaised(
        kind=str(rule.condition.__struct_config__.tag),
        occurred_at=happening.at,
        title=happening.title,
        detail=happening.detail,
        camera_id=camera_id,
        severity=rule.severity,
        phase=happening.phase,
        event_id=happening.event_id,
        rule_id=rule.rule_id,
        started_at=happening.started_at,
        labels=tuple(dict.fromkeys(happening.labels)),
        tracks=happening.tracks,
    )

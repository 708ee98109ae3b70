"""Runs a recorded video through the agent's own pipeline and writes down what was seen.

The result is JSON Lines: a header, a line for every picture that was looked at and one for every
word of an event, in the order in which they are said, and a summary at the end. The same video,
bundle and settings give the same file, byte for byte: it holds nothing of the clock or the machine.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Annotated, BinaryIO, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from edge_agent.pace import Pace
from processing.inference.detector import Detector, InferenceFailed
from processing.media.decode import Decoder, video_file
from processing.pipeline.features import measure
from processing.pipeline.tampering import TamperWatch
from processing.pipeline.watching import Seen, Watching
from processing.rules.happening import Happening
from processing.tracking.ids import track_ids
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.wire.camera import DesiredCamera
from processing.wire.scene import Scene, Tampered

_BEGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When a video is said to begin: rules and tracks need instants, and these are always the same."""
_FALLBACK_FPS: Final = 25.0
_MAX_WAITING: Final = 32
"""Pictures whose answer is there, or nearly, but whose turn has not come."""
_ENGINE_BUSY_S: Final = 0.001
_DIGITS: Final = 5

Second = Annotated[float, Meta(ge=0)]
"""Since the video's first picture."""


class Header(Struct, frozen=True, kw_only=True, tag_field="line", tag="replay"):
    """What was run on what. The first line."""

    format: int = 1
    video: str
    fps: float | None
    """At most so many pictures a second were looked at; None for all."""
    bundle: str
    """Its digest, in hexadecimal."""
    name: str
    version: str
    labels: tuple[str, ...]
    wanted: tuple[str, ...]
    """Only these labels; empty for all."""
    score_threshold: float
    n_rules: int


class Thing(Struct, frozen=True, kw_only=True):
    """A detection."""

    label: str
    score: float
    xyxy: tuple[float, float, float, float]
    """0..1 of the picture's width and height."""
    track: int
    """0: of no track yet."""


class Look(Struct, frozen=True, kw_only=True, tag_field="line", tag="frame", omit_defaults=True):
    """What one picture shows."""

    picture: int
    """Its number in the video, from 0."""
    at_s: Second
    width: int
    height: int
    things: tuple[Thing, ...] = ()
    failure: str = ""
    """Why the network gave no answer."""


class Word(Struct, frozen=True, kw_only=True, tag_field="line", tag="event"):
    """One word of an event that a rule raised."""

    at_s: Second
    phase: str
    event_id: UUID
    rule: str
    title: str
    detail: str
    labels: tuple[str, ...]
    tracks: tuple[int, ...]


class Summary(Struct, frozen=True, kw_only=True, tag_field="line", tag="summary"):
    """The last line."""

    is_complete: bool
    """False if somebody stopped it before the video was over."""
    n_pictures: int
    """Decoded."""
    n_frames: int
    """Looked at."""
    n_failed: int
    n_started: dict[str, int]
    """Tracks by label."""
    n_events: int
    """Begun."""


Line = Header | Look | Word | Summary

_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to run, and how."""

    video: Path
    scene: Scene
    wanted: tuple[str, ...] = ()
    score_threshold: float = 0.4
    fps: float | None = None
    """At most so many pictures a second of video; None for all."""


@dataclass(frozen=True, slots=True)
class Model:
    """An open bundle."""

    engine: Detector
    digest: bytes
    name: str
    version: str
    labels: tuple[str, ...]


class Replay:
    """One run. `lines` may be called once."""

    def __init__(
        self,
        order: Order,
        model: Model,
        *,
        stop: threading.Event,
        on_progress: Callable[[float], None] = lambda _at_s: None,
    ) -> None:
        """`on_progress` is told the second of the video that was looked at last."""
        self._order = order
        self._model = model
        self._stop = stop
        self._on_progress = on_progress
        numbers = count(1)
        camera = DesiredCamera(
            camera_id=UUID(int=0),
            name=order.video.name,
            source=f"file:{order.video.name}",
            labels=order.wanted,
            score_threshold=order.score_threshold,
            scene=order.scene,
        )
        self._watching = Watching(
            camera,
            bundle_labels=model.labels,
            ids=track_ids(1),
            new_id=lambda: UUID(int=next(numbers)),
        )
        rules = order.scene.rules
        self._minds_tampering = any(isinstance(rule.condition, Tampered) for rule in rules)
        self._tamper_watch = TamperWatch()
        self._waiting: deque[_Asked] = deque()
        self._n_pictures = self._n_frames = self._n_failed = self._n_events = 0
        self._n_started: Counter[str] = Counter()

    def lines(self) -> Iterator[Line]:
        """Yield all lines. Once `stop` is set only what is begun, and a summary that says so.

        Raise `SourceLost`, and before the first line if the video cannot be opened.
        """
        with Decoder(video_file(self._order.video)) as decoder:
            yield self._header()
            last_at = _BEGIN
            for number, frame in self._frames(decoder):
                yield from self._ask(number, frame)
                last_at = frame.captured_at
        while self._waiting:
            yield from self._settle(self._waiting.popleft())
        yield from self._words(self._watching.end(last_at))
        yield Summary(
            is_complete=not self._stop.is_set(),
            n_pictures=self._n_pictures,
            n_frames=self._n_frames,
            n_failed=self._n_failed,
            n_started=dict(self._n_started),
            n_events=self._n_events,
        )

    def _header(self) -> Header:
        order, model = self._order, self._model
        return Header(
            video=order.video.name,
            fps=order.fps,
            bundle=model.digest.hex(),
            name=model.name,
            version=model.version,
            labels=model.labels,
            wanted=order.wanted,
            score_threshold=order.score_threshold,
            n_rules=len(order.scene.rules),
        )

    def _frames(self, decoder: Decoder) -> Iterator[tuple[int, Frame]]:
        pace = Pace(self._order.fps) if self._order.fps else None
        interval_s = 1.0 / (decoder.fps or _FALLBACK_FPS)
        first_s, at_s = 0.0, -interval_s
        for picture in decoder:
            if self._stop.is_set():
                return
            if not self._n_pictures:
                first_s = picture.at_s
            shown_s = picture.at_s - first_s
            # Time goes on, whatever a damaged file says.
            at_s = shown_s if shown_s > at_s else at_s + interval_s
            number = self._n_pictures
            self._n_pictures += 1
            at = _BEGIN + timedelta(seconds=at_s)
            if pace is None or pace.wants(at):
                yield number, Frame.of(picture.planes, captured_at=at)

    def _ask(self, number: int, frame: Frame) -> Iterator[Line]:
        """Put a picture on the engine; yield what became of earlier ones in the meantime."""
        asked = _Asked(number, frame, self._tampered(frame), Future())
        while not self._model.engine.submit(frame, asked.answer.set_result):
            if self._waiting:
                yield from self._settle(self._waiting.popleft())
            else:  # it says that a picture is done a moment before it can take another
                time.sleep(_ENGINE_BUSY_S)
        self._waiting.append(asked)
        while self._waiting and (
            self._waiting[0].answer.done() or len(self._waiting) > _MAX_WAITING
        ):
            yield from self._settle(self._waiting.popleft())

    def _tampered(self, frame: Frame) -> str | None:
        if not self._minds_tampering:
            return None
        features = measure(frame, motion=0.0)  # which tells nothing of tampering
        return self._tamper_watch.look(frame, features, frame.captured_at)

    def _settle(self, asked: "_Asked") -> Iterator[Line]:
        answer, frame = asked.answer.result(), asked.frame
        at_s = _second(frame.captured_at)
        self._n_frames += 1
        self._on_progress(at_s)
        if isinstance(answer, InferenceFailed):
            self._n_failed += 1
            yield Look(
                picture=asked.number,
                at_s=at_s,
                width=frame.width,
                height=frame.height,
                failure=str(answer),
            )
            return
        seen = self._watching.look(answer, frame, tampered=asked.tampered)
        self._n_started.update(self._model.labels[label] for label in seen.started)
        yield Look(
            picture=asked.number,
            at_s=at_s,
            width=frame.width,
            height=frame.height,
            things=tuple(_things(seen, frame, self._model.labels)),
        )
        yield from self._words(seen.happenings)

    def _words(self, happenings: Iterable[Happening]) -> Iterator[Line]:
        for happening in happenings:
            self._n_events += happening.phase in ("start", "once")
            yield Word(
                at_s=_second(happening.at),
                phase=happening.phase,
                event_id=happening.event_id,
                rule=happening.rule.name,
                title=happening.title,
                detail=happening.detail,
                labels=happening.labels,
                tracks=happening.tracks,
            )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A picture on the engine."""

    number: int
    frame: Frame
    tampered: str | None
    answer: Future[Detections | InferenceFailed]


def write_lines(lines: Iterator[Line], file: BinaryIO) -> Summary:
    """Write each line as soon as it is there; return the last."""
    for line in lines:
        file.write(_encode(line) + b"\n")
        if isinstance(line, Summary):
            file.flush()
            return line
    raise AssertionError("a replay ends with its summary")


def _things(seen: Seen, frame: Frame, labels: tuple[str, ...]) -> Iterator[Thing]:
    shown = seen.shown
    sides = (frame.width, frame.height, frame.width, frame.height)
    for box, score, label, track in zip(
        shown.xyxy.tolist(),
        shown.scores.tolist(),
        shown.labels.tolist(),
        shown.tracks.tolist(),
        strict=True,
    ):
        left, top, right, bottom = (
            round(min(max(value / side, 0.0), 1.0), _DIGITS)
            for value, side in zip(box, sides, strict=True)
        )
        yield Thing(
            label=labels[label],
            score=round(score, _DIGITS),
            xyxy=(left, top, right, bottom),
            track=track,
        )


def _second(at: datetime) -> float:
    return round((at - _BEGIN).total_seconds(), 6)

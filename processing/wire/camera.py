"""What the hub wants of one camera."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from processing.wire import limits
from processing.wire.fields import Labels, Name, Polygon, Score, Share, Text
from processing.wire.scene import Scene


class SamplePolicy(Struct, frozen=True, kw_only=True):
    """Which frames of a camera are kept for learning."""

    low_score: Score = 0.25
    high_score: Score = 0.45
    """A tracked object whose score lies between the two is in doubt."""
    every_s: Annotated[float, Meta(ge=0)] = 8.0
    """At most one sample of a camera in this time."""
    random_share: Score = 0.1
    """Of the samples, how many are taken at random, so that figures stay unbiased."""


class Streams(Struct, frozen=True, kw_only=True):
    """How a camera's pictures are fetched."""

    transport: Literal["tcp", "udp"] = "tcp"
    """For RTSP. Over UDP one lost packet smears a second of video, but nothing waits for it."""
    clip_source: Text = ""
    """The main stream, for clips and who looks large, where `source` is a smaller one; empty: that
    serves for all."""


class Region(Struct, frozen=True, kw_only=True):
    """The part of the picture that is looked at."""

    left: Share = 0.0
    top: Share = 0.0
    right: Share = 1.0
    bottom: Share = 1.0


class Tiling(Struct, frozen=True, kw_only=True):
    """Look at the picture in pieces, to find small things, and at the whole: an inference each."""

    columns: Annotated[int, Meta(ge=1, le=4)] = 1
    rows: Annotated[int, Meta(ge=1, le=4)] = 1
    overlap: Annotated[float, Meta(ge=0.0, le=0.5)] = 0.15
    """Of a piece with its neighbour, as a share of its side."""


class Window(Struct, frozen=True, kw_only=True):
    """Hours of some days of the week; an end before its start is in the next day."""

    days: Annotated[tuple[Annotated[int, Meta(ge=0, le=6)], ...], Meta(min_length=1, max_length=7)]
    """0 is Monday."""
    from_minute: Annotated[int, Meta(ge=0, le=1439)]
    to_minute: Annotated[int, Meta(ge=0, le=1440)]


class Schedule(Struct, frozen=True, kw_only=True):
    """When a camera is watched; without windows always."""

    windows: Annotated[tuple[Window, ...], Meta(max_length=28)] = ()
    time_zone: Name = "UTC"
    """As in the IANA database, such as Europe/Berlin."""


class MotionGate(Struct, frozen=True, kw_only=True):
    """Spare the network frames in which nothing moves."""

    is_on: bool = False
    always_look_s: Annotated[float, Meta(ge=0.2, le=600.0)] = 5.0
    """Look at least so often, whatever moves."""


class ClipPolicy(Struct, frozen=True, kw_only=True):
    """Which events leave a clip, and how long it is."""

    is_on: bool = False
    before_s: Annotated[float, Meta(ge=0.0, le=30.0)] = 5.0
    after_s: Annotated[float, Meta(ge=0.0, le=60.0)] = 5.0
    longest_s: Annotated[float, Meta(ge=1.0, le=600.0)] = 120.0


class Privacy(Struct, frozen=True, kw_only=True):
    """What nobody may see. It is burnt in before anything is stored or sent."""

    zones: Annotated[tuple[Polygon, ...], Meta(max_length=limits.MAX_ZONES)] = ()
    hides_faces: bool = False

    @property
    def is_needed(self) -> bool:
        """Return whether pictures must be changed at all."""
        return bool(self.zones) or self.hides_faces


class OverflowPolicy(Struct, frozen=True, kw_only=True):
    """Which frames of a camera the cloud may judge, and what that may cost."""

    mode: Literal["off", "saturated", "doubtful", "always"] = "off"
    """None; those that the agent has no time for; those in which what it sees is in doubt
    (`SamplePolicy`); all."""
    budget_ms: Annotated[float, Meta(ge=50.0, le=5000.0)] = 1000.0
    """An answer that comes later than this is of no use."""
    mb_per_day: Annotated[float, Meta(ge=0.0, le=1e6)] | None = None
    """Of pictures that leave the agent, a day in UTC, 10^6 bytes each; None: no limit."""
    money_per_day: Annotated[float, Meta(ge=0.0, le=1e6)] | None = None
    """At the price that the hub names, in its currency; None: no limit."""
    jpeg_quality: Annotated[int, Meta(ge=30, le=95)] = 80
    max_width: Annotated[int, Meta(ge=160, le=4096)] = 1280
    """In pixels; larger pictures are made smaller before they leave."""
    model: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9._-]{0,63})?$")] = ""
    """As the tier names it; empty: the tier's choice."""


class DesiredCamera(Struct, frozen=True, kw_only=True):
    """What the hub wants of one camera."""

    camera_id: UUID
    name: Name
    source: Text
    """rtsp://, rtsps://, http(s)://, `usb:N`, or `file:NAME` of a file the agent may open."""
    is_enabled: bool = True
    analysed_fps: Annotated[float, Meta(gt=0, le=120)] = 10.0
    score_threshold: Score = 0.4
    labels: Labels = ()
    """Only these classes; empty for all."""
    samples: SamplePolicy = SamplePolicy()
    streams: Streams = Streams()
    region: Region = Region()
    tiling: Tiling = Tiling()
    schedule: Schedule = Schedule()
    gate: MotionGate = MotionGate()
    clips: ClipPolicy = ClipPolicy()
    privacy: Privacy = Privacy()
    scene: Scene = Scene()
    overflow: OverflowPolicy = OverflowPolicy()

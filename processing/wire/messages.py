"""Every message between agent and hub, as two closed unions.

Additive within a protocol version: a new field has a default, a new message a new tag. Readers
ignore fields they do not know. Instants are aware UTC; boxes are packed (`processing.wire.packed`).

Delivery: the agent's outbox numbers what it appends per lane with `(epoch, lane, seq)`, the hub
acks per lane the highest contiguous seq that it has committed, the agent resends from there, and
ingest is idempotent on `(agent, epoch, lane, seq)`.
"""

from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

from processing.wire import limits
from processing.wire.camera import DesiredCamera
from processing.wire.fields import (
    Codecs,
    Digest,
    Epoch,
    Instant,
    Labels,
    Name,
    Packed,
    Picture,
    Pixels,
    Score,
    Seq,
    Share,
    Text,
)
from processing.wire.overflow import OverflowState

PROTOCOL: Final = 1

Lane = Literal["alerts", "events", "results", "media"]
LANES: Final[tuple[Lane, ...]] = ("alerts", "events", "results", "media")
"""In the order in which they are sent: an alert never waits behind a backlog of results."""


class Message(Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all messages: immutable, keyword-only, tagged with `type`."""


# ---------------------------------------------------------------- entries of the outbox


class FrameFeatures(Struct, frozen=True, array_like=True, gc=False):
    """What a frame is like, whatever is in it: cheap figures for data quality and drift."""

    brightness: Share
    """Mean luma, 0 black to 1 white."""
    contrast: Share
    """Standard deviation of luma; 0.5 is the most there can be."""
    sharpness: Annotated[float, Meta(ge=0)]
    """Variance of the Laplacian of luma (0..255), of a picture scaled to 320 wide."""
    noise: Annotated[float, Meta(ge=0)]
    """Standard deviation of sensor noise in steps of luma (Immerkaer 1996)."""
    motion: Share
    """Share of the picture that moves."""
    embedding: Annotated[bytes, Meta(max_length=limits.MAX_EMBEDDING_BYTES)] = b""
    """Float16, little-endian: the network's own idea of the picture; empty if it has none."""


class Entered(Struct, frozen=True, array_like=True, gc=False):
    """How many tracks of a class are in a zone for the first time."""

    zone_id: UUID
    """As in the camera's scene."""
    label: int
    n_tracks: int


class Result(Struct, frozen=True, array_like=True, gc=False):
    """What one bundle said of one frame of one camera."""

    camera_id: UUID
    captured_at: Instant
    bundle: Digest
    detections: Packed
    n_started: Annotated[tuple[tuple[int, int], ...], Meta(max_length=limits.MAX_DETECTIONS)] = ()
    """Tracks that begin in this frame, as (label, count) pairs: what "objects seen" counts."""
    latency_ms: Annotated[float, Meta(ge=0)] = 0.0
    """From capture to result."""
    features: FrameFeatures | None = None
    """Of some frames only."""
    entered: Annotated[tuple[Entered, ...], Meta(max_length=limits.MAX_DETECTIONS)] = ()
    """What came into zones in this frame."""


class ClipMade(Struct, frozen=True, kw_only=True):
    """A clip that the agent keeps; the hub asks for it when somebody wants to see it."""

    clip_id: UUID
    begins_at: Instant
    seconds: Annotated[float, Meta(ge=0)]
    n_bytes: Annotated[int, Meta(ge=1)]


class EventRaised(Struct, frozen=True, kw_only=True):
    """Something that a person is told about: once, or as it starts, goes on and ends."""

    kind: Name
    occurred_at: Instant
    """Of this word of it; see `started_at`."""
    title: Text
    detail: Text = ""
    """The reason, in words."""
    camera_id: UUID | None = None
    severity: Literal["info", "warning", "error"] = "info"
    phase: Literal["once", "start", "update", "end"] = "once"
    event_id: UUID | None = None
    """The same in every word of one event; always there for an event that a rule raised."""
    rule_id: UUID | None = None
    started_at: Instant | None = None
    labels: Labels = ()
    """The classes of what is in it."""
    tracks: Annotated[tuple[Annotated[int, Meta(ge=1, lt=2**32)], ...], Meta(max_length=64)] = ()
    clip: ClipMade | None = None


class Thumbnail(Struct, frozen=True, kw_only=True):
    """The best picture of an event so far; a later one of the same event replaces it."""

    event_id: UUID
    camera_id: UUID
    captured_at: Instant
    score: Score
    """Of the best detection in it."""
    width: Pixels
    height: Pixels
    jpeg: Picture


class Disagreement(Struct, frozen=True, kw_only=True):
    """How far the agent's network and the cloud's saw different things in one frame."""

    n_things: Annotated[int, Meta(ge=1, le=2 * limits.MAX_DETECTIONS)]
    """That either of them saw; what both saw counts once."""
    n_alone: Annotated[int, Meta(ge=1, le=2 * limits.MAX_DETECTIONS)]
    """Of these, what one of them alone saw."""


class SampleOffered(Struct, frozen=True, kw_only=True):
    """A frame kept for learning: the picture, what the bundle said, and why it was kept."""

    camera_id: UUID
    captured_at: Instant
    bundle: Digest
    detections: Packed
    reason: Literal["low_confidence", "random"]
    score: Score
    """The figure behind the reason: the lowest doubtful score in the picture."""
    width: Pixels
    height: Pixels
    jpeg: Picture
    embedding: Annotated[bytes, Meta(max_length=limits.MAX_EMBEDDING_BYTES)] = b""
    """As in `FrameFeatures`, by the network of `bundle`; empty where there was none in time."""
    disagreement: Disagreement | None = None
    """Where the cloud looked as well and says otherwise; then that is why it was kept."""


# ---------------------------------------------------------------- agent -> hub


class Hello(Message, frozen=True, tag="hello"):
    """The agent's answer to a challenge; its signature is the only way in."""

    protocol: int
    agent_id: UUID
    epoch: Epoch
    boot_id: UUID
    software: Name
    clock_at: Instant
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]
    """Ed25519 over `processing.wire.identity.challenge_bytes`."""


class ResultBatch(Message, frozen=True, tag="results"):
    """Consecutive entries of the results lane; the first has `first_seq`."""

    epoch: Epoch
    first_seq: Seq
    entries: Annotated[tuple[Result, ...], Meta(min_length=1, max_length=limits.MAX_ENTRIES)]


class EventBatch(Message, frozen=True, tag="events"):
    """Consecutive entries of the alerts or the events lane."""

    epoch: Epoch
    first_seq: Seq
    lane: Literal["alerts", "events"]
    entries: Annotated[tuple[EventRaised, ...], Meta(min_length=1, max_length=limits.MAX_ENTRIES)]


class SampleBatch(Message, frozen=True, tag="samples"):
    """Consecutive entries of the media lane."""

    epoch: Epoch
    first_seq: Seq
    entries: Annotated[tuple[SampleOffered, ...], Meta(min_length=1, max_length=limits.MAX_ENTRIES)]


class ThumbnailBatch(Message, frozen=True, tag="thumbnails"):
    """Consecutive entries of the media lane, which it shares with samples."""

    epoch: Epoch
    first_seq: Seq
    entries: Annotated[tuple[Thumbnail, ...], Meta(min_length=1, max_length=limits.MAX_ENTRIES)]


class Gap(Message, frozen=True, tag="gap"):
    """Entries that will never come: dropped by a full outbox, or unreadable. Loss is a fact."""

    epoch: Epoch
    lane: Lane
    first_seq: Seq
    last_seq: Seq
    reason: Literal["outbox_full", "unreadable", "refused"]
    noticed_at: Instant


class ImageState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a camera's pictures are like just now; see `FrameFeatures`."""

    brightness: Share
    contrast: Share
    sharpness: Annotated[float, Meta(ge=0)]
    noise: Annotated[float, Meta(ge=0)]
    motion: Share
    tampered: Text = ""
    """What somebody has done to the camera, in a word of `processing.pipeline.tampering`."""


class CameraState(Struct, frozen=True, kw_only=True):
    """How one camera is, as its agent sees it."""

    camera_id: UUID
    state: Literal["connecting", "online", "unreachable", "disabled"]
    reason: Text = ""
    since_at: Instant
    fps: Annotated[float, Meta(ge=0)] = 0.0
    n_frames: Annotated[int, Meta(ge=0)] = 0
    n_dropped: Annotated[int, Meta(ge=0)] = 0
    width: Annotated[int, Meta(ge=0)] = 0
    height: Annotated[int, Meta(ge=0)] = 0
    n_gated: Annotated[int, Meta(ge=0)] = 0
    """Frames that the motion gate spared the network."""
    image: ImageState | None = None
    overflow: OverflowState | None = None
    """None of a camera that never had any to do with the cloud."""


class FoundCamera(Struct, frozen=True, kw_only=True):
    """A camera that answered on the agent's network: a suggestion, nothing more."""

    address: Name
    """Its host."""
    name: Text = ""
    hardware: Text = ""
    service: Text = ""
    """Where it speaks ONVIF."""


class BundleState(Struct, frozen=True, kw_only=True):
    """A bundle that the agent runs, or could not open."""

    digest: Digest
    name: Name
    version: Name
    labels: Annotated[tuple[Name, ...], Meta(max_length=limits.MAX_LABELS)]
    device: Name = "CPU"


class LaneState(Struct, frozen=True, kw_only=True):
    """How full one lane of the outbox is."""

    lane: Lane
    n_pending: Annotated[int, Meta(ge=0)]
    oldest_at: Instant | None = None


class StateReport(Message, frozen=True, tag="state"):
    """The reported side of desired/reported, sent on connect and as the heartbeat."""

    at: Instant
    desired_version: Annotated[int, Meta(ge=0)]
    cameras: Annotated[tuple[CameraState, ...], Meta(max_length=limits.MAX_CAMERAS)] = ()
    bundles: Annotated[tuple[BundleState, ...], Meta(max_length=16)] = ()
    lanes: Annotated[tuple[LaneState, ...], Meta(max_length=len(LANES))] = ()
    problems: Annotated[tuple[Text, ...], Meta(max_length=20)] = ()
    """What is wrong, in plain words; empty when nothing is."""
    found: Annotated[tuple[FoundCamera, ...], Meta(max_length=64)] = ()


class LivePicture(Message, frozen=True, tag="picture"):
    """One frame for somebody who looks right now; never stored, never resent."""

    camera_id: UUID
    captured_at: Instant
    width: Pixels
    height: Pixels
    bundle: Digest
    detections: Packed
    jpeg: Picture


class LiveVideo(Message, frozen=True, tag="video"):
    """A picture as the camera sent it, for somebody who looks right now; see `LivePicture`.

    The fragments of a camera make one endless MP4 (ISO/IEC 14496-12, 8.8), which a player joins
    at any key picture. Never sent of a camera with anything to hide.
    """

    camera_id: UUID
    captured_at: Instant
    number: Annotated[int, Meta(ge=1, lt=2**53)]
    """One more than that of the fragment before; after a gap a player waits for a key picture."""
    at_s: Annotated[float, Meta(ge=0.0, lt=1e9)]
    """When to show it, on the video's own clock. That begins anew when the agent does."""
    fragment: Annotated[bytes, Meta(min_length=16, max_length=limits.MAX_FRAGMENT_BYTES)]
    width: Pixels
    height: Pixels
    codec: Codecs = ""
    """As browsers are asked whether they play it; of key pictures only."""
    init: Annotated[bytes, Meta(max_length=limits.MAX_INIT_BYTES)] = b""
    """What comes before the first fragment; of key pictures only."""
    is_main: bool = False
    """It is of the main stream, an MP4 of its own, and not of the one that is analysed."""

    @property
    def is_key(self) -> bool:
        """Return whether a player can begin here."""
        return bool(self.init)


class LiveBoxes(Message, frozen=True, tag="boxes"):
    """What was found in a picture that travels as live video."""

    camera_id: UUID
    captured_at: Instant
    bundle: Digest
    detections: Packed


class ClipMissing(Message, frozen=True, tag="clip_missing"):
    """A clip that the hub asked for will not come; the reason in words."""

    clip_id: UUID
    reason: Text


AgentMessage = (
    Hello
    | ResultBatch
    | EventBatch
    | SampleBatch
    | ThumbnailBatch
    | Gap
    | StateReport
    | LivePicture
    | LiveVideo
    | LiveBoxes
    | ClipMissing
)

# ---------------------------------------------------------------- hub -> agent


class Challenge(Message, frozen=True, tag="challenge"):
    """The hub's first word: sign this."""

    protocol: int
    hub_id: UUID
    nonce: Annotated[bytes, Meta(min_length=32, max_length=32)]
    server_at: Instant


class DesiredState(Message, frozen=True, tag="desired"):
    """All that the hub wants of an agent. Control is state, not commands."""

    version: Annotated[int, Meta(ge=0)]
    cameras: Annotated[tuple[DesiredCamera, ...], Meta(max_length=limits.MAX_CAMERAS)] = ()


class Cursor(Struct, frozen=True, kw_only=True):
    """The highest contiguous seq of a lane that the hub has committed."""

    lane: Lane
    epoch: Epoch
    through_seq: Annotated[int, Meta(ge=0)]


class Welcome(Message, frozen=True, tag="welcome"):
    """The agent is who it says; here is where it left off and what is wanted of it."""

    agent_name: Name
    server_at: Instant
    cursors: tuple[Cursor, ...]
    """One a lane, for the epoch of the `Hello`."""
    desired: DesiredState


class Rejection(Struct, frozen=True, kw_only=True):
    """One entry that the hub will never store, and why."""

    seq: Seq
    code: Literal["unknown_camera", "from_the_future", "too_old", "bad_detections", "bad_picture"]
    detail: Text = ""


class Ack(Message, frozen=True, tag="ack"):
    """Committed through here; whatever was rejected is counted and is not sent again."""

    epoch: Epoch
    lane: Lane
    through_seq: Annotated[int, Meta(ge=0)]
    rejected: Annotated[tuple[Rejection, ...], Meta(max_length=limits.MAX_ENTRIES)] = ()


class LiveView(Struct, frozen=True, kw_only=True):
    """Somebody looks at this camera."""

    camera_id: UUID
    max_fps: Annotated[float, Meta(gt=0, le=30)] = 10.0
    max_width: Pixels = 960
    """Of JPEGs: the larger of what is on screen."""
    has_pictures: bool = True
    """Whether JPEGs are wanted."""
    has_video: bool = False
    """Whether video is wanted, where the camera's can be shown as it is; else nothing is sent."""
    has_main_video: bool = False
    """Whether somebody looks at it larger than what is analysed, and wants its main stream."""


class LiveDemand(Message, frozen=True, tag="live"):
    """All cameras that somebody looks at; lapses by itself unless repeated."""

    views: Annotated[tuple[LiveView, ...], Meta(max_length=limits.MAX_CAMERAS)]
    expires_s: Annotated[float, Meta(gt=0, le=120)] = 15.0


class ClipWanted(Struct, frozen=True, kw_only=True):
    """Somebody wants to see this clip."""

    clip_id: UUID
    upload_path: Text
    """On the hub's own address; PUT the file there, once. It holds a secret, and expires."""


class ClipDemand(Message, frozen=True, tag="clips"):
    """All clips that are wanted now; the agent sends those that it has not begun to send."""

    wanted: Annotated[tuple[ClipWanted, ...], Meta(max_length=16)]


class OverflowAccess(Message, frozen=True, tag="overflow"):
    """The right to have the cloud judge frames; it lapses by itself unless renewed."""

    url: Text
    """Of the inference tier; empty: the hub's own address."""
    token: Annotated[str, Meta(min_length=1, max_length=512)]
    """A bearer's."""
    expires_s: Annotated[float, Meta(gt=0, le=86_400)]
    price_per_1000: Annotated[float, Meta(ge=0, le=1e6)] = 0.0
    """Of so many pictures judged, in the hub's currency."""
    model: Annotated[str, Meta(max_length=64)] = ""
    """For cameras that name none."""
    bundles: Annotated[tuple[BundleState, ...], Meta(max_length=16)] = ()
    """What may judge there, as far as the hub knows."""


class Refused(Message, frozen=True, tag="refused"):
    """The hub will not go on with this connection; a close frame follows."""

    code: Literal[
        "protocol", "unknown_agent", "bad_signature", "revoked", "superseded",
        "malformed", "too_large", "clock_off", "timeout",
    ]  # fmt: skip
    detail: Text
    is_final: bool = False
    """True when trying again cannot help until a person acts."""


HubMessage = (
    Challenge | Welcome | Ack | DesiredState | LiveDemand | ClipDemand | OverflowAccess | Refused
)

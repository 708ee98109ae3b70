"""Every message between agent and hub, as two closed unions.

Additive within a protocol version: a new field has a default, a new message a new tag. Readers
ignore fields they do not know. Instants are aware UTC; boxes are packed (`processing.wire.packed`).

Delivery: the agent's outbox numbers what it appends per lane with `(epoch, lane, seq)`, the hub
acks per lane the highest contiguous seq that it has committed, the agent resends from there, and
ingest is idempotent on `(agent, epoch, lane, seq)`.
"""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

from processing.wire import limits

PROTOCOL: Final = 1

Lane = Literal["alerts", "events", "results", "media"]
LANES: Final[tuple[Lane, ...]] = ("alerts", "events", "results", "media")
"""In the order in which they are sent: an alert never waits behind a backlog of results."""

Instant = Annotated[datetime, Meta(tz=True)]
Name = Annotated[str, Meta(min_length=1, max_length=limits.MAX_NAME)]
Text = Annotated[str, Meta(max_length=limits.MAX_TEXT)]
Seq = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Epoch = Annotated[int, Meta(ge=1, lt=2**53)]
Score = Annotated[float, Meta(ge=0.0, le=1.0)]
Digest = Annotated[bytes, Meta(min_length=16, max_length=16)]
"""The first 16 bytes of the sha256 of a bundle's manifest."""
Packed = Annotated[bytes, Meta(max_length=16 * limits.MAX_DETECTIONS)]
Picture = Annotated[bytes, Meta(min_length=4, max_length=limits.MAX_PICTURE_BYTES)]
Pixels = Annotated[int, Meta(ge=1, le=16384)]


class Message(Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all messages: immutable, keyword-only, tagged with `type`."""


# ---------------------------------------------------------------- entries of the outbox


class Result(Struct, frozen=True, array_like=True):
    """What one bundle said of one frame of one camera."""

    camera_id: UUID
    captured_at: Instant
    bundle: Digest
    detections: Packed
    n_started: Annotated[tuple[tuple[int, int], ...], Meta(max_length=limits.MAX_DETECTIONS)] = ()
    """Tracks that begin in this frame, as (label, count) pairs: what "objects seen" counts."""
    latency_ms: Annotated[float, Meta(ge=0)] = 0.0
    """From capture to result."""


class EventRaised(Struct, frozen=True, kw_only=True):
    """Something that a person is told about."""

    kind: Name
    occurred_at: Instant
    title: Text
    detail: Text = ""
    camera_id: UUID | None = None
    severity: Literal["info", "warning", "error"] = "info"


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


class Gap(Message, frozen=True, tag="gap"):
    """Entries that will never come: dropped by a full outbox, or unreadable. Loss is a fact."""

    epoch: Epoch
    lane: Lane
    first_seq: Seq
    last_seq: Seq
    reason: Literal["outbox_full", "unreadable", "refused"]
    noticed_at: Instant


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


class LivePicture(Message, frozen=True, tag="picture"):
    """One frame for somebody who looks right now; never stored, never resent."""

    camera_id: UUID
    captured_at: Instant
    width: Pixels
    height: Pixels
    bundle: Digest
    detections: Packed
    jpeg: Picture


AgentMessage = Hello | ResultBatch | EventBatch | SampleBatch | Gap | StateReport | LivePicture

# ---------------------------------------------------------------- hub -> agent


class Challenge(Message, frozen=True, tag="challenge"):
    """The hub's first word: sign this."""

    protocol: int
    hub_id: UUID
    nonce: Annotated[bytes, Meta(min_length=32, max_length=32)]
    server_at: Instant


class SamplePolicy(Struct, frozen=True, kw_only=True):
    """Which frames of a camera are kept for learning."""

    low_score: Score = 0.25
    high_score: Score = 0.45
    """A tracked object whose score lies between the two is in doubt."""
    every_s: Annotated[float, Meta(ge=0)] = 8.0
    """At most one sample of a camera in this time."""
    random_share: Score = 0.1
    """Of the samples, how many are taken at random, so that figures stay unbiased."""


class DesiredCamera(Struct, frozen=True, kw_only=True):
    """What the hub wants of one camera."""

    camera_id: UUID
    name: Name
    source: Text
    """rtsp://, rtsps://, http(s)://, `usb:N`, or `file:NAME` of a file the agent may open."""
    is_enabled: bool = True
    analysed_fps: Annotated[float, Meta(gt=0, le=120)] = 10.0
    score_threshold: Score = 0.4
    labels: Annotated[tuple[Name, ...], Meta(max_length=limits.MAX_LABELS)] = ()
    """Only these classes; empty for all."""
    samples: SamplePolicy = SamplePolicy()


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


class LiveDemand(Message, frozen=True, tag="live"):
    """All cameras that somebody looks at; lapses by itself unless repeated."""

    views: Annotated[tuple[LiveView, ...], Meta(max_length=limits.MAX_CAMERAS)]
    expires_s: Annotated[float, Meta(gt=0, le=120)] = 15.0


class Refused(Message, frozen=True, tag="refused"):
    """The hub will not go on with this connection; a close frame follows."""

    code: Literal[
        "protocol", "unknown_agent", "bad_signature", "revoked", "superseded",
        "malformed", "too_large", "clock_off", "timeout",
    ]  # fmt: skip
    detail: Text
    is_final: bool = False
    """True when trying again cannot help until a person acts."""


HubMessage = Challenge | Welcome | Ack | DesiredState | LiveDemand | Refused

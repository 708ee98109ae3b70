"""One example of every message, each field filled in; `python -m tests.wire.examples` adds goldens.

A golden file is the wire as an agent or a hub of that version speaks it. Files are only added:
whoever must change one has broken the protocol for every agent that is out there.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from processing.wire import browser, identity, messages
from processing.wire.packed import PackedDetection, pack

GOLDEN: Final = Path(__file__).with_name("golden")
VERSION: Final = f"v{messages.PROTOCOL}"

AT: Final = datetime(2026, 11, 22, 12, 34, 56, 789012, tzinfo=UTC)
LATER: Final = datetime(2026, 11, 22, 12, 34, 57, 1, tzinfo=UTC)
AGENT: Final = UUID("00000000-0000-4000-8000-00000000000a")
HUB: Final = UUID("00000000-0000-4000-8000-00000000000b")
CAMERA: Final = UUID("00000000-0000-4000-8000-00000000000c")
BUNDLE: Final = bytes(range(16))
EPOCH: Final = 4_503_599_627_370_497
JPEG: Final = b"\xff\xd8\xff\xe0picture\xff\xd9"
DETECTIONS: Final = pack(
    [
        PackedDetection(0.1, 0.2, 0.3, 0.4, 0.75, 2, 4_294_967_295),
        PackedDetection(0.0, 0.0, 1.0, 1.0, 1.0, 79, 0),
    ]
)

RESULT: Final = messages.Result(CAMERA, AT, BUNDLE, DETECTIONS, ((2, 1), (79, 3)), 21.5)
EVENT: Final = messages.EventRaised(
    kind="camera_unreachable",
    occurred_at=AT,
    title="No pictures from Gate",
    detail="rtsp://10.0.0.7/main sent nothing for 5 s",
    camera_id=CAMERA,
    severity="warning",
)
SAMPLE: Final = messages.SampleOffered(
    camera_id=CAMERA,
    captured_at=AT,
    bundle=BUNDLE,
    detections=DETECTIONS,
    reason="low_confidence",
    score=0.3125,
    width=1280,
    height=720,
    jpeg=JPEG,
)
DESIRED: Final = messages.DesiredState(
    version=12,
    cameras=(
        messages.DesiredCamera(
            camera_id=CAMERA,
            name="Gate",
            source="rtsp://user:password@10.0.0.7/main",
            is_enabled=False,
            analysed_fps=5.0,
            score_threshold=0.5,
            labels=("person", "car"),
            samples=messages.SamplePolicy(
                low_score=0.2, high_score=0.5, every_s=30.0, random_share=0.25
            ),
        ),
    ),
)

AGENT_MESSAGES: Final[tuple[messages.AgentMessage, ...]] = (
    messages.Hello(
        protocol=1,
        agent_id=AGENT,
        epoch=EPOCH,
        boot_id=UUID("00000000-0000-4000-8000-00000000000d"),
        software="farwatch 2026.11.0",
        clock_at=AT,
        signature=bytes(range(64)),
    ),
    messages.ResultBatch(epoch=EPOCH, first_seq=17, entries=(RESULT, RESULT)),
    messages.EventBatch(epoch=EPOCH, first_seq=3, lane="alerts", entries=(EVENT,)),
    messages.SampleBatch(epoch=EPOCH, first_seq=9, entries=(SAMPLE,)),
    messages.Gap(
        epoch=EPOCH,
        lane="media",
        first_seq=5,
        last_seq=8,
        reason="outbox_full",
        noticed_at=LATER,
    ),
    messages.StateReport(
        at=AT,
        desired_version=12,
        cameras=(
            messages.CameraState(
                camera_id=CAMERA,
                state="online",
                reason="it is well",
                since_at=AT,
                fps=9.8,
                n_frames=1234,
                n_dropped=5,
                width=1920,
                height=1080,
            ),
        ),
        bundles=(
            messages.BundleState(
                digest=BUNDLE, name="nanodet-g-416", version="1", labels=("person",), device="GPU"
            ),
        ),
        lanes=(messages.LaneState(lane="results", n_pending=7, oldest_at=AT),),
        problems=("the disk is full",),
    ),
    messages.LivePicture(
        camera_id=CAMERA,
        captured_at=AT,
        width=960,
        height=540,
        bundle=BUNDLE,
        detections=DETECTIONS,
        jpeg=JPEG,
    ),
)

HUB_MESSAGES: Final[tuple[messages.HubMessage, ...]] = (
    messages.Challenge(protocol=1, hub_id=HUB, nonce=bytes(range(32)), server_at=AT),
    messages.Welcome(
        agent_name="barn",
        server_at=AT,
        cursors=(messages.Cursor(lane="results", epoch=EPOCH, through_seq=16),),
        desired=DESIRED,
    ),
    messages.Ack(
        epoch=EPOCH,
        lane="results",
        through_seq=18,
        rejected=(
            messages.Rejection(seq=17, code="from_the_future", detail="300 s ahead of the hub"),
        ),
    ),
    DESIRED,
    messages.LiveDemand(
        views=(messages.LiveView(camera_id=CAMERA, max_fps=5.0, max_width=640),), expires_s=20.0
    ),
    messages.Refused(code="revoked", detail="this agent was revoked", is_final=True),
)

ENROLMENT: Final[tuple[msgspec.Struct, ...]] = (
    identity.EnrollRequest(
        token="fw1_0123_secret",
        public_key=bytes(range(32)),
        signature=bytes(range(64)),
        name="barn",
        software="farwatch 2026.11.0",
    ),
    identity.EnrollResponse(agent_id=AGENT, hub_id=HUB, organization="Farm", site="Barn"),
    identity.Problem(
        type="about:blank",
        title="Conflict",
        status=409,
        detail="this join token has been used",
        errors={"token": ["used"]},
    ),
)

BROWSER_MESSAGES: Final[tuple[browser.HubToBrowser, ...]] = (
    browser.Counters(
        at=AT, results_per_s=12.5, n_results=1000, n_agents_online=2, n_cameras_online=3
    ),
    browser.Changed(topic="cameras"),
    browser.PictureHeader(
        camera_id=CAMERA,
        captured_at=AT,
        width=960,
        height=540,
        bundle=BUNDLE.hex(),
        n_detections=2,
    ),
)


def golden_path(message: msgspec.Struct, suffix: str) -> Path:
    return GOLDEN / f"{type(message).__name__}.{VERSION}.{suffix}"


def json_of(message: msgspec.Struct) -> bytes:
    """Return the message as it travels in JSON, on many lines so that a change can be read."""
    return msgspec.json.format(msgspec.json.encode(message), indent=1) + b"\n"


def msgpack_of(message: msgspec.Struct) -> bytes:
    """Return the message as it travels in msgpack."""
    return msgspec.msgpack.Encoder(uuid_format="bytes").encode(message)


def main() -> None:
    """Write the goldens that are not there yet."""
    GOLDEN.mkdir(exist_ok=True)
    for message in (*AGENT_MESSAGES, *HUB_MESSAGES, *ENROLMENT, *BROWSER_MESSAGES):
        _add(golden_path(message, "json"), json_of(message))
    for message in (*AGENT_MESSAGES, *HUB_MESSAGES):
        _add(golden_path(message, "msgpack.hex"), msgpack_of(message).hex().encode() + b"\n")


def _add(path: Path, content: bytes) -> None:
    if not path.exists():
        path.write_bytes(content)


if __name__ == "__main__":
    main()

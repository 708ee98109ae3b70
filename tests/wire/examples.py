"""One example of every message, each field filled in; `python -m tests.wire.examples` adds goldens.

A golden file is the wire as an agent or a hub of that version speaks it. Files are only added:
whoever must change one has broken the protocol for every agent that is out there.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from processing.wire import browser, camera, identity, messages, overflow, scene
from processing.wire.packed import PackedDetection, pack

GOLDEN: Final = Path(__file__).with_name("golden")
VERSION: Final = f"v{messages.PROTOCOL}.5"
"""Of the protocol, and of what has been added to it since: raise the second with each addition."""

AT: Final = datetime(2026, 11, 22, 12, 34, 56, 789012, tzinfo=UTC)
LATER: Final = datetime(2026, 11, 22, 12, 34, 57, 1, tzinfo=UTC)
AGENT: Final = UUID("00000000-0000-4000-8000-00000000000a")
HUB: Final = UUID("00000000-0000-4000-8000-00000000000b")
CAMERA: Final = UUID("00000000-0000-4000-8000-00000000000c")
EVENT_ID: Final = UUID("00000000-0000-4000-8000-00000000000e")
RULE_ID: Final = UUID("00000000-0000-4000-8000-00000000000f")
CLIP_ID: Final = UUID("00000000-0000-4000-8000-000000000010")
ZONE_ID: Final = UUID("00000000-0000-4000-8000-000000000011")
LINE_ID: Final = UUID("00000000-0000-4000-8000-000000000012")
BUNDLE: Final = bytes(range(16))
EPOCH: Final = 4_503_599_627_370_497
JPEG: Final = b"\xff\xd8\xff\xe0picture\xff\xd9"
DETECTIONS: Final = pack(
    [
        PackedDetection(0.1, 0.2, 0.3, 0.4, 0.75, 2, 4_294_967_295),
        PackedDetection(0.0, 0.0, 1.0, 1.0, 1.0, 79, 0),
    ]
)

FEATURES: Final = messages.FrameFeatures(0.5, 0.25, 120.5, 1.5, 0.0625, b"\x00\x3c\x00\xbc")
ENTERED: Final = (messages.Entered(ZONE_ID, 2, 1), messages.Entered(ZONE_ID, 79, 3))
RESULT: Final = messages.Result(
    CAMERA, AT, BUNDLE, DETECTIONS, ((2, 1), (79, 3)), 21.5, FEATURES, ENTERED
)
EVENT: Final = messages.EventRaised(
    kind="camera_unreachable",
    occurred_at=AT,
    title="No pictures from Gate",
    detail="rtsp://10.0.0.7/main sent nothing for 5 s",
    camera_id=CAMERA,
    severity="warning",
)
LIVED: Final = messages.EventRaised(
    kind="in_zone",
    occurred_at=LATER,
    title="Person at the gate",
    detail="A person has been in Gate for 12 s",
    camera_id=CAMERA,
    severity="error",
    phase="end",
    event_id=EVENT_ID,
    rule_id=RULE_ID,
    started_at=AT,
    labels=("person",),
    tracks=(7, 4_294_967_295),
    clip=messages.ClipMade(clip_id=CLIP_ID, begins_at=AT, seconds=17.5, n_bytes=2_000_000),
)
THUMBNAIL: Final = messages.Thumbnail(
    event_id=EVENT_ID,
    camera_id=CAMERA,
    captured_at=AT,
    score=0.875,
    width=320,
    height=180,
    jpeg=JPEG,
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
    embedding=b"\x00\x3c\x00\xbc",
    disagreement=messages.Disagreement(n_things=5, n_alone=2),
)
CONDITIONS: Final[tuple[scene.Condition, ...]] = (
    scene.InZone(zone_id=ZONE_ID, after_s=10.0),
    scene.Crossed(line_id=LINE_ID, direction="forward"),
    scene.Crowded(zone_id=ZONE_ID, at_least=5, after_s=3.0),
    scene.Heading(zone_id=ZONE_ID, degrees=180.0, within_degrees=30.0, after_s=2.0),
    scene.LeftBehind(zone_id=ZONE_ID, after_s=60.0),
    scene.Tampered(after_s=4.0),
)
SCENE: Final = scene.Scene(
    zones=(
        scene.Zone(
            zone_id=ZONE_ID, name="Gate", polygon=((0.25, 0.25), (0.75, 0.25), (0.5, 0.875))
        ),
    ),
    lines=(scene.Line(line_id=LINE_ID, name="Kerb", start=(0.0, 0.5), end=(1.0, 0.5)),),
    rules=tuple(
        scene.Rule(
            rule_id=RULE_ID,
            name="Somebody at the gate",
            condition=condition,
            labels=("person",),
            severity="error",
            quiet_s=60.0,
        )
        for condition in CONDITIONS
    ),
)
DESIRED: Final = messages.DesiredState(
    version=12,
    cameras=(
        camera.DesiredCamera(
            camera_id=CAMERA,
            name="Gate",
            source="rtsp://user:password@10.0.0.7/main",
            is_enabled=False,
            analysed_fps=5.0,
            score_threshold=0.5,
            labels=("person", "car"),
            samples=camera.SamplePolicy(
                low_score=0.2, high_score=0.5, every_s=30.0, random_share=0.25
            ),
            streams=camera.Streams(transport="udp", clip_source="rtsp://10.0.0.7/best"),
            region=camera.Region(left=0.125, top=0.25, right=0.875, bottom=0.75),
            tiling=camera.Tiling(columns=2, rows=2, overlap=0.25),
            schedule=camera.Schedule(
                windows=(camera.Window(days=(0, 6), from_minute=1200, to_minute=360),),
                time_zone="Europe/Berlin",
            ),
            gate=camera.MotionGate(is_on=True, always_look_s=2.0),
            clips=camera.ClipPolicy(is_on=True, before_s=3.0, after_s=8.0, longest_s=60.0),
            privacy=camera.Privacy(
                zones=(((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5)),), hides_faces=True
            ),
            scene=SCENE,
            overflow=camera.OverflowPolicy(
                mode="saturated",
                budget_ms=750.0,
                mb_per_day=512.0,
                money_per_day=2.5,
                jpeg_quality=70,
                max_width=960,
                model="street",
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
    messages.EventBatch(epoch=EPOCH, first_seq=3, lane="alerts", entries=(EVENT, LIVED)),
    messages.SampleBatch(epoch=EPOCH, first_seq=9, entries=(SAMPLE,)),
    messages.ThumbnailBatch(epoch=EPOCH, first_seq=10, entries=(THUMBNAIL,)),
    messages.ClipMissing(clip_id=CLIP_ID, reason="it was deleted to make room"),
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
                n_gated=77,
                image=messages.ImageState(
                    brightness=0.5, contrast=0.25, sharpness=120.5, noise=1.5, motion=0.0625
                ),
                overflow=overflow.OverflowState(
                    since_at=AT,
                    n_local=900,
                    n_cloud=300,
                    n_saturated=200,
                    n_doubtful=90,
                    n_always=40,
                    n_refused=20,
                    n_late=7,
                    n_failed=3,
                    n_over_budget=4,
                    n_unknown=5,
                    n_bytes=27_000_000,
                    micros=600_000,
                    reason="the day's bytes are used up",
                ),
            ),
        ),
        bundles=(
            messages.BundleState(
                digest=BUNDLE, name="nanodet-g-416", version="1", labels=("person",), device="GPU"
            ),
        ),
        lanes=(messages.LaneState(lane="results", n_pending=7, oldest_at=AT),),
        problems=("the disk is full",),
        found=(
            messages.FoundCamera(
                address="10.0.0.9",
                name="Yard",
                hardware="IPC-1",
                service="http://10.0.0.9/onvif/device_service",
            ),
        ),
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
    messages.LiveVideo(
        camera_id=CAMERA,
        captured_at=AT,
        number=31,
        at_s=2.0625,
        fragment=b"\0\0\0\x10moofpicture!",
        width=1280,
        height=720,
        codec="avc1.4d401f",
        init=b"\0\0\0\x10ftypiso6....",
        is_main=True,
    ),
    messages.LiveBoxes(camera_id=CAMERA, captured_at=AT, bundle=BUNDLE, detections=DETECTIONS),
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
        views=(
            messages.LiveView(
                camera_id=CAMERA,
                max_fps=5.0,
                max_width=640,
                has_pictures=False,
                has_video=True,
                has_main_video=True,
            ),
        ),
        expires_s=20.0,
    ),
    messages.ClipDemand(
        wanted=(messages.ClipWanted(clip_id=CLIP_ID, upload_path="/api/v1/clips/secret/"),)
    ),
    messages.OverflowAccess(
        url="https://tier.example.org",
        token="secret",
        expires_s=600.0,
        price_per_1000=2.0,
        model="street",
        bundles=(
            messages.BundleState(
                digest=BUNDLE, name="rtdetr", version="3", labels=("person", "car"), device="cloud"
            ),
        ),
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
    browser.VideoHeader(
        captured_at=AT,
        number=31,
        at_s=2.0625,
        width=1280,
        height=720,
        codec="avc1.4d401f",
        n_init=16,
    ),
    browser.BoxesHeader(captured_at=AT, bundle=BUNDLE.hex(), n_detections=2),
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

"""An agent for tests: it enrols and speaks the wire for real, and sees a street of its own making.

Its pictures are drawn, so what is in them is known to the pixel, and no model or video is needed.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol
from uuid import UUID, uuid4

import cv2
import httpx
import msgspec
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from processing.wire.camera import DesiredCamera
from processing.wire.codec import SUBPROTOCOL, agent_codec
from processing.wire.identity import EnrollRequest, EnrollResponse, challenge_bytes, enroll_bytes
from processing.wire.messages import (
    PROTOCOL,
    BundleState,
    CameraState,
    Challenge,
    ClipDemand,
    ClipMade,
    ClipMissing,
    ClipWanted,
    DesiredState,
    Entered,
    EventBatch,
    EventRaised,
    FrameFeatures,
    Hello,
    LaneState,
    LiveDemand,
    LivePicture,
    Message,
    Refused,
    Result,
    ResultBatch,
    SampleBatch,
    SampleOffered,
    StateReport,
    Thumbnail,
    ThumbnailBatch,
    Welcome,
)
from processing.wire.packed import PackedDetection, pack

SOFTWARE: Final = "simulated 1.0"
FPS: Final = 10.0
STATE_EVERY_S: Final = 2.0
FRAMES_A_BATCH: Final = 5
PATIENCE_S: Final = 60.0
DIGEST: Final = bytes(range(16))
LABELS: Final = ("person", "bicycle", "car", "dog")
WIDTH, HEIGHT = 640, 360
GROUND: Final = (92, 96, 88)
"""The street's colour, BGR."""
COLOURS: Final = ((60, 60, 220), (220, 120, 40), (40, 170, 60), (30, 190, 230))
"""Of the things of each label, BGR."""


@dataclass(frozen=True)
class View:
    """What a camera sees at one instant."""

    jpeg: bytes
    width: int
    height: int
    detections: tuple[PackedDetection, ...]
    n_started: tuple[tuple[int, int], ...] = ()


class Scenery(Protocol):
    """What a camera is pointed at."""

    def view(self, number: int) -> View:
        """Return what frame `number` shows."""
        ...


class Street:
    """Four things, one of each label, that cross the picture again and again."""

    _SIZES: Final = ((0.05, 0.24), (0.10, 0.20), (0.20, 0.22), (0.07, 0.10))
    _ROWS: Final = (0.12, 0.34, 0.52, 0.80)
    _SPEEDS: Final = (0.006, 0.011, 0.017, 0.009)

    def view(self, number: int) -> View:
        picture = np.full((HEIGHT, WIDTH, 3), GROUND, np.uint8)
        cv2.rectangle(picture, (0, 0), (WIDTH, HEIGHT // 10), (150, 130, 110), -1)
        detections, started = [], []
        for label, (width, height) in enumerate(self._SIZES):
            way, speed, top = 1 - width, self._SPEEDS[label], self._ROWS[label]
            turn, place = divmod(number * speed + 0.22 * label, way)
            if number and divmod((number - 1) * speed + 0.22 * label, way)[0] < turn:
                started.append((label, 1))
            corners = (
                (round(place * WIDTH), round(top * HEIGHT)),
                (round((place + width) * WIDTH), round((top + height) * HEIGHT)),
            )
            cv2.rectangle(picture, *corners, COLOURS[label], -1)
            score = 0.62 + 0.09 * label
            track = int(turn) * len(LABELS) + label + 1
            detections.append(
                PackedDetection(place, top, place + width, top + height, score, label, track)
            )
        is_encoded, jpeg = cv2.imencode(".jpg", picture)
        assert is_encoded
        return View(jpeg.tobytes(), WIDTH, HEIGHT, tuple(detections), tuple(started))


@dataclass
class SimulatedAgent:
    """One agent on a thread of its own, from `start` to `stop`."""

    hub_url: str
    token: str
    name: str = "simulated"
    sceneries: Sequence[Scenery] = (Street(),)
    labels: tuple[str, ...] = LABELS
    problems: tuple[str, ...] = ()
    n_pending: int = 0
    troubles: dict[str, str] = field(default_factory=dict)
    """Cameras that it cannot reach, by name, and why."""

    agent_id: UUID | None = None
    demanded: frozenset[UUID] = frozenset()
    """The cameras that somebody looks at right now."""
    failure: BaseException | None = None

    def __post_init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._codec = agent_codec(SUBPROTOCOL)
        self._epoch = int(time.time() * 1000)
        self._seqs = {"events": 1, "results": 1, "media": 1}
        self._cameras: tuple[DesiredCamera, ...] = ()
        self._version = 0
        self._stop = threading.Event()
        self._events: list[EventRaised] = []
        self._thumbnails: list[Thumbnail] = []
        self._clips: dict[UUID, bytes] = {}
        self._thread = threading.Thread(target=self._run_noting_failure, name=self.name)

    def enroll(self) -> UUID:
        """Trade the token and a new key for an identity."""
        public_key = self._key.public_key().public_bytes_raw()
        request = EnrollRequest(
            token=self.token,
            public_key=public_key,
            signature=self._key.sign(enroll_bytes(token=self.token, public_key=public_key)),
            name=self.name,
            software=SOFTWARE,
        )
        answer = httpx.post(
            f"{self.hub_url}/api/v1/agents/enroll",
            content=msgspec.json.encode(request),
            headers={"Content-Type": "application/json"},
            trust_env=False,
            timeout=PATIENCE_S,
        )
        answer.raise_for_status()
        self.agent_id = msgspec.json.decode(answer.content, type=EnrollResponse).agent_id
        return self.agent_id

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Leave; raise what went wrong on the way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=PATIENCE_S)
        if self.failure is not None:
            raise self.failure

    @property
    def cameras(self) -> tuple[DesiredCamera, ...]:
        """What it was told last."""
        return self._cameras

    def raise_event(self, event: EventRaised) -> None:
        """Tell people something with the next frame."""
        self._events.append(event)

    def show_event(self, event_id: UUID, camera_id: UUID, view: View, *, score: float) -> None:
        """Send the best picture of an event with the next frame."""
        self._thumbnails.append(
            Thumbnail(
                event_id=event_id,
                camera_id=camera_id,
                captured_at=datetime.now(UTC),
                score=score,
                width=view.width,
                height=view.height,
                jpeg=view.jpeg,
            )
        )

    def keep_clip(self, content: bytes, *, begins_at: datetime, seconds: float) -> ClipMade:
        """Keep a clip; it is sent when the hub wants it."""
        clip_id = uuid4()
        self._clips[clip_id] = content
        return ClipMade(clip_id=clip_id, begins_at=begins_at, seconds=seconds, n_bytes=len(content))

    def lose_clips(self) -> None:
        """Make room: no clip is kept any more."""
        self._clips.clear()

    def _run_noting_failure(self) -> None:
        try:
            self._run()
        except BaseException as failure:  # noqa: BLE001 - `stop` raises it in the test's thread
            self.failure = failure

    def _run(self) -> None:
        address = self.hub_url.replace("http", "ws", 1) + "/agent/ws"
        with connect(address, subprotocols=[Subprotocol(SUBPROTOCOL)], proxy=None) as socket:
            self._introduce(socket)
            number, next_at, state_at = 0, time.monotonic(), 0.0
            batch: list[Result] = []
            while not self._stop.is_set():
                self._listen(socket)
                if time.monotonic() >= state_at:
                    state_at = time.monotonic() + STATE_EVERY_S
                    self._send(socket, self._state())
                for index, camera in enumerate(self._watched()):
                    view = self.sceneries[index % len(self.sceneries)].view(number)
                    batch.append(self._see(socket, camera, view))
                if len(batch) >= FRAMES_A_BATCH:
                    self._send_results(socket, batch)
                    batch = []
                self._send_events(socket)
                self._send_thumbnails(socket)
                number += 1
                next_at += 1 / FPS
                self._stop.wait(max(0.0, next_at - time.monotonic()))

    def _introduce(self, socket: ClientConnection) -> None:
        challenge = self._receive(socket, timeout_s=PATIENCE_S)
        assert isinstance(challenge, Challenge)
        assert self.agent_id is not None
        signed = challenge_bytes(
            hub_id=challenge.hub_id,
            nonce=challenge.nonce,
            agent_id=self.agent_id,
            epoch=self._epoch,
        )
        hello = Hello(
            protocol=PROTOCOL,
            agent_id=self.agent_id,
            epoch=self._epoch,
            boot_id=uuid4(),
            software=SOFTWARE,
            clock_at=datetime.now(UTC),
            signature=self._key.sign(signed),
        )
        self._send(socket, hello)
        welcome = self._receive(socket, timeout_s=PATIENCE_S)  # until then only the hub may speak
        assert isinstance(welcome, Welcome), welcome
        self._take(welcome.desired)

    def _listen(self, socket: ClientConnection) -> None:
        """Take what has arrived, without waiting."""
        while True:
            try:
                message = self._receive(socket, timeout_s=0)
            except TimeoutError:
                return
            match message:
                case DesiredState():
                    self._take(message)
                case LiveDemand():
                    self.demanded = frozenset(view.camera_id for view in message.views)
                case ClipDemand():
                    self._send_clips(socket, message)
                case Refused():
                    raise AssertionError(f"refused: {message.code}, {message.detail}")
                case _:
                    pass

    def _send_clips(self, socket: ClientConnection, demand: ClipDemand) -> None:
        for wanted in demand.wanted:
            self._send_clip(socket, wanted)

    def _send_clip(self, socket: ClientConnection, wanted: ClipWanted) -> None:
        content = self._clips.get(wanted.clip_id)
        if content is None:
            reason = "it made room for newer ones"
            self._send(socket, ClipMissing(clip_id=wanted.clip_id, reason=reason))
            return
        answer = httpx.put(
            self.hub_url + wanted.upload_path,
            content=content,
            headers={"Content-Type": "video/mp4"},
            trust_env=False,
            timeout=PATIENCE_S,
        )
        assert answer.status_code in {201, 409}, answer.text

    def _take(self, desired: DesiredState) -> None:
        self._cameras, self._version = desired.cameras, desired.version

    def _watched(self) -> list[DesiredCamera]:
        return [
            camera
            for camera in self._cameras
            if camera.is_enabled and camera.name not in self.troubles
        ]

    def _see(self, socket: ClientConnection, camera: DesiredCamera, view: View) -> Result:
        at, packed = datetime.now(UTC), pack(view.detections)
        if camera.camera_id in self.demanded:
            picture = LivePicture(
                camera_id=camera.camera_id,
                captured_at=at,
                width=view.width,
                height=view.height,
                bundle=DIGEST,
                detections=packed,
                jpeg=view.jpeg,
            )
            self._send(socket, picture)
        return Result(
            camera_id=camera.camera_id,
            captured_at=at,
            bundle=DIGEST,
            detections=packed,
            n_started=view.n_started,
            latency_ms=20.0,
            features=FrameFeatures(0.5, 0.2, 120.0, 2.5, 0.03),
            entered=tuple(
                Entered(zone.zone_id, label, n_tracks)
                for zone in camera.scene.zones
                for label, n_tracks in view.n_started
            ),
        )

    def offer_sample(self, camera_id: UUID, view: View) -> SampleOffered:
        """Return a sample of what a camera sees, in doubt about the first thing in it."""
        return SampleOffered(
            camera_id=camera_id,
            captured_at=datetime.now(UTC),
            bundle=DIGEST,
            detections=pack(view.detections),
            reason="low_confidence",
            score=0.31,
            width=view.width,
            height=view.height,
            jpeg=view.jpeg,
        )

    def _send_results(self, socket: ClientConnection, results: list[Result]) -> None:
        first = self._take_seqs("results", len(results))
        batch = ResultBatch(epoch=self._epoch, first_seq=first, entries=tuple(results))
        self._send(socket, batch)
        if first == 1:  # once, so that there is something to review
            for camera in self._watched():
                sample = self.offer_sample(camera.camera_id, self.sceneries[0].view(40))
                first = self._take_seqs("media", 1)
                self._send(
                    socket, SampleBatch(epoch=self._epoch, first_seq=first, entries=(sample,))
                )

    def _send_events(self, socket: ClientConnection) -> None:
        if self._events:
            events, self._events = tuple(self._events), []
            first = self._take_seqs("events", len(events))
            self._send(
                socket,
                EventBatch(epoch=self._epoch, first_seq=first, lane="events", entries=events),
            )

    def _send_thumbnails(self, socket: ClientConnection) -> None:
        if self._thumbnails:
            entries, self._thumbnails = tuple(self._thumbnails), []
            first = self._take_seqs("media", len(entries))
            self._send(socket, ThumbnailBatch(epoch=self._epoch, first_seq=first, entries=entries))

    def _take_seqs(self, lane: str, n: int) -> int:
        first = self._seqs[lane]
        self._seqs[lane] += n
        return first

    def _state(self) -> StateReport:
        at = datetime.now(UTC)
        name, labels = "simulated-net", self.labels
        return StateReport(
            at=at,
            desired_version=self._version,
            cameras=tuple(self._camera_state(camera, at) for camera in self._cameras),
            bundles=(BundleState(digest=DIGEST, name=name, version="1", labels=labels),),
            lanes=(LaneState(lane="results", n_pending=self.n_pending),),
            problems=self.problems,
        )

    def _camera_state(self, camera: DesiredCamera, at: datetime) -> CameraState:
        if not camera.is_enabled:
            return CameraState(camera_id=camera.camera_id, state="disabled", since_at=at)
        if reason := self.troubles.get(camera.name):
            return CameraState(
                camera_id=camera.camera_id, state="unreachable", reason=reason, since_at=at
            )
        return CameraState(
            camera_id=camera.camera_id,
            state="online",
            since_at=at,
            fps=FPS,
            n_frames=self._seqs["results"],
            width=WIDTH,
            height=HEIGHT,
        )

    def _send(self, socket: ClientConnection, message: Message) -> None:
        socket.send(self._codec.encode(message))

    def _receive(self, socket: ClientConnection, *, timeout_s: float) -> object:
        data = socket.recv(timeout=timeout_s)
        assert isinstance(data, bytes)
        return self._codec.decode(data)

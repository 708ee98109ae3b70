"""The edge of the hub: which entries are taken, and why one is not."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Final, Literal, TypeAlias
from uuid import UUID

from processing.wire.embedding import is_embedding
from processing.wire.limits import FUTURE_TOLERANCE_S, MAX_DETECTIONS, PAST_TOLERANCE_S
from processing.wire.messages import (
    ClipMade,
    EventRaised,
    Rejection,
    Result,
    SampleOffered,
    Thumbnail,
)
from processing.wire.packed import BadDetections, all_sound, check
from webapp.datasets.actions import keep_sample
from webapp.datasets.models import Sample
from webapp.events.actions import EventLane, Pictured, Raised
from webapp.fleet.models import Agent
from webapp.gateway.ingest.directory import (
    Directory,
    KnownBundle,
    KnownCamera,
    TooManyBundles,
)
from webapp.media.kinds import is_jpeg
from webapp.monitoring.folding import is_plausible
from webapp.results.arrivals import NewEntered
from webapp.results.bulk import NewResult

RejectionCode: TypeAlias = Literal[
    "unknown_camera", "from_the_future", "too_old", "bad_detections", "bad_picture"
]

_FUTURE: Final = timedelta(seconds=FUTURE_TOLERANCE_S)
_PAST: Final = timedelta(seconds=PAST_TOLERANCE_S)
_MAX_CLIP_S: Final = 86_400.0
_MAX_BYTES: Final = 2**63 - 1
"""As a column holds."""


class Rejected(Exception):
    """The hub will never store this entry."""

    def __init__(self, code: RejectionCode, detail: str) -> None:
        super().__init__(detail)
        self.code: RejectionCode = code
        self.detail = detail

    def of(self, seq: int) -> Rejection:
        return Rejection(seq=seq, code=self.code, detail=self.detail)


class Edge:
    """Checks the entries of one batch of an agent and makes rows of them."""

    def __init__(self, agent: Agent, directory: Directory, *, epoch: int, at: datetime) -> None:
        self._agent = agent
        self._directory = directory
        self._cameras = directory.of_agent(agent).cameras
        self._bundles = directory.of_agent(agent).bundles
        self._epoch = epoch
        self._at = at
        self._earliest, self._latest = at - _PAST, at + _FUTURE
        self._are_sound = False
        self.entered: list[NewEntered] = []
        """What came into zones, of all results that were taken."""

    def look_over(self, entries: Sequence[Result]) -> None:
        """Look at the detections of results all at once, which spares a look at each."""
        digests = {entry.bundle for entry in entries}
        bundle = self._bundles.get(digests.pop())
        self._are_sound = (
            bundle is not None
            and not digests
            and all_sound([entry.detections for entry in entries], n_labels=bundle.n_labels)
        )

    def result(self, seq: int, entry: Result) -> NewResult:
        """Return the row of a result, or raise `Rejected`; the usual is found without a call."""
        camera = self._cameras.get(entry.camera_id.int) or self.camera(entry.camera_id)
        bundle = self._bundles.get(entry.bundle) or self.bundle(entry.bundle)
        at = entry.captured_at
        if at.tzinfo is not UTC or not self._earliest <= at <= self._latest:
            at = self.instant(at)
        if not self._are_sound:
            _check(entry.detections, bundle)
        for label, n_tracks in entry.n_started:
            if not (0 <= label < bundle.n_labels and 0 < n_tracks <= MAX_DETECTIONS):
                raise Rejected("bad_detections", f"{n_tracks} tracks begun of label {label}")
        if not isfinite(entry.latency_ms):
            raise Rejected("bad_detections", "a latency that is no number")
        if entry.features is not None and not is_plausible(entry.features):
            raise Rejected("bad_picture", "features that no picture has")
        if entry.entered:
            self._enter(entry, camera, bundle, at)
        return NewResult(
            seq, camera.key, bundle.key, at, entry.latency_ms, entry.detections, entry.n_started,
            entry.features,
        )  # fmt: skip

    def _enter(self, entry: Result, camera: KnownCamera, bundle: KnownBundle, at: datetime) -> None:
        """Take what came into zones; nothing of a zone that was deleted meanwhile."""
        for each in entry.entered:
            if not (0 <= each.label < bundle.n_labels and 0 < each.n_tracks <= MAX_DETECTIONS):
                raise Rejected("bad_detections", f"{each.n_tracks} of label {each.label} in a zone")
        self.entered += [
            NewEntered(camera.key, bundle.key, at, each.zone_id.hex, each.label, each.n_tracks)
            for each in entry.entered
            if each.zone_id in camera.zones
        ]

    def event(self, seq: int, entry: EventRaised, *, lane: EventLane) -> Raised:
        """Return the row of an event, or raise `Rejected`."""
        self.instant(entry.occurred_at)
        if entry.started_at is not None:
            self.instant(entry.started_at)
        if entry.camera_id is not None:
            self.camera(entry.camera_id)
        if entry.clip is not None:
            self._clip(entry.clip)
        return Raised(self._agent, self._epoch, lane, seq, entry, self._at)

    def sample(self, seq: int, entry: SampleOffered) -> Sample:
        """Keep a sample, at once, or raise `Rejected`."""
        camera = self.camera(entry.camera_id)
        bundle = self.bundle(entry.bundle)
        self.instant(entry.captured_at)
        _check(entry.detections, bundle)
        _check_offered(entry)
        sample = keep_sample(
            agent=self._agent,
            camera=camera.row,
            bundle=bundle.row,
            epoch=self._epoch,
            seq=seq,
            offered=entry,
            at=self._at,
        )
        if sample is None:
            raise Rejected("bad_picture", "the picture is no JPEG")
        return sample

    def thumbnail(self, seq: int, entry: Thumbnail) -> Pictured:  # noqa: ARG002 - as all of them
        """Return the best picture of an event so far, or raise `Rejected`."""
        self.camera(entry.camera_id)
        self.instant(entry.captured_at)
        if not is_jpeg(entry.jpeg):
            raise Rejected("bad_picture", "the picture is no JPEG")
        return Pictured(self._agent, entry, self._at)

    def _clip(self, clip: ClipMade) -> None:
        self.instant(clip.begins_at)
        if not (clip.seconds <= _MAX_CLIP_S and clip.n_bytes <= _MAX_BYTES):
            raise Rejected("bad_picture", f"a clip of {clip.seconds} s and {clip.n_bytes} bytes")

    def camera(self, camera_id: UUID) -> KnownCamera:
        camera = self._cameras.get(camera_id.int)
        if camera is None:
            raise Rejected("unknown_camera", f"{self._agent.name} has no camera {camera_id}")
        return camera

    def bundle(self, digest: bytes) -> KnownBundle:
        known = self._bundles.get(digest)
        if known is not None:
            return known
        try:
            return self._directory.bundle(self._agent, digest, at=self._at)
        except TooManyBundles as error:
            raise Rejected("bad_detections", str(error)) from error

    def instant(self, at: datetime) -> datetime:
        """Return the instant in UTC; raise `Rejected` when no clock that is right says so."""
        if at > self._latest:
            raise Rejected(
                "from_the_future",
                f"{at.isoformat()} is ahead of the hub's clock, which says {self._at.isoformat()}",
            )
        if at < self._earliest:
            raise Rejected("too_old", f"{at.isoformat()} is more than {_PAST.days} days ago")
        return at if at.tzinfo is UTC else at.astimezone(UTC)


def _check_offered(sample: SampleOffered) -> None:
    """Raise `Rejected` where what goes with a sample is nothing that an agent can have found."""
    if not is_embedding(sample.embedding):
        raise Rejected("bad_picture", f"no embedding: {len(sample.embedding)} bytes")
    differs = sample.disagreement
    if differs is not None and differs.n_alone > differs.n_things:
        raise Rejected("bad_detections", f"{differs.n_alone} of {differs.n_things} things alone")


def _check(detections: bytes, bundle: KnownBundle) -> None:
    try:
        check(detections, n_labels=bundle.n_labels)
    except BadDetections as error:
        raise Rejected("bad_detections", str(error)) from error

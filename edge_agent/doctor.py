"""Says in plain words what keeps an agent from its work: one line a check."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Final

import httpx
import numpy as np

from edge_agent import examine
from edge_agent.clock import Clock
from edge_agent.config import AgentConfig
from edge_agent.discovery import probe
from edge_agent.examine import Trouble
from edge_agent.identity import BadIdentity, Identity, IdentityFiles, NotEnrolled
from edge_agent.logs import without_credentials
from edge_agent.model_store import ModelStore, NoModel
from edge_agent.reconcile import LastWishes
from edge_agent.sources.address import open_feed
from edge_agent.spool.ballast import free_bytes
from processing.inference.detector import InferenceFailed
from processing.media.decode import SourceLost
from processing.vision.frame import Frame
from processing.wire.camera import DesiredCamera
from processing.wire.limits import FUTURE_TOLERANCE_S
from processing.wire.messages import FoundCamera

_HUB_TIMEOUT_S: Final = 10.0
_CAMERA_TIMEOUT_S: Final = 15.0
_CLOCK_WORTH_TELLING_S: Final = 5.0
_LEAST_FREE_BYTES: Final = 200_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check."""

    name: str
    is_ok: bool
    text: str

    def line(self) -> str:
        return f"{'ok     ' if self.is_ok else 'PROBLEM'}  {self.name}: {self.text}"


class Doctor:
    """Looks at everything a running agent needs, without disturbing one that runs."""

    def __init__(
        self,
        config: AgentConfig,
        *,
        now: Clock,
        transport: httpx.BaseTransport | None = None,
        probe: Callable[[], tuple[FoundCamera, ...]] = probe,
    ) -> None:
        self._config = config
        self._probe = probe
        self._now = now
        self._transport = transport
        self._identity_files = IdentityFiles(config.data_dir)

    def findings(self) -> Iterator[Finding]:
        """Yield the outcome of each check as soon as it is known."""
        yield _check("data folder", self._data_folder)
        yield _check("identity", self._identity)
        yield _check("hub", self._hub)
        config = self._config
        yield _check("devices", partial(examine.devices, config.device))
        yield _check("model", self._model)
        cameras = LastWishes(config.data_dir / "desired.msgpack").read().cameras
        yield _check("network", partial(examine.network, self._probe))
        yield _check("hours", partial(examine.hours, cameras, self._now()))
        yield _check("clips", partial(examine.clip_folder, config.resolved_clips_dir, cameras))
        yield _check("metrics", partial(examine.metrics, config.metrics_port))
        yield _check("watchdog", lambda: examine.watchdog(examine.unit_properties()))
        if not cameras:
            yield Finding("cameras", is_ok=True, text="the hub has not named any yet")
        for camera in cameras:
            if camera.is_enabled:
                yield _check(f"camera {camera.name}", partial(self._camera, camera))

    def _data_folder(self) -> str:
        folder = self._config.data_dir
        if not folder.is_dir():
            raise Trouble(f"{folder} is not there. Enrol, or set FARWATCH_DATA_DIR")
        free = free_bytes(folder)
        if free < _LEAST_FREE_BYTES:
            raise Trouble(f"only {free // 1_000_000} MB are free on {folder}. Make room there")
        return f"{folder.absolute()}, {free // 1_000_000} MB free"

    def _identity(self) -> str:
        membership = self._load_identity().membership
        if not self._identity_files.is_private():
            path = self._identity_files.key_path
            raise Trouble(f"others on this machine may read {path}. Run: chmod 600 {path}")
        return f"agent {membership.agent_id} of {membership.organization}, {membership.site}"

    def _hub(self) -> str:
        url = self._config.hub_url or self._load_identity().membership.hub_url
        begun_at = self._now()
        try:
            with httpx.Client(
                timeout=_HUB_TIMEOUT_S, trust_env=False, transport=self._transport
            ) as client:
                response = client.get(f"{url}/healthz")
        except httpx.TransportError as error:
            raise Trouble(f"{url} cannot be reached: {error}. Is the hub running there?") from error
        if not response.is_success:
            raise Trouble(f"{url}/healthz answers with HTTP {response.status_code}")
        return f"{url} answers, {_clock_in_words(response, begun_at, self._now())}"

    def _model(self) -> str:
        config = self._config
        models = ModelStore(
            config.bundle, device=config.device, cache_dir=config.resolved_cache_dir
        )
        network, state = models.open()
        try:
            begun = time.monotonic()
            network.engine.detect(_grey_frame(self._now()))
            took_ms = (time.monotonic() - begun) * 1000.0
        finally:
            network.engine.close()
        return (
            f"{state.name} {state.version} looks at a picture in {took_ms:.0f} ms on {state.device}"
        )

    def _camera(self, camera: DesiredCamera) -> str:
        feed = open_feed(camera, None, files_dir=self._config.files_dir, now=self._now)
        frame = next(feed.frames(threading.Event()))
        return f"sends pictures of {frame.width} x {frame.height}"

    def _load_identity(self) -> Identity:
        return self._identity_files.load()


def _check(name: str, look: Callable[[], str]) -> Finding:
    """Return the outcome of a check; one that hangs in a camera is left behind."""
    found: list[Finding] = []

    def run() -> None:
        try:
            found.append(Finding(name, is_ok=True, text=look()))
        except (Trouble, NotEnrolled, BadIdentity, NoModel, SourceLost, InferenceFailed) as error:
            found.append(Finding(name, is_ok=False, text=without_credentials(str(error))))

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    thread.join(_CAMERA_TIMEOUT_S if name.startswith("camera") else None)
    if not found:
        text = f"no answer within {_CAMERA_TIMEOUT_S:.0f} s"
        return Finding(name, is_ok=False, text=text)
    return found[0]


def _clock_in_words(response: httpx.Response, begun_at: datetime, ended_at: datetime) -> str:
    """Compare clocks; raise `Trouble` if ours is so far off that the hub would refuse us."""
    hub_at = _time_of(response)
    if hub_at is None:
        return "but does not say what time it is"
    middle = begun_at + (ended_at - begun_at) / 2
    off_s = (middle - hub_at).total_seconds()
    if abs(off_s) >= FUTURE_TOLERANCE_S:
        direction = "ahead of" if off_s > 0 else "behind"
        raise Trouble(
            f"this machine's clock is {abs(off_s):.0f} s {direction} the hub's, which will refuse "
            "it. Set the clock (is NTP running?)"
        )
    if abs(off_s) >= _CLOCK_WORTH_TELLING_S:
        return f"clocks differ by {off_s:+.0f} s"
    return "clocks agree"


def _time_of(response: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None


def _grey_frame(at: datetime) -> Frame:
    grey = np.full((240, 320), 128, np.uint8)
    return Frame(y=grey, u=grey[:120, :160], v=grey[:120, :160], captured_at=at)

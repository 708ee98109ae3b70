"""Opens the bundle that the settings name, and says in plain words why it cannot."""

from functools import partial
from pathlib import Path
from typing import Final

import structlog

from edge_agent.duty import Network
from processing.inference.bundle import BadBundle, Bundle, BundleCorrupt
from processing.inference.device_keeper import Problems
from processing.inference.device_names import device_names
from processing.inference.engine import Engine
from processing.inference.network import Mode
from processing.inference.pool import EnginePool
from processing.wire.messages import BundleState

log = structlog.get_logger()


class NoModel(Exception):
    """There is no bundle that can be run; the text says why and what to do."""


class NobodyAsks:
    """For those who only try a model: they see on which devices it runs."""

    def problem(self, key: str, text: str) -> None:
        """Tell nobody."""

    def solved(self, key: str) -> None:
        """Tell nobody."""


class ModelStore:
    """The one bundle of this agent. Any thread may call."""

    def __init__(
        self,
        path: Path | None,
        *,
        device: str,
        cache_dir: Path,
        mode: Mode = "throughput",
        n_requests: int | None = None,
        problems: Problems | None = None,
    ) -> None:
        """Take what the settings say.

        `device` may be a list (see `device_names`); of each `n_requests` frames are in work at
        once, None: as many as keep it busy. `problems` hears of devices that fail.
        """
        self._path: Final = path
        self._device: Final = device
        self._cache_dir: Final = cache_dir
        self._mode: Final = mode
        self._n_requests: Final = n_requests
        self._problems: Final = problems or NobodyAsks()

    def open(self) -> tuple[Network, BundleState]:
        """Verify every file, compile the network, and return it ready to run. Raise `NoModel`."""
        return self.start(self.verify())

    def verify(self) -> Bundle:
        """Return the bundle that is there now, its files read and compared. Raise `NoModel`."""
        if self._path is None:
            raise NoModel("no bundle is set: name its folder in FARWATCH_BUNDLE")
        try:
            # A link may point elsewhere a moment later, and one bundle's files belong together.
            return Bundle.open(self._path.resolve())
        except BadBundle as error:
            raise NoModel(f"the bundle cannot be used: {error}") from error

    def start(self, bundle: Bundle) -> tuple[Network, BundleState]:
        """Compile the bundle and look at one picture with it; return it. Raise `NoModel`."""
        try:
            engine = EnginePool.open(
                device_names(self._device),
                partial(self._start_on, bundle),
                problems=self._problems,
            )
        except BadBundle as error:
            raise NoModel(f"the bundle cannot be used: {error}") from error
        manifest = bundle.manifest
        state = BundleState(
            digest=bundle.digest,
            name=manifest.name,
            version=manifest.version,
            labels=manifest.labels,
            device=engine.device,
        )
        log.info("model.open", name=manifest.name, version=manifest.version, device=state.device)
        return Network(engine, bundle.digest, manifest.labels), state

    def fingerprint(self) -> tuple[tuple[str, int, int, int], ...]:
        """Return what changes when the bundle's files do: names, sizes, times, places on the disk.

        The time is the one that no program can set, so that a copy which keeps dates is noticed.
        """
        if self._path is None:
            return ()
        found: list[tuple[str, int, int, int]] = []
        for file in sorted(self._path.rglob("*")) if self._path.is_dir() else ():
            try:
                status = file.stat()
            except OSError:
                continue  # it went while we looked
            found.append((str(file), status.st_size, status.st_ctime_ns, status.st_ino))
        return tuple(found)

    def _start_on(self, bundle: Bundle, device: str) -> Engine:
        """Open an engine, perhaps long after the bundle was verified. Raise `BadBundle`."""
        if Bundle.open(bundle.path).digest != bundle.digest:
            raise BundleCorrupt("another bundle lies in its folder by now")
        return Engine.open(
            bundle,
            device=device,
            mode=self._mode,
            n_requests=self._n_requests,
            cache_dir=self._cache_dir,
        )

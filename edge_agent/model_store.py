"""Opens the bundle that the settings name, and says in plain words why it cannot."""

from pathlib import Path
from typing import Final

import structlog

from edge_agent.watch import Network
from processing.inference.bundle import BadBundle, Bundle
from processing.inference.engine import Engine
from processing.wire.messages import BundleState

log = structlog.get_logger()


class NoModel(Exception):
    """There is no bundle that can be run; the text says why and what to do."""


class ModelStore:
    """The one bundle of this agent."""

    def __init__(self, path: Path | None, *, device: str, cache_dir: Path) -> None:
        self._path: Final = path
        self._device: Final = device
        self._cache_dir: Final = cache_dir

    def open(self) -> tuple[Network, BundleState]:
        """Verify every file, compile the network, and return it ready to run. Raise `NoModel`."""
        if self._path is None:
            raise NoModel("no bundle is set: name its folder in FARWATCH_BUNDLE")
        try:
            bundle = Bundle.open(self._path)
            engine = Engine.open(bundle, device=self._device, cache_dir=self._cache_dir)
        except BadBundle as error:
            raise NoModel(f"the bundle cannot be used: {error}") from error
        manifest = bundle.manifest
        state = BundleState(
            digest=bundle.digest,
            name=manifest.name,
            version=manifest.version,
            labels=manifest.labels,
            device=self._device,
        )
        log.info("model.open", name=manifest.name, version=manifest.version, device=self._device)
        return Network(engine, bundle.digest, manifest.labels), state

    def fingerprint(self) -> tuple[tuple[str, int, int], ...]:
        """Return names, sizes and times of the bundle's files: another one, and it has changed."""
        if self._path is None:
            return ()
        found: list[tuple[str, int, int]] = []
        for file in sorted(self._path.rglob("*")) if self._path.is_dir() else ():
            try:
                status = file.stat()
            except OSError:
                continue  # it went while we looked
            found.append((str(file), status.st_size, status.st_mtime_ns))
        return tuple(found)

"""A real agent process that has no hub, and watches what it was told last."""

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import msgspec

from edge_agent.identity import IdentityFiles, Membership
from edge_agent.reconcile import LastWishes
from processing.wire.camera import DesiredCamera
from processing.wire.messages import DesiredState
from tests.processing.tiny_bundle import make_tiny_bundle

ROOT = Path(__file__).parents[2]


class LoneAgent:
    """Runs inside a `with` block; its logs are JSON."""

    def __init__(self, folder: Path, *cameras: DesiredCamera, **settings: object) -> None:
        """Videos of `file:` cameras lie in `folder`; settings are the agent's own, by name."""
        self._log = folder / "log"
        self.data_dir = folder / "agent"
        self.data_dir.mkdir()
        make_tiny_bundle(folder / "tiny")
        files = IdentityFiles(self.data_dir)
        files.key()
        files.save(
            Membership(
                agent_id=UUID(int=1),
                hub_id=UUID(int=2),
                hub_url="http://127.0.0.1:9",
                organization="Farm",
                site="Barn",
            )
        )
        desired = DesiredState(version=1, cameras=cameras)
        LastWishes(self.data_dir / "desired.msgpack").write(desired)
        own = {
            "data_dir": self.data_dir,
            "bundle": folder / "tiny",
            "files_dir": folder,
            "log_format": "json",
            "metrics_port": 0,
        }
        self._environment = {
            f"FARWATCH_{name.upper()}": str(value) for name, value in (own | settings).items()
        }

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge_agent", "run"],
                cwd=ROOT,
                env=os.environ | self._environment,
                stderr=log,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()

    @property
    def said(self) -> str:
        """All that it has logged so far."""
        return self._log.read_text()

    def events(self) -> list[dict[str, Any]]:
        """Return what it has logged so far; a line that is no JSON fails."""
        return [msgspec.json.decode(line) for line in self.said.splitlines()]

    def resident_bytes(self) -> int:
        """Return how much memory it has in RAM; fail if it has ended."""
        assert self.process.poll() is None, self.said[-2000:]
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

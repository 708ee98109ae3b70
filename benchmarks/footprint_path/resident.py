"""A real agent, started without a hub on what it was told last, and the memory that it takes."""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final
from uuid import UUID

from benchmarks.footprint_path.installed import ROOT
from benchmarks.harness.benchmark import CannotMeasure
from edge_agent.identity import IdentityFiles, Membership
from edge_agent.reconcile import LastWishes
from processing.wire.camera import DesiredCamera
from processing.wire.messages import DesiredState

ANALYSED_FPS: Final = 5.0
_NO_HUB: Final = "http://127.0.0.1:9"
_END_S: Final = 15.0


def resident_mb(
    python: Path, *, bundle: Path, video: Path, n_cameras: int, warm_up_s: float, seconds: float
) -> float:
    """Return the median of the agent's resident memory, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        config = _prepare(Path(folder), bundle=bundle, video=video, n_cameras=n_cameras)
        with _agent(python, config) as process:
            time.sleep(warm_up_s)
            found = []
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                found.append(_resident_mb(process))
                time.sleep(0.2)
    return median(found)


def _prepare(folder: Path, *, bundle: Path, video: Path, n_cameras: int) -> Path:
    """Make a data folder as if the agent had been enrolled; return its settings file."""
    data_dir = folder / "agent"
    data_dir.mkdir()
    files = IdentityFiles(data_dir)
    files.key()
    files.save(
        Membership(
            agent_id=UUID(int=1),
            hub_id=UUID(int=2),
            hub_url=_NO_HUB,
            organization="Benchmark",
            site="Here",
        )
    )
    cameras = tuple(
        DesiredCamera(
            camera_id=UUID(int=number),
            name=f"Camera {number}",
            source=f"file:{video.name}",
            analysed_fps=ANALYSED_FPS,
        )
        for number in range(1, n_cameras + 1)
    )
    LastWishes(data_dir / "desired.msgpack").write(DesiredState(version=1, cameras=cameras))
    settings = {
        "data_dir": str(data_dir),
        "bundle": str(bundle.absolute()),
        "files_dir": str(video.absolute().parent),
        "log_level": "error",
    }
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
    config = folder / "agent.toml"
    config.write_text("".join(lines) + "metrics_port = 0\n")
    return config


@contextmanager
def _agent(python: Path, config: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [str(python), "-m", "edge_agent", "--config", str(config), "run"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _resident_mb(process: "subprocess.Popen[bytes]") -> float:
    if process.poll() is not None:
        raise CannotMeasure(f"the agent ended with status {process.returncode}")
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    [found] = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return int(found) * 1024 / 1e6

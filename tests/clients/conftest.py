"""A real tier in a process of its own, for clients that others wrote."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from tests.ports import free_port
from tests.processing.tiny_bundle import COLOURS, SIDE, make_tiny_bundle

ROOT = Path(__file__).parents[2]
START_S = 60.0


@dataclass(frozen=True)
class RunningTier:
    """Where it listens, as clients want to be told."""

    http: str
    grpc: str
    model: str = "tiny"


@pytest.fixture(scope="session")
def running_tier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTier]:
    """`python -m processing.tier` with the bundle that finds patches of colour."""
    folder = tmp_path_factory.mktemp("tier")
    (folder / "bundles").mkdir()
    make_tiny_bundle(folder / "bundles" / "tiny")
    http, grpc = free_port(), free_port()
    environment = {
        "FARWATCH_TIER_OPEN": "true",
        "FARWATCH_TIER_PORT": str(http),
        "FARWATCH_TIER_GRPC_PORT": str(grpc),
        "FARWATCH_TIER_BUNDLES": str(folder / "bundles"),
        "FARWATCH_TIER_DATA_DIR": str(folder / "data"),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "processing.tier"],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_ready(f"http://127.0.0.1:{http}/v2/health/ready", process, folder / "log")
        yield RunningTier(http=f"127.0.0.1:{http}", grpc=f"127.0.0.1:{grpc}")
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0, (folder / "log").read_text()


@pytest.fixture(scope="session")
def picture() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A picture, RGB, with one green patch where the bundle finds it."""
    rgb = np.zeros((SIDE, SIDE, 3), np.uint8)
    rgb[16:24, 24:32] = COLOURS["green"][::-1]
    return rgb


@pytest.fixture(scope="session")
def png(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    """The same as a file."""
    done, content = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))
    assert done
    return content.tobytes()


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"the tier is not ready after {START_S:.0f} s: {log.read_text()}")

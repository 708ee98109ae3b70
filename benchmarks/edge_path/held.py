"""How many cameras are held without a drop: `python -m benchmarks.edge_path.held`.

On fewer cores in a process of its own, begun there: OpenVINO counts the cores once.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Final
from uuid import UUID

import msgspec

from benchmarks.edge_path.agent import Tally, a_camera, new_cameras, rates_of, watching
from benchmarks.harness.benchmark import CannotMeasure, Say
from edge_agent.clock import utc_now
from edge_agent.health import Health
from edge_agent.logs import configure_logs
from edge_agent.sources.file import PlayedFile
from processing.inference.bundle import Bundle

ANALYSED_FPS: Final = 5.0
_MOST_CAMERAS: Final = 64
_SETTLING_S: Final = 3.0
_LEAST_LATENCIES: Final = 2
_CHILD_S: Final = 400.0


class Load(msgspec.Struct, frozen=True):
    """So many cameras at once, and how late their results are."""

    n_cameras: int
    p50_ms: float = 0.0
    p99_ms: float = 0.0


class Held(msgspec.Struct, frozen=True):
    """The most cameras."""

    plain: Load
    gated: Load


class Holding:
    """Searches for the most cameras of one bundle and one video, on the cores of this process."""

    def __init__(self, bundle: Bundle, video: Path, *, seconds: float, say: Say) -> None:
        self._bundle = bundle
        self._video = video
        self._seconds = seconds
        self._say = say

    def most(self, *, guess: int) -> Held:
        """Return the most cameras, looked for around `guess`."""
        plain = self._most(guess, is_gated=False)
        return Held(plain, self._most(plain.n_cameras or guess, is_gated=True))

    def _most(self, guess: int, *, is_gated: bool) -> Load:
        """Go up or down from the guess in growing steps, then halve what is left."""
        best, low, high = Load(0), 0, _MOST_CAMERAS + 1
        n = min(max(guess, 1), _MOST_CAMERAS)
        step = max(1, n // 6)
        while high - low > 1:
            self._say(f"{n} cameras at {ANALYSED_FPS:.0f} fps{', gated' if is_gated else ''}")
            load = self._hold(n, is_gated=is_gated)
            if load is None:
                high = n
            else:
                best, low = load, n
            if low and high <= _MOST_CAMERAS:
                n = (low + high) // 2
            else:
                n = min(low + step, _MOST_CAMERAS) if low else max(high - step, 1)
                step *= 2
        return best

    def _hold(self, n: int, *, is_gated: bool) -> Load | None:
        """Return how it is with so many cameras; None if a frame in a hundred is not looked at."""
        cameras, tally = new_cameras(n), Tally()
        feeds = {camera: PlayedFile(self._video, now=utc_now) for camera in cameras}
        camera = a_camera(fps=ANALYSED_FPS, is_gated=is_gated)
        with watching(self._bundle, feeds, tally, camera=camera, patient=False) as health:
            time.sleep(_SETTLING_S)
            before = _frames_of(health)
            rates_of(tally, warm_up_s=0.0, seconds=self._seconds)
            after, latencies = _frames_of(health), list(tally.latencies_ms)
        wanted = ANALYSED_FPS * self._seconds
        for camera_id in cameras:
            pairs = zip(before[camera_id], after[camera_id], strict=True)
            looked, dropped = (late - early for early, late in pairs)
            if dropped > 0.01 * wanted or looked < 0.97 * wanted - 1:
                return None
        if len(latencies) < _LEAST_LATENCIES:
            return None
        hundredths = quantiles(latencies, n=100)
        return Load(n, hundredths[49], hundredths[98])


def held_on(
    n_cores: int, bundle: Bundle, video: Path, *, seconds: float, guess: int, say: Say
) -> Held:
    """Return the most cameras on so many of this process's cores, measured in another process."""
    say(f"cameras on {n_cores} core(s)")
    options = ("--bundle", bundle.path, "--video", video, "--seconds", seconds, "--guess", guess)
    command = [sys.executable, "-m", "benchmarks.edge_path.held", *map(str, options)]
    with cores(n_cores):
        done = subprocess.run(command, capture_output=True, timeout=_CHILD_S, check=False)
    try:
        return msgspec.json.decode(done.stdout, type=Held)
    except msgspec.DecodeError as error:
        raise CannotMeasure(done.stderr.decode(errors="replace")[-500:]) from error


@contextmanager
def cores(n: int) -> Iterator[None]:
    """Let threads and processes that are begun inside the block use so many cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:n])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _frames_of(health: Health) -> dict[UUID, tuple[int, int]]:
    """Return by camera how many frames were looked at or need not be, and how many were lost."""
    states = health.report(()).cameras
    return {each.camera_id: (each.n_frames + each.n_gated, each.n_dropped) for each in states}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.edge_path.held", description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--guess", type=int, default=8)
    given = parser.parse_args()
    configure_logs("console", "error")
    holding = Holding(
        Bundle.open(given.bundle),
        given.video,
        seconds=given.seconds,
        say=lambda step: print(step, file=sys.stderr),
    )
    sys.stdout.buffer.write(msgspec.json.encode(holding.most(guess=given.guess)))


if __name__ == "__main__":
    main()

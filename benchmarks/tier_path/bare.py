"""Decoding and the bare engine, in a loop on all cores: what a tier cannot be cheaper than.

`python -m benchmarks.tier_path.bare BUNDLE PICTURES SECONDS` prints a `Bare`.
"""

import sys
import threading
import time
from itertools import count
from pathlib import Path

import msgspec

from benchmarks.tier_path.looking import Looking, as_said


class Bare(msgspec.Struct, frozen=True):
    """What the cores did."""

    n: int
    seconds: float
    cpu_s: float

    @property
    def cpu_ms(self) -> float:
        """Of one picture."""
        return 1000.0 * self.cpu_s / self.n

    @property
    def per_s(self) -> float:
        return self.n / self.seconds


def run_bare(bundle: Path, pictures: Path, seconds: float) -> Bare:
    """Look at the pictures by turns, as many at once as the engine takes; answers are written."""
    looking = Looking(bundle)
    jpegs = [path.read_bytes() for path in sorted(pictures.glob("*.jpg"))]
    for jpeg in jpegs[:4]:
        looking.look(looking.frame(jpeg))
    turns, done = count(), count()
    ends_at = time.perf_counter() + seconds

    def look() -> None:
        while time.perf_counter() < ends_at:
            jpeg = jpegs[next(turns) % len(jpegs)]
            msgspec.json.encode(as_said(looking.look(looking.frame(jpeg))))
            next(done)

    threads = [threading.Thread(target=look) for _ in range(looking.n_at_once)]
    begun, cpu_s = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s, used_s = time.perf_counter() - begun, time.process_time() - cpu_s
    looking.close()
    return Bare(n=next(done), seconds=took_s, cpu_s=used_s)


if __name__ == "__main__":
    bare = run_bare(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
    print(msgspec.json.encode(bare).decode())

"""From `make demo` to READY, and to the first box drawn on the page."""

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from playwright.sync_api import sync_playwright

from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say
from deploy.default_bundle import default_bundle_path

ROOT: Final = Path(__file__).parents[1]
_READY: Final = re.compile(r"READY (?P<url>\S+) user=(?P<user>\S+) password=(?P<password>\S+)")
_COLD_TIMEOUT_S: Final = 1800.0
_WARM_TIMEOUT_S: Final = 90.0
_PAGE_TIMEOUT_MS: Final = 30_000
_CHROMIUM: Final = "/usr/bin/chromium"
_CHROMIUM_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass(frozen=True)
class Ready:
    """What the demo printed, and when."""

    url: str
    user: str
    password: str
    seconds: float


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cold", action="store_true", help="also from nothing: clone, empty home, all downloads"
    )


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    rounds = 1 if options.quick else 3
    figures: dict[str, float] = {}
    notes = []
    with tempfile.TemporaryDirectory() as folder:
        if options.cold:
            say("cold: a clone, an empty home, all downloads")
            figures["cold_to_ready_s"] = _cold(Path(folder) / "cold")
        else:
            notes.append("cold_to_ready_s: only with --cold (it downloads everything again)")
        data_dir = Path(folder) / "data"
        say("filling a data folder")
        with _demo(_demo_command(data_dir), ROOT):
            pass
        warm, boxes, floors = [], [], []
        for number in range(rounds):
            say(f"warm start {number + 1} of {rounds}")
            with _demo(_demo_command(data_dir), ROOT) as ready:
                warm.append(ready.seconds)
                boxes.append(ready.seconds + _first_box_s(ready))
            floors.append(_floor_s())
    figures["warm_to_ready_s"] = median(warm)
    figures["warm_to_first_box_on_page_s"] = median(boxes)
    figures["imports_and_compile_s"] = median(floors)
    figures["warm_over_floor_ratio"] = median(floors) / median(warm)
    notes.append(
        "floor: a bare process that imports Django and its apps, then one that compiles the bundle"
    )
    return Outcome({name: round(value, 3) for name, value in figures.items()}, tuple(notes))


def _demo_command(data_dir: Path) -> list[str]:
    port = str(_free_port())
    return [sys.executable, "-m", "deploy.demo", "--port", port, "--data-dir", str(data_dir)]


def _cold(folder: Path) -> float:
    """Clone this checkout's HEAD and run `make demo` there with an empty home."""
    home = folder / "home"
    home.mkdir(parents=True)
    clone = folder / "clone"
    subprocess.run(["git", "clone", "-q", ROOT, clone], check=True, timeout=120)  # noqa: S607
    environment = {
        "PATH": os.defpath + ":" + str(Path(sys.base_prefix) / "bin"),
        "HOME": str(home),
        "PORT": str(_free_port()),
    }
    command = ["/usr/bin/env", "-i"]
    command += [f"{name}={value}" for name, value in (_inherited() | environment).items()]
    with _demo([*command, "make", "demo"], clone, timeout_s=_COLD_TIMEOUT_S) as ready:
        return ready.seconds


def _inherited() -> dict[str, str]:
    """Return what package managers need from the environment, and nothing else."""
    wanted = ("PIP_", "NPM_CONFIG_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "LANG")
    listed = subprocess.run(
        ["/usr/bin/env", "-0"], capture_output=True, text=True, check=True, timeout=10
    ).stdout
    pairs = (line.partition("=") for line in listed.split("\0"))
    return {name: value for name, _, value in pairs if name.upper().startswith(wanted)}


@contextmanager
def _demo(command: list[str], cwd: Path, timeout_s: float = _WARM_TIMEOUT_S) -> Iterator[Ready]:
    """Run the demo inside the block; time it up to its READY line."""
    begun = time.perf_counter()
    demo = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    lines: list[str] = []
    try:
        assert demo.stdout is not None
        for line in demo.stdout:
            lines.append(line)
            if found := _READY.search(line):
                yield Ready(**found.groupdict(), seconds=time.perf_counter() - begun)
                return
            if time.perf_counter() - begun > timeout_s:
                break
        raise CannotMeasure("the demo did not get ready: " + "".join(lines[-20:]))
    finally:
        os.killpg(demo.pid, signal.SIGINT)
        try:
            demo.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(demo.pid, signal.SIGKILL)


def _first_box_s(ready: Ready) -> float:
    """Return the seconds from a started browser to a box on the camera's picture."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_CHROMIUM_FLAGS))
        page = browser.new_page()
        begun = time.perf_counter()
        page.goto(ready.url)
        page.fill("input[name=username]", ready.user)
        page.fill("input[name=password]", ready.password)
        page.click("button[type=submit]")
        page.click("a[href^='/cameras/']")
        page.wait_for_selector(FIRST_BOX, state="attached", timeout=_PAGE_TIMEOUT_MS)
        seconds = time.perf_counter() - begun
        browser.close()
    return seconds


FIRST_BOX: Final = "[data-boxes]:not([data-boxes='0'])"


def _floor_s() -> float:
    """Return what the imports and the compiled network cost by themselves, in processes of ours."""
    begun = time.perf_counter()
    bundle = str(default_bundle_path())
    for module, arguments in (("benchmarks.floor.hub", []), ("benchmarks.floor.agent", [bundle])):
        command = [sys.executable, "-m", module, *arguments]
        subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    return time.perf_counter() - begun


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


BENCHMARK: Final = Benchmark(summary=__doc__ or "", measure=_measure, add_options=_add_options)

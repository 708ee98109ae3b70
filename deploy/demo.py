"""`make demo`: hub, worker, tier and agent on one machine, on a real video; a login is printed."""

import argparse
import asyncio
import contextlib
import json
import signal
import socket
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import msgspec

from deploy.default_bundle import default_bundle_path
from deploy.sample_video import sample_video_path
from deploy.supervisor import ChildGaveUp, Program, Supervisor, output_of, say

HUB_TIMEOUT_S: Final = 60.0
PATIENCE_S: Final = 45.0
"""Without a result for so long, say where to look (and go on waiting)."""
_POLL_S: Final = 0.1
_MAX_PORT: Final = 65535


class Unusable(Exception):
    """The demo cannot start with these options; the text says what to change."""


class Prepared(msgspec.Struct):
    """What `manage.py prepare_demo` prints."""

    user: str
    password: str
    agent_id: str | None
    token: str | None


@dataclass(frozen=True)
class Demo:
    """Where everything is."""

    port: int
    tier_place: socket.socket
    """Bound where the tier will listen: the system lends that port to no connection meanwhile."""
    data_dir: Path
    source: str
    """A camera's source as the wire has it."""
    files_dir: Path
    """The one folder from which the agent may open `file:` sources."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def tier_port(self) -> int:
        return int(self.tier_place.getsockname()[1])

    @property
    def tier_url(self) -> str:
        return f"http://127.0.0.1:{self.tier_port}"

    @property
    def agent_dir(self) -> Path:
        return self.data_dir / "agent"

    def manage(self, name: str, *arguments: str, checkpoints: bool = True) -> Program:
        """Return a `manage.py` command of this demo's hub."""
        environment = {
            "FARWATCH_DATA_DIR": str(self.data_dir),
            "FARWATCH_SQLITE_CHECKPOINTS": str(checkpoints).lower(),
            "FARWATCH_BUNDLES_DIR": str(default_bundle_path().parent),
            "FARWATCH_TIER_URL": self.tier_url,
        }
        return Program(name, [sys.executable, "manage.py", *arguments], environment)

    def tier(self) -> Program:
        """Return this demo's inference tier; hub and tier read the same token."""
        environment = {
            "FARWATCH_TIER_PORT": str(self.tier_port),
            "FARWATCH_TIER_HUB_URL": self.url,
            "FARWATCH_TIER_TOKEN_FILE": str(self.data_dir / "tier_token"),
            "FARWATCH_TIER_DATA_DIR": str(self.data_dir / "tier"),
            "FARWATCH_TIER_BUNDLES": str(default_bundle_path().parent),
        }
        return Program("tier", [sys.executable, "-m", "processing.tier"], environment)

    def agent(self, *arguments: str) -> Program:
        """Return a command of this demo's agent."""
        environment = {
            "FARWATCH_DATA_DIR": str(self.agent_dir),
            "FARWATCH_HUB_URL": self.url,
            "FARWATCH_BUNDLE": str(default_bundle_path()),
            "FARWATCH_FILES_DIR": str(self.files_dir),
        }
        return Program("agent", [sys.executable, "-m", "edge_agent", *arguments], environment)


async def run_demo(demo: Demo) -> int:
    """Start all, print READY, and stay until Ctrl-C; return the exit status."""
    supervisor = Supervisor()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    begun_at = datetime.now(UTC)  # noqa: TID251 - the demo's one clock
    running = asyncio.create_task(_run_all(demo, supervisor, begun_at))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    except (ChildGaveUp, TimeoutError, Unusable) as error:
        say("demo", f"stopped: {error}", "31")
        return 1
    else:
        say("demo", "stopping; the next start goes on with the same data")
        return 0
    finally:
        for task in (running, stopping):
            task.cancel()
        await supervisor.stop()


async def _run_all(demo: Demo, supervisor: Supervisor, begun_at: datetime) -> None:
    """Start all and print READY; then return only by `ChildGaveUp`."""
    starting = asyncio.create_task(_start_all(demo, supervisor, begun_at))
    failing = asyncio.create_task(supervisor.gave_up())
    try:
        await asyncio.wait({starting, failing}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
        await failing
    finally:
        starting.cancel()
        failing.cancel()


async def _start_all(demo: Demo, supervisor: Supervisor, begun_at: datetime) -> None:
    prepared = await _prepare(demo)
    # A hub that knows its agent starts beside it; the agent keeps trying until the hub answers.
    await supervisor.start(demo.manage("hub", "serve", "--port", str(demo.port)))
    await supervisor.start(demo.manage("worker", "work", checkpoints=False))
    await supervisor.start(demo.tier())
    if prepared.token is not None:
        await _hub_answers(demo)
        enrolled = await supervisor.run(
            demo.agent("enroll", "--hub", demo.url, "--token", prepared.token, "--name", "demo")
        )
        if enrolled != 0:
            raise ChildGaveUp("the agent could not enrol")
        prepared = await _prepare(demo)
    await supervisor.start(demo.agent("run"))
    await _first_result(demo, begun_at)
    print(f"READY {demo.url} user={prepared.user} password={prepared.password}", flush=True)


async def _prepare(demo: Demo) -> Prepared:
    arguments = ["prepare_demo", "--source", demo.source]
    if not (demo.agent_dir / "identity.json").exists():
        arguments.append("--new-agent")
    printed = await output_of(demo.manage("hub", *arguments))
    return msgspec.json.decode(printed.splitlines()[-1], type=Prepared)


async def _hub_answers(demo: Demo) -> None:
    async with asyncio.timeout(HUB_TIMEOUT_S), httpx.AsyncClient(trust_env=False) as client:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(demo.url + "healthz")).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(_POLL_S)


async def _first_result(demo: Demo, begun_at: datetime) -> None:
    """Return once a result captured after `begun_at` is stored."""
    hint_at = asyncio.get_running_loop().time() + PATIENCE_S
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            with contextlib.suppress(httpx.TransportError, json.JSONDecodeError):
                health = (await client.get(demo.url + "healthz")).json()
                newest = health.get("newest_result_at")
                if newest and datetime.fromisoformat(newest) >= begun_at:
                    return
            if asyncio.get_running_loop().time() >= hint_at:
                say("demo", f"no result yet: {demo.url} and the agent's lines say why", "33")
                hint_at += PATIENCE_S
            await asyncio.sleep(_POLL_S)


def demo_from(arguments: list[str]) -> Demo:
    """Return the demo that the command line asks for; raise `Unusable` with the reason."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--data-dir", type=Path, default=Path(".data"))
    parser.add_argument("--camera", default="", help="rtsp://…, a video file, or a USB number")
    options = parser.parse_args(arguments)
    if not 0 < options.port <= _MAX_PORT:
        raise Unusable(f"PORT={options.port} is no port")
    source, files_dir = _source(options.camera)
    return Demo(
        options.port, _tier_place(options.port), options.data_dir.resolve(), source, files_dir
    )


def _tier_place(port: int) -> socket.socket:
    """Return a socket at the port after the hub's; when that is taken, at any that is free."""
    for wanted in (port + 1, 0):
        place = socket.socket()
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # and the tier may listen there
        with contextlib.suppress(OSError, OverflowError):
            place.bind(("127.0.0.1", wanted))
            return place
        place.close()
    raise Unusable("no port is free for the inference tier")


def _source(camera: str) -> tuple[str, Path]:
    if "://" in camera:
        return camera, sample_video_path().parent
    if camera.isdecimal():
        return f"usb:{camera}", sample_video_path().parent
    path = Path(camera).expanduser().resolve() if camera else sample_video_path()
    if not path.is_file():
        raise Unusable(f"CAMERA={camera}: no such file")
    return f"file:{path.name}", path.parent


def _check_port_is_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Unusable(f"port {port} is taken: choose another with PORT=… ({error})") from error


def main() -> int:
    try:
        demo = demo_from(sys.argv[1:])
        _check_port_is_free(demo.port)
    except Unusable as error:
        say("demo", str(error), "31")
        return 2
    return asyncio.run(run_demo(demo))


if __name__ == "__main__":
    raise SystemExit(main())

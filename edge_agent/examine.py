"""What the doctor looks at on the machine itself. Each returns a finding in words, or `Trouble`."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx

from edge_agent.schedule import why_closed, zone_of
from edge_agent.spool.ballast import free_bytes
from processing.inference.devices import installed_devices, lacking
from processing.wire.camera import DesiredCamera
from processing.wire.messages import FoundCamera

UNIT: Final = "farwatch-agent.service"
_SYSTEMCTL_S: Final = 5.0
_METRICS_S: Final = 5.0
_LEAST_FOR_CLIPS_BYTES: Final = 500_000_000


class Trouble(Exception):
    """A check failed; the text says why and what to do."""


def devices(wanted: str, *, dev: Path = Path("/dev")) -> str:
    """Say what OpenVINO finds here to run networks on."""
    found = installed_devices()
    missing = lacking(wanted, tuple(found))
    if missing:
        closed = [node for node in _nodes(dev) if not os.access(node, os.R_OK | os.W_OK)]
        remedy = (
            f"this user may not open {closed[0]}: add it to the group that owns it (render)"
            if closed
            else "install the device's driver, or set FARWATCH_DEVICE"
        )
        raise Trouble(f"{', '.join(missing)} is not here, {', '.join(found)} is: {remedy}")
    return "; ".join(f"{name}: {title}" for name, title in found.items())


def _nodes(dev: Path) -> list[Path]:
    return [*sorted((dev / "dri").glob("renderD*")), *sorted((dev / "accel").glob("accel*"))]


def clip_folder(folder: Path, cameras: Iterable[DesiredCamera]) -> str:
    """Say whether there is room for the clips that cameras are to keep."""
    if not any(camera.is_enabled and camera.clips.is_on for camera in cameras):
        return "no camera is to keep any"
    where = folder if folder.is_dir() else folder.parent
    if not os.access(where, os.W_OK | os.X_OK):
        raise Trouble(f"{folder} cannot be written: give it to the agent's user")
    free = free_bytes(where)
    if free < _LEAST_FOR_CLIPS_BYTES:
        raise Trouble(f"only {free // 1_000_000} MB are free on {folder}. Make room there")
    kept = [path.stat().st_size for path in folder.glob("*.mp4")] if folder.is_dir() else []
    return f"{len(kept)} of {sum(kept) // 1_000_000} MB in {folder}, {free // 1_000_000} MB free"


def hours(cameras: Iterable[DesiredCamera], at: datetime) -> str:
    """Say which cameras are outside their hours; an unknown time zone is trouble."""
    scheduled = [camera for camera in cameras if camera.is_enabled and camera.schedule.windows]
    unknown = {camera.schedule.time_zone for camera in scheduled if not zone_of(camera.schedule)}
    if unknown:
        raise Trouble(
            f"this machine does not know the time zone {', '.join(sorted(unknown))}, so hours "
            "count as UTC: install tzdata, or correct it at the hub"
        )
    closed = [camera.name for camera in scheduled if why_closed(camera.schedule, at)]
    if closed:
        return f"not watched now, outside their hours: {', '.join(closed)}"
    return "every camera is to be watched now"


def network(probe: Callable[[], tuple[FoundCamera, ...]]) -> str:
    """Say which cameras answer on the network: suggestions, and never trouble."""
    try:
        found = probe()
    except OSError as error:
        return f"cameras cannot be asked for here: {error.strerror}"
    if not found:
        return "no camera answers ONVIF discovery"
    return "; ".join(
        f"{camera.address} ({' '.join(filter(None, (camera.name, camera.hardware))) or 'no name'})"
        for camera in found
    )


def metrics(port: int) -> str:
    """Say who answers on the port for metrics."""
    if port == 0:
        return "turned off by FARWATCH_METRICS_PORT"
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(timeout=_METRICS_S, trust_env=False) as client:
            response = client.get(f"{url}/healthz")
    except httpx.ConnectError:
        _see_if_free(port)
        return f"nothing runs on port {port} yet; the agent will"
    except httpx.HTTPError as error:
        raise Trouble(_taken(port)) from error
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        raise Trouble(f"the running agent is stuck: {'; '.join(response.text.split(chr(10)))}")
    if response.text != "ok\n":
        raise Trouble(_taken(port))
    return f"the running agent serves {url}/metrics, and is well"


def _see_if_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Trouble(f"port {port} cannot be used: {error.strerror}") from error


def _taken(port: int) -> str:
    return f"another program answers on port {port}: set FARWATCH_METRICS_PORT to a free one"


def unit_properties() -> Mapping[str, str] | None:
    """Return what systemd says of the agent's unit; None where there is no systemd."""
    systemctl = shutil.which("systemctl")
    if systemctl is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603  # nothing of it comes from outside
            [systemctl, "show", UNIT, "--property=LoadState,ActiveState,WatchdogUSec"],
            capture_output=True, text=True, timeout=_SYSTEMCTL_S, check=True,
        )  # fmt: skip
    except (subprocess.SubprocessError, OSError):
        return None
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    return {name: value for name, _, value in pairs}


def watchdog(unit: Mapping[str, str] | None) -> str:
    """Say who starts the agent again when it hangs."""
    if unit is None:
        return "no systemd here: whatever starts the agent has to restart it"
    if unit.get("LoadState") != "loaded":
        return f"{UNIT} is not installed: nobody restarts an agent that hangs"
    if unit.get("WatchdogUSec") in (None, "", "0", "infinity"):
        raise Trouble(f"{UNIT} has no watchdog: set WatchdogSec=60 in it")
    return (
        f"{UNIT} is {unit.get('ActiveState')}, and restarted if silent for "
        + (unit["WatchdogUSec"])
    )

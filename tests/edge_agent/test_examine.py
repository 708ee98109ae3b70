"""What the doctor finds on the machine: devices, time zones, folders, ports, systemd."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest

from edge_agent import examine
from edge_agent.examine import Trouble
from edge_agent.metrics.server import MetricsServer
from processing.inference.devices import installed_devices, lacking
from processing.wire.camera import ClipPolicy, DesiredCamera, Schedule, Window
from processing.wire.messages import FoundCamera
from tests.edge_agent.entries import NOW, Noticed
from tests.ports import free_port

OPEN = Window(days=(0, 1, 2, 3, 4, 5, 6), from_minute=0, to_minute=1440)
SHUT = Window(days=(NOW.weekday(),), from_minute=0, to_minute=1)


def camera(
    *windows: Window, zone: str = "UTC", has_clips: bool = False, name: str = "Gate"
) -> DesiredCamera:
    return DesiredCamera(
        camera_id=UUID(int=3),
        name=name,
        source="usb:0",
        schedule=Schedule(windows=windows, time_zone=zone),
        clips=ClipPolicy(is_on=has_clips),
    )


# ---------------------------------------------------------------- devices


def test_the_cpu_is_always_there() -> None:
    assert "CPU" in installed_devices()
    assert examine.devices("CPU").startswith("CPU: ")


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [
        ("CPU", []), ("cpu", []), ("GPU", []), ("GPU.1", []), ("AUTO", []), ("AUTO:GPU,CPU", []),
        ("GPU.0, CPU", []), ("NPU", ["NPU"]), ("NPU,CPU", ["NPU"]), ("GPU.2", ["GPU.2"]),
        ("AUTO:NPU,CPU", ["NPU"]),
    ],
)  # fmt: skip
def test_devices_that_are_not_there_are_named(wanted: str, missing: list[str]) -> None:
    assert lacking(wanted, ("CPU", "GPU.0", "GPU.1")) == missing


def test_a_device_without_a_driver_is_trouble(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"NPU is not here, .*CPU.* driver"):
        examine.devices("NPU", dev=tmp_path)


def test_a_device_that_the_user_may_not_open_is_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = tmp_path / "dri" / "renderD128"
    node.parent.mkdir()
    node.touch()
    monkeypatch.setattr("os.access", lambda path, _mode: path != node)  # root may open everything
    with pytest.raises(Trouble, match="renderD128: add it to the group"):
        examine.devices("NPU", dev=tmp_path)


# ---------------------------------------------------------------- hours


def test_cameras_outside_their_hours_are_named() -> None:
    assert examine.hours([camera(SHUT)], NOW) == "not watched now, outside their hours: Gate"
    assert examine.hours([camera(), camera(OPEN)], NOW) == "every camera is to be watched now"


def test_a_time_zone_that_nobody_knows_is_trouble() -> None:
    cameras = [camera(OPEN, zone="Europe/Berlin"), camera(OPEN, zone="Mars/Olympus_Mons")]
    with pytest.raises(Trouble, match=r"time zone Mars/Olympus_Mons, .*tzdata"):
        examine.hours(cameras, NOW)
    assert examine.hours([camera(zone="Mars/Olympus_Mons")], NOW)  # it has no hours to tell


# ---------------------------------------------------------------- clips


def test_a_folder_for_clips_matters_only_if_any_are_kept(tmp_path: Path) -> None:
    assert examine.clip_folder(tmp_path / "clips", [camera()]) == "no camera is to keep any"


def test_clips_are_counted(tmp_path: Path) -> None:
    keeping = [camera(has_clips=True)]
    assert examine.clip_folder(tmp_path / "clips", keeping).startswith("0 of 0 MB")
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "one.mp4").write_bytes(bytes(2_000_000))
    assert examine.clip_folder(tmp_path / "clips", keeping).startswith("1 of 2 MB")


def test_a_full_disk_is_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examine, "free_bytes", lambda _path: 1_000_000)
    with pytest.raises(Trouble, match="only 1 MB are free"):
        examine.clip_folder(tmp_path / "clips", [camera(has_clips=True)])


def test_a_folder_that_is_not_there_at_all_is_trouble(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="cannot be written"):
        examine.clip_folder(tmp_path / "nowhere" / "clips", [camera(has_clips=True)])


# ---------------------------------------------------------------- the network


def test_cameras_that_answer_are_named_and_nobody_is_no_trouble() -> None:
    found = (
        FoundCamera(address="10.0.0.5", name="Gate", hardware="X1"),
        FoundCamera(address="10.0.0.6"),
    )
    assert examine.network(lambda: found) == "10.0.0.5 (Gate X1); 10.0.0.6 (no name)"
    assert examine.network(lambda: ()) == "no camera answers ONVIF discovery"

    def no_route() -> tuple[FoundCamera, ...]:
        raise OSError(101, "Network is unreachable")

    assert "Network is unreachable" in examine.network(no_route)


# ---------------------------------------------------------------- metrics


@asynccontextmanager
async def agent(troubles: Sequence[str] = ()) -> AsyncIterator[int]:
    async def page() -> str:
        return ""

    server = MetricsServer(page=page, troubles=lambda: troubles)
    async with server.serving(free_port(), Noticed()) as port:
        yield port


async def test_a_running_agent_says_how_it_is() -> None:
    async with agent() as port:
        assert "is well" in await asyncio.to_thread(examine.metrics, port)
    async with agent(["the outbox hangs"]) as port:
        with pytest.raises(Trouble, match="stuck: the outbox hangs"):
            await asyncio.to_thread(examine.metrics, port)


async def test_another_program_on_the_port_is_trouble() -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-whatever\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Trouble, match="FARWATCH_METRICS_PORT"):
            await asyncio.to_thread(examine.metrics, port)


def test_a_port_that_waits_for_the_agent_is_well() -> None:
    assert "yet" in examine.metrics(free_port())
    assert "turned off" in examine.metrics(0)


# ---------------------------------------------------------------- systemd


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        (None, "no systemd here"),
        ({"LoadState": "not-found"}, "not installed"),
        (
            {"LoadState": "loaded", "ActiveState": "active", "WatchdogUSec": "1min"},
            "is active, and restarted if silent for 1min",
        ),
    ],
)
def test_whoever_restarts_the_agent_is_named(unit: dict[str, str] | None, words: str) -> None:
    assert words in examine.watchdog(unit)


@pytest.mark.parametrize("usec", ["0", "infinity", ""])
def test_a_unit_without_a_watchdog_is_trouble(usec: str) -> None:
    with pytest.raises(Trouble, match="WatchdogSec"):
        examine.watchdog({"LoadState": "loaded", "WatchdogUSec": usec})


def test_asking_systemd_never_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "systemctl"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert examine.unit_properties() is None
    broken.write_text("#!/bin/sh\necho LoadState=loaded\necho WatchdogUSec=1min\n")
    assert examine.unit_properties() == {"LoadState": "loaded", "WatchdogUSec": "1min"}
    broken.unlink()
    assert examine.unit_properties() is None

"""systemd hears that the agent has begun, ends, and is alive: the last only while that is true."""

import asyncio
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from edge_agent.liveness import Asked, troubles
from edge_agent.systemd_notify import ServiceManager
from tests.edge_agent.entries import wait_until
from tests.edge_agent.lone_agent import LoneAgent
from tests.needed import skip_or_fail

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "farwatch-agent.service"
NOBODY = ServiceManager("", watchdog_usec=0)


class Systemd:
    """What systemd is to us: a datagram socket."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.settimeout(0.0)

    def heard(self) -> list[str]:
        """Return the messages that have come."""
        messages: list[str] = []
        while True:
            try:
                messages.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return messages

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["a path", "an abstract name"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    path = str(tmp_path / "notify")
    systemd = Systemd(path if request.param == "a path" else f"@farwatch-test-{uuid4()}")
    yield systemd
    systemd.close()


class Hand:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


async def test_it_works(systemd: Systemd) -> None:
    manager = ServiceManager(systemd.address, watchdog_usec=60_000_000)
    manager.ready("3 cameras\nat work")
    living = asyncio.create_task(manager.show_life([lambda: None]))
    await asyncio.sleep(0)
    living.cancel()
    manager.stopping()
    assert systemd.heard() == ["READY=1\nSTATUS=3 cameras at work", "WATCHDOG=1", "STOPPING=1"]


async def test_signs_of_life_come_more_often_than_they_are_asked_for(systemd: Systemd) -> None:
    manager = ServiceManager(systemd.address, watchdog_usec=300_000)
    living = asyncio.create_task(manager.show_life([]))
    await asyncio.sleep(0.75)
    living.cancel()
    heard = systemd.heard()
    assert set(heard) == {"WATCHDOG=1"}
    assert len(heard) >= 3


async def test_what_is_stuck_gives_no_sign_of_life_and_is_logged_once(systemd: Systemd) -> None:
    manager = ServiceManager(systemd.address, watchdog_usec=60_000)
    stuck: list[str] = ["the outbox has not answered for 31 s"]
    with capture_logs() as logs:
        living = asyncio.create_task(manager.show_life([lambda: next(iter(stuck), None)]))
        await asyncio.sleep(0.15)
        assert systemd.heard() == ["STATUS=stuck: the outbox has not answered for 31 s"]
        stuck.clear()
        await asyncio.sleep(0.15)
        living.cancel()
    heard = systemd.heard()
    assert heard[:2] == ["WATCHDOG=1", "STATUS=working"]
    assert set(heard[2:]) == {"WATCHDOG=1"}
    assert [line["event"] for line in logs] == ["agent.stuck", "agent.moves_again"]


async def test_without_a_watchdog_what_is_stuck_is_logged_all_the_same() -> None:
    with capture_logs() as logs:
        living = asyncio.create_task(NOBODY.show_life([lambda: "the network hangs"]))
        await asyncio.sleep(0.05)
        living.cancel()
    assert [line["event"] for line in logs] == ["agent.stuck"]


def test_who_was_not_started_by_systemd_says_nothing() -> None:
    with capture_logs() as logs:
        NOBODY.ready("working")
        NOBODY.stopping()
    assert logs == []


def test_a_socket_that_is_gone_stops_nothing_and_is_logged_once(tmp_path: Path) -> None:
    manager = ServiceManager(str(tmp_path / "gone"), watchdog_usec=0)
    with capture_logs() as logs:
        manager.ready("working")
        manager.stopping()
    assert [line["event"] for line in logs] == ["systemd.unreachable"]


def test_a_thread_that_does_not_answer_is_stuck_until_it_does() -> None:
    clock = Hand()
    questions: list[Future[int]] = []

    def ask() -> Future[int]:
        questions.append(Future())
        return questions[-1]

    asked = Asked("the outbox", ask, patience_s=30.0, clock=clock)
    assert asked.check() is None
    clock.at += 31.0
    assert asked.check() == "the outbox has not answered for 31 s"
    assert len(questions) == 1  # it is not buried under questions
    questions[0].set_exception(OSError("even an error is an answer"))
    assert asked.check() is None
    clock.at += 29.0
    assert asked.check() is None
    assert len(questions) == 2


def test_all_that_is_stuck_is_told() -> None:
    assert troubles([lambda: "one", lambda: None, lambda: "two"]) == ["one", "two"]


def test_the_agent_itself_tells_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    monkeypatch.setenv("WATCHDOG_USEC", "900000")
    heard: list[str] = []

    with closing(Systemd(address)) as systemd, LoneAgent(tmp_path) as agent:

        def hears(message: str) -> bool:
            heard.extend(systemd.heard())
            return any(each.startswith(message) for each in heard)

        wait_until(lambda: hears("READY=1"))
        wait_until(lambda: hears("WATCHDOG=1"))
        agent.process.terminate()
        wait_until(lambda: hears("STOPPING=1"))
        assert agent.process.wait(60) == 0
    assert not any("stuck" in each for each in heard)


# ---------------------------------------------------------------- the unit


def need_systemd_analyze() -> str:
    path = shutil.which("systemd-analyze")
    if path is None:
        skip_or_fail("systemd-analyze is not installed")
        raise AssertionError
    return path


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program that is there."""
    text, n = re.subn(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT.read_text())
    assert n == 1
    unit = tmp_path / UNIT.name
    unit.write_text(text)
    return unit


def test_systemd_finds_no_fault_in_the_unit(unit: Path) -> None:
    done = subprocess.run(
        [need_systemd_analyze(), "verify", unit],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_unit_lets_the_agent_do_little(unit: Path) -> None:
    done = subprocess.run(
        [need_systemd_analyze(), "security", "--offline=true", "--threshold=25", unit],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-200:]


def test_the_unit_s_watchdog_is_the_one_that_the_agent_answers() -> None:
    settings = dict(re.findall(r"(?m)^(\w+)=(.*)$", UNIT.read_text()))
    assert settings["Type"] == "notify"
    assert int(settings["WatchdogSec"]) >= 30
    assert settings["Restart"] == "always"
    assert settings["NoNewPrivileges"] == "yes"

"""Logs are events with fields, say what changed once, and hold no password."""

import json
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog
from structlog.testing import capture_logs

from edge_agent.health import Health
from edge_agent.logs import configure_logs, without_credentials
from processing.wire.camera import DesiredCamera
from tests.edge_agent.entries import NOW
from tests.edge_agent.lone_agent import LoneAgent

CANARY = "Tr0ub4dor"

Said = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Iterator[Said]:
    """Logs as the program makes them, as JSON; the other tests have theirs back afterwards."""
    before = structlog.get_config()
    handlers, level = logging.root.handlers[:], logging.root.level
    configure_logs("json", "info")
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    logging.captureWarnings(capture=False)
    structlog.configure(**before)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_it_works(said: Said) -> None:
    structlog.get_logger().info("camera.online", camera="Gate")
    [event] = said()
    assert (event["event"], event["camera"], event["level"]) == ("camera.online", "Gate", "info")
    assert event["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://admin:Tr0ub4dor@10.0.0.7/main", "rtsp://***@10.0.0.7/main"),
        ("rtsp://admin:Tr0ub@4dor@10.0.0.7/", "rtsp://***@10.0.0.7/"),
        ("http://cam/video?user=joe&password=Tr0ub4dor&x=1", "?user=***&password=***&x=1"),
        ("http://cam/?pwd=Tr0ub4dor is silent", "?pwd=*** is silent"),
        ("http://cam/?Token=Tr0ub4dor", "?Token=***"),
        ("write to mail@example.org", "mail@example.org"),
        ("http://cam/monkey=1?channel=2", "monkey=1?channel=2"),
    ],
)
def test_addresses_are_shown_without_what_is_secret(text: str, shown: str) -> None:
    assert without_credentials(text).endswith(shown)
    assert CANARY not in without_credentials(text)


def test_the_form_of_a_common_make_of_camera_is_known() -> None:
    text = "rtsp://10.0.0.7:554/user=admin_password=Tr0ub4dor_channel=1_stream=0.sdp"
    assert CANARY not in without_credentials(text)
    assert "rtsp://10.0.0.7:554/user=***" in without_credentials(text)


def test_no_field_of_any_kind_holds_a_password(said: Said) -> None:
    source = f"rtsp://admin:{CANARY}@10.0.0.7/main"
    camera = DesiredCamera(camera_id=UUID(int=1), name="Gate", source=source)
    log = structlog.get_logger()
    log.info("one", text=source, several=[source, (source,)], by_name={"source": source})
    log.info("two", camera=camera, path=[Path("/x")], error=OSError(source), raw=source.encode())
    log.error("three", exc_info=OSError(source))
    logging.getLogger("some.library").warning("cannot open %s", source)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)  # pytest has its own way with warnings
        warnings.warn(source, stacklevel=1)
    events = said()
    assert [event["event"] for event in events] == ["one", "two", "three", "library", "library"]
    assert CANARY not in json.dumps(events)
    assert json.dumps(events).count("***@") >= 9


def test_what_libraries_say_has_our_form(said: Said) -> None:
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").error("it broke", exc_info=ValueError("odd"))
    [event] = said()
    assert (event["event"], event["of"], event["text"]) == ("library", "some.library", "it broke")
    assert "ValueError: odd" in event["exception"]


def test_a_problem_is_logged_once_and_once_more_when_it_is_solved() -> None:
    health = Health(lambda: NOW)
    with capture_logs() as logs:
        for _ in range(3):
            health.problem("hub", "nothing answers")
        health.problem("hub", "it cannot be reached")
        health.problem("hub", "nothing answers")
        health.solved("hub")
        health.solved("hub")
        health.problem("hub", "nothing answers")
    assert [event["event"] for event in logs] == ["problem", "problem.solved", "problem"]


def test_a_problem_s_newest_words_are_those_that_are_reported() -> None:
    health = Health(lambda: NOW)
    health.problem("hub", "nothing answers")
    health.problem("hub", "it cannot be reached")
    assert health.problems == ("it cannot be reached",)


def test_an_agent_that_fails_again_and_again_says_so_once_and_keeps_secrets(
    tmp_path: Path,
) -> None:
    sources = (
        f"rtsp://admin:{CANARY}@127.0.0.1:9/main",
        f"http://127.0.0.1:9/video?user=joe&password={CANARY}",
        f"gopher://admin:{CANARY}@127.0.0.1/x",
        f"rtsp://127.0.0.1:9/user=admin_password={CANARY}_channel=1.sdp",
    )
    cameras = [
        DesiredCamera(camera_id=UUID(int=number), name=f"Camera {number}", source=source)
        for number, source in enumerate(sources, 1)
    ]
    with LoneAgent(tmp_path, *cameras, log_level="debug") as agent:
        deadline = time.monotonic() + 30
        while agent.said.count("camera.unreachable") < len(sources):
            assert time.monotonic() < deadline, agent.said
            time.sleep(0.1)
        time.sleep(3.0)  # they are tried several times in this
    events = agent.events()
    gone = [event["camera"] for event in events if event["event"] == "camera.unreachable"]
    assert sorted(gone) == [camera.name for camera in cameras]
    assert [event["event"] for event in events].count("hub.lost") == 1
    assert CANARY not in agent.said
    stored = b"".join(path.read_bytes() for path in agent.data_dir.glob("outbox.*"))
    assert b"unreachable" in stored
    assert CANARY.encode() not in stored

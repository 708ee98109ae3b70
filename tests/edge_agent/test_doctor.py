"""The doctor says in one line each what is well, what is not, and what to do."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from edge_agent.clock import utc_now
from edge_agent.config import AgentConfig
from edge_agent.doctor import Doctor, Finding
from edge_agent.identity import IdentityFiles, Membership
from edge_agent.reconcile import LastWishes
from processing.wire.camera import DesiredCamera
from processing.wire.messages import DesiredState
from tests.processing.media.videos import pictures, write_video
from tests.processing.tiny_bundle import make_tiny_bundle

Answer = Callable[[httpx.Request], httpx.Response]


def healthy(at: datetime | None = None) -> Answer:
    headers = {"Date": format_datetime(at or utc_now())}
    return lambda _request: httpx.Response(200, headers=headers)


@pytest.fixture
def config(tmp_path: Path) -> AgentConfig:
    """An agent of which all is well."""
    data_dir, videos = tmp_path / "agent", tmp_path / "videos"
    for folder in (data_dir, videos):
        folder.mkdir()
    files = IdentityFiles(data_dir)
    files.key()
    files.save(
        Membership(
            agent_id=UUID(int=1),
            hub_id=UUID(int=2),
            hub_url="https://hub.example.org",
            organization="Farm",
            site="Barn",
        )
    )
    write_video(videos / "gate.mp4", pictures(3))
    wish(data_dir, DesiredCamera(camera_id=UUID(int=3), name="Gate", source="file:gate.mp4"))
    bundle = make_tiny_bundle(tmp_path / "tiny")
    return AgentConfig(data_dir=data_dir, bundle=bundle, files_dir=videos, metrics_port=0)


def wish(data_dir: Path, *cameras: DesiredCamera) -> None:
    LastWishes(data_dir / "desired.msgpack").write(DesiredState(version=1, cameras=cameras))


def examine(config: AgentConfig, answer: Answer | None = None) -> dict[str, Finding]:
    transport = httpx.MockTransport(answer or healthy())
    doctor = Doctor(config, now=utc_now, transport=transport, probe=lambda: ())
    findings = doctor.findings()
    return {finding.name: finding for finding in findings}


def test_it_works(config: AgentConfig) -> None:
    found = examine(config)
    assert list(found) == [
        "data folder", "identity", "hub", "devices", "model", "network", "hours", "clips",
        "metrics", "watchdog", "camera Gate",
    ]  # fmt: skip
    assert [finding.line() for finding in found.values() if not finding.is_ok] == []
    assert "64 x 48" in found["camera Gate"].text
    assert "clocks agree" in found["hub"].text
    assert "CPU: " in found["devices"].text


def test_a_corrupt_bundle_is_found(config: AgentConfig) -> None:
    assert config.bundle is not None
    weights = next(config.bundle.rglob("*.onnx"))
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1  # one bit
    weights.write_bytes(content)
    found = examine(config)
    assert not found["model"].is_ok
    assert "damaged" in found["model"].text
    assert found["camera Gate"].is_ok  # the rest is looked at all the same


def test_no_bundle_is_found(config: AgentConfig) -> None:
    found = examine(config.model_copy(update={"bundle": None}))
    assert "FARWATCH_BUNDLE" in found["model"].text


def test_a_hub_out_of_reach_is_found(config: AgentConfig) -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    found = examine(config, nobody)
    assert "cannot be reached" in found["hub"].text


def test_a_hub_that_is_ill_is_found(config: AgentConfig) -> None:
    assert "503" in examine(config, lambda _request: httpx.Response(503))["hub"].text


@pytest.mark.parametrize(("hours", "words"), [(-1, "ahead of"), (1, "behind")])
def test_a_clock_that_is_off_is_found(config: AgentConfig, hours: int, words: str) -> None:
    found = examine(config, healthy(utc_now() + timedelta(hours=hours)))
    assert not found["hub"].is_ok
    assert words in found["hub"].text


def test_a_camera_that_is_gone_is_found(config: AgentConfig) -> None:
    source = "rtsp://admin:hunter2@127.0.0.1:9/x"
    wish(config.data_dir, DesiredCamera(camera_id=UUID(int=3), name="Gate", source=source))
    found = examine(config)["camera Gate"]
    assert not found.is_ok
    assert "hunter2" not in found.text


def test_an_agent_that_belongs_to_no_hub_is_told_how_to_join(config: AgentConfig) -> None:
    IdentityFiles(config.data_dir).path.unlink()
    assert "enroll" in examine(config)["identity"].text


def test_a_key_that_others_can_read_is_found(config: AgentConfig) -> None:
    IdentityFiles(config.data_dir).key_path.chmod(0o644)
    assert "chmod 600" in examine(config)["identity"].text


def test_a_hub_that_named_no_camera_yet_is_no_problem(config: AgentConfig) -> None:
    wish(config.data_dir)
    assert examine(config)["cameras"].is_ok

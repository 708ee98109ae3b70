"""What the agent counts is served to this machine, in a form that Prometheus' own parser reads."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from edge_agent.health import Health
from edge_agent.histogram import Histogram
from edge_agent.metrics.families import EngineFigures, LinkFigures, OutboxFigures
from edge_agent.metrics.page import Sources, metrics_page
from edge_agent.metrics.process import this_process
from edge_agent.metrics.server import MetricsServer
from edge_agent.metrics.text import Family, render
from edge_agent.spool.database import DiskFull
from processing.wire.camera import DesiredCamera
from processing.wire.messages import (
    LaneState,
)
from processing.wire.overflow import OverflowState
from tests.edge_agent.entries import NOW, Noticed, wait_until
from tests.edge_agent.lone_agent import LoneAgent
from tests.ports import free_port
from tests.processing.media.videos import pictures, write_video

GATE = UUID(int=1)
NAME = 'Gate "north"\\\nsecond line'
OUTBOX = OutboxFigures(
    lanes=(
        LaneState(lane="alerts", n_pending=0),
        LaneState(lane="results", n_pending=7, oldest_at=NOW - timedelta(seconds=90)),
    ),
    n_bytes=4096,
    n_lost={"results": 3},
    n_dead_letters=2,
)

Read = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(text: str) -> Read:
    """Return every value by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def told(outbox: OutboxFigures) -> Future[OutboxFigures]:
    future: Future[OutboxFigures] = Future()
    future.set_result(outbox)
    return future


def sources(outbox: Callable[[], Future[OutboxFigures]] = lambda: told(OUTBOX)) -> Sources:
    health = Health(lambda: NOW)
    health.camera_is(GATE, "online")
    for latency_s in (0.02, 0.3, 99.0):
        health.frame_analysed(GATE, width=640, height=360, latency_s=latency_s)
    health.frame_dropped(GATE, "engine_busy")
    cost = OverflowState(since_at=NOW, n_local=3, n_cloud=2, n_bytes=900, micros=4000)
    health.overflow_is({GATE: cost}, ())
    health.frame_gated(GATE)
    health.problem("model", "there is none")
    return Sources(
        software="farwatch 1",
        now=lambda: NOW,
        health=health,
        camera_names=lambda: {GATE: NAME},
        link=lambda: LinkFigures(is_up=True, n_connections=4),
        outbox=outbox,
        engine=lambda: EngineFigures(100, 1, {"GPU": False, "CPU": True}),
        clips_bytes=lambda: 1234,
    )


async def test_it_works() -> None:
    found = read(await metrics_page(sources()))
    who = (("camera", NAME), ("camera_id", str(GATE)))
    assert found["farwatch_camera_frames_analysed_total", who] == 3
    assert found["farwatch_camera_frames_dropped_total", (*who, ("reason", "engine_busy"))] == 1
    assert found["farwatch_camera_frames_gated_total", who] == 1
    assert found["farwatch_overflow_frames_total", (*who, ("outcome", "cloud"))] == 2
    assert found["farwatch_overflow_sent_bytes_total", who] == 900
    assert found["farwatch_overflow_cost_total", who] == 0.004
    assert found["farwatch_overflow_used", who] == 1
    assert found["farwatch_camera_fps", who] > 0
    assert found["farwatch_camera_state", (*who, ("state", "online"))] == 1
    assert found["farwatch_camera_state", (*who, ("state", "unreachable"))] == 0
    latency = "farwatch_camera_latency_seconds"
    buckets = {
        dict(labels)["le"]: n for (name, labels), n in found.items() if name == f"{latency}_bucket"
    }
    assert (buckets["0.01"], buckets["0.025"], buckets["0.5"], buckets["+Inf"]) == (0, 1, 2, 3)
    assert found[f"{latency}_count", who] == 3
    assert found[f"{latency}_sum", who] == pytest.approx(99.32)
    assert found["farwatch_inferences_total", ()] == 100
    assert found["farwatch_inference_failures_total", ()] == 1
    assert found["farwatch_device_up", (("device", "GPU"),)] == 0
    assert found["farwatch_outbox_pending_entries", (("lane", "results"),)] == 7
    assert found["farwatch_outbox_oldest_age_seconds", (("lane", "results"),)] == 90
    assert found["farwatch_outbox_oldest_age_seconds", (("lane", "alerts"),)] == 0
    assert found["farwatch_outbox_lost_entries", (("lane", "results"),)] == 3
    assert found["farwatch_outbox_bytes", ()] == 4096
    assert found["farwatch_outbox_dead_letters", ()] == 2
    assert found["farwatch_hub_connected", ()] == 1
    assert found["farwatch_hub_connections_total", ()] == 4
    assert found["farwatch_clips_bytes", ()] == 1234
    assert found["farwatch_problems", ()] == 1
    assert found["process_resident_memory_bytes", ()] > 10_000_000
    assert found["process_cpu_seconds_total", ()] > 0


async def test_an_outbox_that_hangs_or_fails_hides_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge_agent.metrics.page._OUTBOX_S", 0.05)
    failed: Future[OutboxFigures] = Future()
    failed.set_exception(DiskFull("the disk is full"))
    for future in (Future[OutboxFigures](), failed):
        found = read(await metrics_page(sources([future].pop)))
        assert found["farwatch_problems", ()] == 1
        assert not any(name.startswith("farwatch_outbox") for name, _ in found)


@given(
    st.text(st.characters(codec="utf-8")),
    st.floats(allow_nan=False) | st.integers(-(2**53), 2**53),  # all that a reader's floats hold
    st.lists(st.floats(0, 100), max_size=20),
)
def test_whatever_is_said_is_read_back(text: str, value: float, times: list[float]) -> None:
    gauge = Family("some_gauge", "gauge", text)
    gauge.add(value, label=text)
    histogram = Histogram((0.5, 5.0))
    for time_s in times:
        histogram.observe(time_s)
    counted = Family("some_seconds", "histogram", "How long.")
    counted.add_histogram(histogram, label=text)
    found = read(render([gauge, Family("nothing", "gauge", "has no value"), counted]))
    assert found.pop(("some_gauge", (("label", text),))) == value
    assert found["some_seconds_count", (("label", text),)] == len(times)
    assert len(found) == 5


def test_without_proc_the_process_tells_nothing(tmp_path: Path) -> None:
    assert this_process(tmp_path / "nowhere") is None


# ---------------------------------------------------------------- the server


def server(troubles: Sequence[str] = ()) -> MetricsServer:
    async def page() -> str:
        return "one 1\n"

    return MetricsServer(page=page, troubles=lambda: troubles)


async def ask(port: int, request: bytes) -> bytes:
    """Return all that is answered; nothing if the connection is cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_it_is_served_and_says_what_it_is() -> None:
    async with (
        server().serving(free_port(), Noticed()) as port,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        metrics = await client.get(f"http://127.0.0.1:{port}/metrics?x=1")
        health = await client.get(f"http://localhost:{port}/healthz")
    assert (metrics.status_code, metrics.text) == (200, "one 1\n")
    assert metrics.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert (health.status_code, health.text) == (200, "ok\n")


async def test_an_agent_that_is_stuck_says_where() -> None:
    async with server(["the outbox hangs"]).serving(free_port(), Noticed()) as port:
        answer = await ask(port, b"GET /healthz HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert answer.endswith(b"\r\n\r\nthe outbox hangs\n")


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        ("GET /metrics HTTP/1.1\r\nHost: evil.example.org\r\n\r\n", 403),
        ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.org\r\n\r\n", 403),
        ("GET /metrics HTTP/1.1\r\nHost: localhost.evil.example.org:80\r\n\r\n", 403),
        ("GET /metrics HTTP/1.1\r\nHost: [::1]:9465\r\n\r\n", 200),
        ("GET /metrics HTTP/1.1\r\nhost: LOCALHOST:9465\r\n\r\n", 200),
        ("GET /metrics HTTP/1.0\r\n\r\n", 200),
        ("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", 405),
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        ("GET /metrics/../healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        ("\x16\x03\x01 nonsense\r\n\r\n", 400),
        ("\r\n\r\n", 400),
    ],
)
async def test_only_what_it_is_for_is_answered(request_text: str, status: int) -> None:
    async with server().serving(free_port(), Noticed()) as port:
        answer = await ask(port, request_text.encode("latin-1"))
    assert answer.startswith(b"HTTP/1.1 %d " % status)


async def test_whoever_asks_too_much_or_too_slowly_gets_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge_agent.metrics.server._REQUEST_S", 0.1)
    async with server().serving(free_port(), Noticed()) as port:
        assert await ask(port, b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 20_000) == b""
        assert await ask(port, b"GET /metrics HTTP/1.1\r\n") == b""
        assert await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n") != b""


async def test_too_many_at_once_are_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.metrics.server._REQUEST_S", 1.0)
    async with server().serving(free_port(), Noticed()) as port:
        slow = [asyncio.create_task(ask(port, b"GET ")) for _ in range(8)]
        await asyncio.sleep(0.2)
        assert await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n") == b""
        await asyncio.gather(*slow)
        assert await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n") != b""


async def test_a_port_that_another_agent_has_is_told_and_stops_nothing() -> None:
    noticed = Noticed()
    async with (
        server().serving(free_port(), noticed) as port,
        server().serving(port, noticed) as second,
    ):
        assert second == 0
        assert "FARWATCH_METRICS_PORT" in noticed.open["metrics"]
    async with server().serving(port, noticed) as again:
        assert (again, noticed.open) == (port, {})


async def test_closing_does_not_wait_for_who_is_being_served() -> None:
    async with server().serving(free_port(), Noticed()) as port:
        slow = asyncio.create_task(ask(port, b"GET "))
        await asyncio.sleep(0.1)
    assert await slow == b""


def test_the_agent_itself_serves_what_it_counts(tmp_path: Path) -> None:
    write_video(tmp_path / "yard.mp4", pictures(20))
    camera = DesiredCamera(camera_id=GATE, name="Yard", source="file:yard.mp4")
    port = free_port()
    who = (("camera", "Yard"), ("camera_id", str(GATE)))
    analysed = ("farwatch_camera_frames_analysed_total", who)

    def page() -> Read:
        try:
            return read(httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text)
        except httpx.ConnectError:
            return {}  # it has only begun

    with LoneAgent(tmp_path, camera, metrics_port=port):
        wait_until(lambda: page().get(analysed, 0) >= 5)
        found = page()
        health = httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
    assert (health.status_code, health.text) == (200, "ok\n")
    assert found["farwatch_device_up", (("device", "CPU"),)] == 1
    assert found["farwatch_outbox_pending_entries", (("lane", "results"),)] > 0
    assert found["farwatch_hub_connected", ()] == 0
    assert found["farwatch_problems", ()] == 1  # there is no hub
    latency = ("farwatch_camera_latency_seconds_count", who)
    assert found[latency] == found[analysed]


async def test_port_0_turns_it_off() -> None:
    async with server().serving(0, Noticed()) as port:
        assert port == 0


async def test_other_machines_cannot_connect() -> None:
    async with server().serving(free_port(), Noticed()) as port:
        with socket.socket() as everywhere:  # what it listens on is bound to loopback alone
            everywhere.bind(("127.0.0.2", port))

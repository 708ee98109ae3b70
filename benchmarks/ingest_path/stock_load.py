"""The load of the stock consumer; says and hears what `swarm` does."""

import asyncio
import json
import sys
import time
from typing import Final

import msgspec

from benchmarks.ingest_path.rawsocket import RawSocket, frame_of
from benchmarks.ingest_path.swarm import Delivered, Spec
from benchmarks.ingest_path.traffic import AgentSpec, make_frames, make_results
from processing.wire.packed import unpack

_WINDOW: Final = 64


def _messages(spec: Spec, agent: AgentSpec) -> list[bytes]:
    """Return a text frame for each result, as JSON with a name for every field."""
    results = make_results(agent.camera_id, make_frames(), spec.begun_at, spec.n_results)
    return [
        frame_of(
            json.dumps(
                {
                    "epoch": spec.epoch,
                    "seq": seq,
                    "camera_id": str(result.camera_id),
                    "captured_at": result.captured_at.isoformat(),
                    "latency_ms": result.latency_ms,
                    "detections": [
                        {
                            "box": [round(edge, 4) for edge in found[:4]],
                            "score": round(found.score, 4),
                            "label": found.label,
                            "track": found.track,
                        }
                        for found in unpack(result.detections)
                    ],
                }
            ).encode(),
            is_text=True,
        )
        for seq, result in enumerate(results, 1)
    ]


async def _deliver(socket: RawSocket, messages: list[bytes]) -> int:
    n_sent = n_acked = 0
    while n_acked < len(messages):
        while n_sent < len(messages) and n_sent - n_acked < _WINDOW:
            socket.send(messages[n_sent])
            n_sent += 1
        await socket.receive()
        n_acked += 1
    return n_acked


async def _run(spec: Spec) -> Delivered:
    begun = time.perf_counter()
    sockets = [await RawSocket.open(spec.port, f"/{agent.agent_id}", None) for agent in spec.agents]
    messages = [_messages(spec, agent) for agent in spec.agents]
    connect_s = time.perf_counter() - begun
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    begun = time.perf_counter()
    acked = await asyncio.gather(*map(_deliver, sockets, messages))
    return Delivered(time.perf_counter() - begun, sum(acked), connect_s)


if __name__ == "__main__":
    wanted = msgspec.json.decode(sys.stdin.readline(), type=Spec)
    print(msgspec.json.encode(asyncio.run(_run(wanted))).decode(), flush=True)

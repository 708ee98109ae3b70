"""Whatever bytes come, decoding gives a message or `Malformed`; limits hold at the edge."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.wire.codec import (
    SUBPROTOCOL,
    SUBPROTOCOL_JSON,
    SUBPROTOCOLS,
    Malformed,
    agent_codec,
    hub_codec,
)
from processing.wire.limits import (
    MAX_CAMERAS,
    MAX_DETECTIONS,
    MAX_EMBEDDING_BYTES,
    MAX_ENTRIES,
    MAX_MESSAGE_BYTES,
    MAX_PICTURE_BYTES,
)
from processing.wire.messages import ResultBatch, SampleBatch
from tests.wire.examples import AGENT_MESSAGES, HUB_MESSAGES, json_of, msgpack_of

MSGPACK = hub_codec(SUBPROTOCOL)
JSON = hub_codec(SUBPROTOCOL_JSON)


def as_dict(kind: str) -> dict[str, Any]:
    """Return an agent's example message as a msgpack map with its tag and fields."""
    found: list[dict[str, Any]] = [
        msgspec.msgpack.decode(msgpack_of(message)) for message in AGENT_MESSAGES
    ]
    return next(fields for fields in found if fields["type"] == kind)


def decode(fields: dict[str, Any]) -> object:
    return MSGPACK.decode(msgspec.msgpack.encode(fields))


def test_a_field_of_a_newer_version_is_ignored() -> None:
    fields = as_dict("state")
    fields["cameras"][0]["tilt"] = 12
    assert decode({**fields, "mood": "fine"}) == decode(as_dict("state"))


def test_a_newer_value_at_the_end_of_a_result_is_ignored() -> None:
    fields = as_dict("results")
    longer = {**fields, "entries": [[*entry, "new"] for entry in fields["entries"]]}
    assert decode(longer) == decode(fields)


def test_what_an_agent_of_before_there_were_zone_counts_says_is_taken() -> None:
    fields = as_dict("results")
    older = {**fields, "entries": [entry[:7] for entry in fields["entries"]]}
    found = decode(older)
    assert isinstance(found, ResultBatch)
    assert [entry.entered for entry in found.entries] == [(), ()]


def test_what_an_agent_of_before_samples_had_embeddings_says_is_taken() -> None:
    fields = as_dict("samples")
    added = {"embedding", "disagreement"}
    older = [{k: v for k, v in each.items() if k not in added} for each in fields["entries"]]
    found = decode({**fields, "entries": older})
    assert isinstance(found, SampleBatch)
    assert [(each.embedding, each.disagreement) for each in found.entries] == [(b"", None)]


def test_an_unknown_message_is_refused() -> None:
    with pytest.raises(Malformed, match="type"):
        decode({**as_dict("gap"), "type": "restart"})


@pytest.mark.parametrize("message", HUB_MESSAGES, ids=lambda message: type(message).__name__)
def test_the_hub_refuses_what_only_hubs_say(message: msgspec.Struct) -> None:
    with pytest.raises(Malformed):
        MSGPACK.decode(msgpack_of(message))


def changed(kind: str, change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    fields = as_dict(kind)
    change(fields)
    return fields


def set_entry(index: int, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda fields: fields["entries"][0].__setitem__(index, value)


TOO_MUCH: dict[str, dict[str, Any]] = {
    "no entries": changed("results", lambda f: f.update(entries=[])),
    "too many entries": changed(
        "results", lambda f: f.update(entries=f["entries"][:1] * (MAX_ENTRIES + 1))
    ),
    "too many detections": changed("results", set_entry(3, bytes(16 * (MAX_DETECTIONS + 1)))),
    "too many entries of zones": changed(
        "results", set_entry(7, [[bytes(16), 0, 1]] * (MAX_DETECTIONS + 1))
    ),
    "a zone without its id": changed("results", set_entry(7, [["gate", 0, 1]])),
    "a short digest": changed("results", set_entry(2, bytes(15))),
    "a negative latency": changed("results", set_entry(5, -1.0)),
    "an instant without a zone": changed("results", set_entry(1, "2026-11-22T12:00:00")),
    "seq 0": changed("results", lambda f: f.update(first_seq=0)),
    "seq 2**63": changed("results", lambda f: f.update(first_seq=2**63)),
    "epoch 2**53": changed("results", lambda f: f.update(epoch=2**53)),
    "a lane that does not exist": changed("gap", lambda f: f.update(lane="gossip")),
    "a short signature": changed("hello", lambda f: f.update(signature=bytes(63))),
    "a picture too large": changed(
        "picture", lambda f: f.update(jpeg=bytes(MAX_PICTURE_BYTES + 1))
    ),
    "a picture without a side": changed("picture", lambda f: f.update(width=0)),
    "a score above 1": changed("samples", lambda f: f["entries"][0].update(score=1.1)),
    "an embedding too long": changed(
        "samples", lambda f: f["entries"][0].update(embedding=bytes(MAX_EMBEDDING_BYTES + 1))
    ),
    "a disagreement about nothing": changed(
        "samples", lambda f: f["entries"][0]["disagreement"].update(n_things=0)
    ),
    "too many cameras": changed(
        "state", lambda f: f.update(cameras=f["cameras"] * (MAX_CAMERAS + 1))
    ),
    "a text too long": changed("state", lambda f: f.update(problems=["x" * 2001])),
    "no name": changed("hello", lambda f: f.update(software="")),
}


@pytest.mark.parametrize("fields", TOO_MUCH.values(), ids=TOO_MUCH.keys())
def test_limits_are_enforced(fields: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        decode(fields)


def test_a_message_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(Malformed, match="at most"):
        MSGPACK.decode(bytes(MAX_MESSAGE_BYTES + 1))


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(Malformed):
        JSON.decode(b"[" * 100_000)
    with pytest.raises(Malformed):
        MSGPACK.decode(b"\x91" * 100_000)


@given(data=st.binary(max_size=300), subprotocol=st.sampled_from(SUBPROTOCOLS))
def test_random_bytes_are_malformed_and_nothing_worse(data: bytes, subprotocol: str) -> None:
    for codec in (hub_codec(subprotocol), agent_codec(subprotocol)):
        with pytest.raises(Malformed):
            codec.decode(data)


@given(data=st.data())
def test_a_damaged_message_is_a_message_or_malformed(data: st.DataObject) -> None:
    is_json = data.draw(st.booleans())
    message = data.draw(st.sampled_from(AGENT_MESSAGES))
    damaged = bytearray(json_of(message) if is_json else msgpack_of(message))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(damaged) - 1))
        damaged[position] = data.draw(st.integers(0, 255))
    try:
        (JSON if is_json else MSGPACK).decode(bytes(damaged))
    except Malformed:
        return

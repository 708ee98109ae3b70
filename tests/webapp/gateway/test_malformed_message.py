"""What is no message ends its connection, in words, and stops nothing else."""

import random
from collections.abc import Callable
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.wire.codec import SUBPROTOCOL, SUBPROTOCOLS, agent_codec, hub_codec
from processing.wire.limits import MAX_ENTRIES, MAX_MESSAGE_BYTES
from processing.wire.messages import Gap, Message
from tests.factories import START
from tests.webapp.gateway.double import connect, make_batch, make_entry
from webapp.events.models import Event
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.gateway.database import DatabaseThread
from webapp.gateway.refusal import Refusal
from webapp.gateway.socket import AgentSocket, read_message
from webapp.results.models import Result

CAMERA = UUID(int=1)


def gap(first_seq: int, last_seq: int) -> Gap:
    return Gap(
        epoch=1,
        lane="results",
        first_seq=first_seq,
        last_seq=last_seq,
        reason="outbox_full",
        noticed_at=START,
    )


@pytest.mark.parametrize(
    ("message", "words"),
    [
        pytest.param(make_batch(1, make_entry(CAMERA), epoch=2), "epoch 2", id="other-epoch"),
        pytest.param(gap(5, 4), "impossible range", id="backward-gap"),
        pytest.param(
            make_batch(2**63 - 1, make_entry(CAMERA), make_entry(CAMERA)),
            "impossible range",
            id="numbers-run-out",
        ),
    ],
)
async def test_a_message_that_cannot_be_right_is_refused(
    app: AgentSocket, agent: Agent, database: DatabaseThread, message: Message, words: str
) -> None:
    socket, _ = await connect(app, agent.id)
    socket.say(message)  # type: ignore[arg-type]  # all of them are agents' messages
    assert words in (await socket.be_refused("malformed")).detail
    assert await database.call(Event.objects.filter(kind="agent_refused").count) == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"", "malformed", id="empty"),
        pytest.param(b"\x80", "malformed", id="no-type"),
        pytest.param(msgspec.msgpack.encode({"type": "format_disk"}), "malformed", id="unknown"),
        pytest.param(b"\x81\xa4type\xa3\xed\xa0\x80", "malformed", id="no-utf8"),
        pytest.param(b"\x91" * 100_000, "malformed", id="deep"),
        pytest.param(bytes(MAX_MESSAGE_BYTES), "malformed", id="large"),
        pytest.param(bytes(MAX_MESSAGE_BYTES + 1), "too_large", id="too-large"),
    ],
)
async def test_bytes_that_are_no_message_are_refused(
    app: AgentSocket, agent: Agent, data: bytes, code: str
) -> None:
    socket, _ = await connect(app, agent.id)
    socket.say_bytes(data)
    await socket.be_refused(code)


async def test_a_batch_with_too_many_entries_is_refused(
    app: AgentSocket, agent: Agent, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    socket.say(make_batch(1, *[make_entry(CAMERA)] * (MAX_ENTRIES + 1)))
    assert f"length <= {MAX_ENTRIES}" in (await socket.be_refused("malformed")).detail
    event = await database.call(Event.objects.get, kind="agent_refused")
    assert event.title == "Quay 1 was refused: it sent what is no message"


async def test_one_agent_s_nonsense_disturbs_no_other(
    app: AgentSocket,
    agent: Agent,
    camera: Camera,
    bundle: Bundle,
    other_agent: Agent,
    database: DatabaseThread,
) -> None:
    good, _ = await connect(app, agent.id)
    bad, _ = await connect(app, other_agent.id)
    bad.say_bytes(b"nonsense")
    await bad.be_refused("malformed")
    good.say(make_batch(1, make_entry(camera.id)))
    await good.hear_ack("results", 1)
    assert await database.call(Result.objects.count) == 1
    await good.leave()


CODECS = {subprotocol: hub_codec(subprotocol) for subprotocol in SUBPROTOCOLS}


def _outcome(subprotocol: str, data: bytes) -> Message | Refusal:
    try:
        return read_message(CODECS[subprotocol], data)
    except Refusal as refusal:
        return refusal


@given(data=st.binary(max_size=300), subprotocol=st.sampled_from(SUBPROTOCOLS))
def test_any_bytes_are_a_message_or_refused(data: bytes, subprotocol: str) -> None:
    assert isinstance(_outcome(subprotocol, data), Message | Refusal)


def test_damaged_messages_are_messages_or_refused(soaked: Callable[[int], int]) -> None:
    dice = random.Random(20261122)
    originals = [
        agent_codec(SUBPROTOCOL).encode(message)
        for message in (make_batch(1, make_entry(CAMERA, 0, 1), make_entry(CAMERA)), gap(1, 9))
    ]
    for _ in range(soaked(500_000)):
        damaged = bytearray(dice.choice(originals))
        for _ in range(dice.randint(1, 8)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        data = bytes(damaged[: dice.randint(1, len(damaged))])
        assert isinstance(_outcome(SUBPROTOCOL, data), Message | Refusal)

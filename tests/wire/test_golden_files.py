"""What programs of this version say is what the golden files say, and the other way round."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from processing.wire import browser, messages
from processing.wire.codec import SUBPROTOCOL, SUBPROTOCOL_JSON, agent_codec, hub_codec
from tests.wire.examples import (
    AGENT_MESSAGES,
    BROWSER_MESSAGES,
    ENROLMENT,
    GOLDEN,
    HUB_MESSAGES,
    golden_path,
    json_of,
    msgpack_of,
)

EVERYTHING = (*AGENT_MESSAGES, *HUB_MESSAGES, *ENROLMENT, *BROWSER_MESSAGES)


def named(message: msgspec.Struct) -> str:
    return type(message).__name__


def test_every_message_of_both_directions_has_an_example() -> None:
    assert {type(message) for message in AGENT_MESSAGES} == set(get_args(messages.AgentMessage))
    assert {type(message) for message in HUB_MESSAGES} == set(get_args(messages.HubMessage))
    assert {type(message) for message in BROWSER_MESSAGES} == set(get_args(browser.HubToBrowser))


@pytest.mark.parametrize("message", EVERYTHING, ids=named)
def test_json_is_as_it_was(message: msgspec.Struct) -> None:
    golden = golden_path(message, "json").read_bytes()
    assert msgspec.json.decode(json_of(message)) == msgspec.json.decode(golden)
    assert msgspec.json.decode(golden, type=type(message)) == message


@pytest.mark.parametrize("message", [*AGENT_MESSAGES, *HUB_MESSAGES], ids=named)
def test_msgpack_is_as_it_was(message: msgspec.Struct) -> None:
    golden = bytes.fromhex(golden_path(message, "msgpack.hex").read_text())
    assert msgpack_of(message) == golden
    assert msgspec.msgpack.decode(golden, type=type(message)) == message


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.name)
def test_every_golden_file_there_ever_was_can_still_be_read(path: Path) -> None:
    kinds = {named(message): type(message) for message in EVERYTHING}
    assert msgspec.json.decode(path.read_bytes(), type=kinds[path.name.split(".")[0]]) is not None


@pytest.mark.parametrize("subprotocol", [SUBPROTOCOL, SUBPROTOCOL_JSON])
def test_each_side_reads_what_the_other_writes(subprotocol: str) -> None:
    hub, agent = hub_codec(subprotocol), agent_codec(subprotocol)
    assert [hub.decode(agent.encode(message)) for message in AGENT_MESSAGES] == [*AGENT_MESSAGES]
    assert [agent.decode(hub.encode(message)) for message in HUB_MESSAGES] == [*HUB_MESSAGES]

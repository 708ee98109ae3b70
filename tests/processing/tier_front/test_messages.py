"""The generated messages are those of the .proto, and those that the protocol's clients speak."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from processing.tier.oip import open_inference_pb2 as ours

FOLDER = Path(ours.__file__).parent
GENERATED = ("open_inference_pb2.py", "open_inference_pb2.pyi")
THEIRS = """
import json
from tritonclient.grpc import model_config_pb2, service_pb2
from tests.processing.tier_front.test_messages import told_of

print(json.dumps(told_of(service_pb2.DESCRIPTOR) | told_of(model_config_pb2.DESCRIPTOR)))
"""
NOT_IN_TRITON = {"ModelMetadataResponse.properties"}
"""KServe's form of the protocol has them."""


def told_of(file: Any) -> dict[str, list[object]]:
    """Return number and type of every field and every value of an enumeration."""
    told: dict[str, list[object]] = {}
    for message in _messages(file.message_types_by_name.values()):
        name = message.full_name.removeprefix(f"{file.package}.")
        for field in message.fields:
            told[f"{name}.{field.name}"] = [field.number, field.type, field.is_repeated]
    for enumeration in file.enum_types_by_name.values():
        for value in enumeration.values:
            told[f"{enumeration.name}.{value.name}"] = [value.number]
    return told


def _messages(messages: Iterable[Any]) -> Iterator[Any]:
    for message in messages:
        if message.GetOptions().map_entry:
            continue
        yield message
        yield from _messages(message.nested_types)


def test_what_was_generated_is_what_the_proto_gives(tmp_path: Path) -> None:
    outs = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi")]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I", str(FOLDER), *outs]
    subprocess.run([*command, "open_inference.proto"], check=True, timeout=60)
    for name in GENERATED:
        assert (tmp_path / name).read_text() == (FOLDER / name).read_text()


def test_every_field_has_the_number_that_tritons_client_knows_it_by() -> None:
    # In a process of its own: nobody else should have two of these messages loaded.
    run = subprocess.run(
        [sys.executable, "-c", THEIRS], capture_output=True, text=True, check=True, timeout=120
    )
    theirs = json.loads(run.stdout)
    mine = told_of(ours.DESCRIPTOR)
    assert len(mine) > 100
    assert {name for name in mine if name not in theirs} == NOT_IN_TRITON
    assert {name: theirs[name] for name in mine if name in theirs} == {
        name: told for name, told in mine.items() if name in theirs
    }

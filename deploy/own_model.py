"""Somebody's own network, and what they say of it: read, understood, copied, described."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
import onnx
from onnx.external_data_helper import uses_external_data

from deploy.bundle_folder import artifact_of, file_of
from deploy.files import sha256_of
from deploy.model_kinds import KINDS, LabelsDoNotMatch, WrongOutputs
from processing.inference.bundle import BundleUnreadable, parse_manifest
from processing.inference.manifest import (
    MAX_FILE_BYTES,
    MAX_LABELS,
    Artifact,
    File,
    Licence,
    Manifest,
    Provenance,
)
from processing.inference.network import RuntimeRefused
from processing.inference.ports import Ports, read_ports, write_ir

_ONNX: Final = "network.onnx"
_IR: Final = ("network.xml", "network.bin")
_LICENCE: Final = "licences/network.txt"
_MAX_TEXT_BYTES: Final = 1024 * 1024
_NOTHING: Final = frozenset({"???", "background", "__background__"})
"""How lists of SSD's labels call the first column, which has no name of ours."""


class CannotBundle(Exception):
    """No bundle was written; the text says why."""


class ModelUnreadable(CannotBundle):
    """The file is no network, or none that OpenVINO reads."""


class ModelUnfit(CannotBundle):
    """It is a network, but not of this kind, or not with these labels."""


class SourceUnusable(CannotBundle):
    """What goes with the network (labels, licence, pictures) is missing or wrong."""


@dataclass(frozen=True, slots=True)
class OwnModel:
    """What somebody brings."""

    network: Path
    """.onnx or .tflite."""
    kind: str
    """A key of `KINDS`."""
    labels: Path
    """Text, one name a line, in the order of the network's outputs."""
    name: str
    version: str
    licence: str
    """SPDX expression."""
    licence_text: Path | None = None
    look: Mapping[str, object] = field(default_factory=dict)
    """Fields of `InputSpec` that differ from the kind's."""


def take_over(model: OwnModel, folder: Path) -> Manifest:
    """Copy (ONNX) or convert (TensorFlow Lite) the network into the folder, and describe it.

    Raise `CannotBundle`.
    """
    labels = _labels(model)
    ports = _ports(model.network)
    try:
        spec, head, thresholds = KINDS[model.kind].fit(ports, len(labels), model.look)
    except (WrongOutputs, LabelsDoNotMatch) as error:
        raise ModelUnfit(f"{model.network.name} as {model.kind}: {error}") from error
    artifact, step = _copy_or_convert(model.network, folder)
    manifest = Manifest(
        format=1,
        name=model.name,
        version=model.version,
        task="detection",
        labels=labels,
        input=spec,
        head=head,
        thresholds=thresholds,
        artifacts=(artifact,),
        licences=(Licence(spdx=model.licence, covers="the network", file=_licence(model, folder)),),
        provenance=_provenance(model, step),
    )
    try:
        return parse_manifest(msgspec.json.encode(manifest))
    except BundleUnreadable as error:
        raise SourceUnusable(str(error)) from error


def _ports(network: Path) -> Ports:
    if network.suffix.lower() not in {".onnx", ".tflite"}:
        raise ModelUnreadable(f"{network.name} is neither .onnx nor .tflite")
    try:
        if network.stat().st_size > MAX_FILE_BYTES:
            raise ModelUnreadable(f"{network.name} is larger than {MAX_FILE_BYTES} bytes")
        return read_ports(network)
    except OSError as error:
        raise ModelUnreadable(f"{network} cannot be read: {error.strerror}") from error
    except RuntimeRefused as error:
        raise ModelUnreadable(
            f"{network.name} is no network that OpenVINO reads: {error}"
        ) from error


def _copy_or_convert(network: Path, folder: Path) -> tuple[Artifact, str]:
    if network.suffix.lower() == ".onnx":
        _refuse_other_files(network)
        shutil.copyfile(network, folder / _ONNX)
        return artifact_of(folder, "onnx", "fp32", _ONNX), "taken over as it was"
    write_ir(network, folder / _IR[0])
    return (
        artifact_of(folder, "openvino", "fp16", *_IR),
        "TensorFlow Lite to OpenVINO IR, weights as float16",
    )


def _refuse_other_files(network: Path) -> None:
    """Raise if weights lie in files beside this one: a bundle is made of what was named."""
    graph = onnx.load(network, load_external_data=False).graph
    if any(uses_external_data(constant) for constant in graph.initializer):
        raise ModelUnreadable(f"{network.name} has weights in other files: save it as one")


def _labels(model: OwnModel) -> tuple[str, ...]:
    lines = [line.strip() for line in _text(model.labels).splitlines()]
    names = [line for line in lines if line]
    if model.kind == "ssd" and names and names[0].lower() in _NOTHING:
        del names[0]
    if not 1 <= len(names) <= MAX_LABELS:
        raise SourceUnusable(f"{model.labels} has {len(names)} names; 1 to {MAX_LABELS} are wanted")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceUnusable(f"{model.labels} names twice: {', '.join(twice[:10])}")
    return tuple(names)


def _licence(model: OwnModel, folder: Path) -> File:
    (folder / _LICENCE).parent.mkdir()
    text = f"SPDX-License-Identifier: {model.licence}\n"
    if model.licence_text is not None:
        text = _text(model.licence_text)
    (folder / _LICENCE).write_text(text, encoding="utf-8")
    return file_of(folder, _LICENCE)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_TEXT_BYTES + 1)
        if len(content) > _MAX_TEXT_BYTES:
            raise SourceUnusable(f"{path} is larger than {_MAX_TEXT_BYTES} bytes")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise SourceUnusable(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SourceUnusable(f"{path} is no text in UTF-8") from error


def _provenance(model: OwnModel, step: str) -> Provenance:
    # A path in a manifest is plain; what somebody's file is called need not be.
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", model.network.name).lstrip("._-") or "network"
    taken = File(
        path=plain[-200:], size=model.network.stat().st_size, sha256=sha256_of(model.network)
    )
    return Provenance(
        source=f"a file of its owner's, {plain[-100:]}",
        inputs=(taken,),
        steps=(step,),
        tools={"openvino": version("openvino")},
    )

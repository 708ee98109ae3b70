"""What a network takes and gives, read from its file before anything else is known of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openvino  # type: ignore[import-untyped]  # it ships no types

from processing.inference.network import RuntimeRefused


@dataclass(frozen=True, slots=True)
class Port:
    """A tensor on one end of a network."""

    name: str
    shape: tuple[int, ...]
    """Without the batch axis; -1 for a side that is not fixed."""

    def __str__(self) -> str:
        return f"{self.name!r} {self.shape}"


@dataclass(frozen=True, slots=True)
class Ports:
    """Both ends."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def read_ports(network: Path) -> Ports:
    """Return the ends of an ONNX or TensorFlow Lite file, of one picture at a time.

    Raise `RuntimeRefused`.
    """
    model = _read(network)
    _fix_batch(model)
    return Ports(
        inputs=tuple(_port(each) for each in model.inputs),
        outputs=tuple(_port(each) for each in model.outputs),
    )


def write_ir(network: Path, target: Path) -> None:
    """Write the network as OpenVINO IR: `target` (.xml) and its .bin, weights as float16.

    Raise `RuntimeRefused`.
    """
    try:
        openvino.save_model(_read(network), str(target), compress_to_fp16=True)
    except RuntimeError as error:
        raise RuntimeRefused(error) from error


def _read(network: Path) -> Any:  # OpenVINO ships no types
    try:
        return openvino.Core().read_model(str(network))
    except RuntimeError as error:
        raise RuntimeRefused(error) from error


def _fix_batch(model: Any) -> None:  # as above
    """Set a free batch axis to 1: outputs may have fixed sides only once it is."""
    shapes = {port: port.get_partial_shape() for port in model.inputs}
    for shape in shapes.values():
        if shape.rank.is_static and len(shape) and shape[0].is_dynamic:
            shape[0] = 1
    try:
        model.reshape(shapes)
    except RuntimeError as error:
        raise RuntimeRefused(error) from error


def _port(port: Any) -> Port:  # as above
    names = sorted(port.get_names())
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        return Port(names[0] if names else "", ())
    sides = tuple(-1 if side.is_dynamic else int(side.get_length()) for side in shape)
    return Port(names[0] if names else "", sides[1:])

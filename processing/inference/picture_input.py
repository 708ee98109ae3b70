"""Puts what turns decoded planes into a network's own numbers in front of the network.

Colours, mean and scale are computed in the order in which a picture lies in memory, channel beside
channel, and rounded there to what the network's first quantisation lets through. Only then the
axes are turned, which costs nothing: the first convolution reads channel beside channel anyway.
Turned first, as networks are written, it all takes four passes over the picture, and half a
millisecond of a network that takes six.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import openvino  # type: ignore[import-untyped]  # it ships no types
from openvino.preprocess import (  # type: ignore[import-untyped]  # as above
    ColorFormat,
    PrePostProcessor,
)

from processing.inference.input_spec import InputSpec

PLANES: Final = ("y", "u", "v")
_PICTURE: Final = "farwatch.picture"
_QUANTISATION: Final = "FakeQuantize"
_TO_CHANNELS_FIRST: Final = (0, 3, 1, 2)


def take_planes(model: Any, spec: InputSpec) -> Any:  # OpenVINO ships no types
    """Return the network, of fixed shapes, with `PLANES` (uint8, I420) as its inputs."""
    _take_picture(model, spec)
    steps = PrePostProcessor(model)
    picture = steps.input(_PICTURE)
    picture.tensor().set_color_format(ColorFormat.I420_THREE_PLANES, list(PLANES))
    picture.preprocess().convert_color(ColorFormat.BGR if spec.colour == "bgr" else ColorFormat.RGB)
    picture.model().set_layout(openvino.Layout("NHWC"))
    for index in range(len(model.outputs)):
        steps.output(index).tensor().set_element_type(openvino.Type.f32)
    return steps.build()


def _take_picture(model: Any, spec: InputSpec) -> None:
    """Let the network begin with a picture: (1, height, width, 3), uint8, in its own colours."""
    ops = openvino.opset13
    given = model.input(spec.tensor).get_node()
    readers = list(given.output(0).get_target_inputs())
    picture = ops.parameter([1, spec.height, spec.width, 3], openvino.Type.u8)
    picture.output(0).set_names({_PICTURE})
    # A whole row as one long axis: of an axis of three, vectors of sixteen are mostly empty.
    rows = _reshaped(picture, (1, 1, spec.height, spec.width * 3))
    values = ops.convert(rows, "f32")
    values = ops.subtract(values, _per_column(spec.mean, spec.width))
    values = ops.divide(values, _per_column(spec.scale, spec.width))
    if _is_quantised_alike(readers):
        quantisation = readers[0].get_node()
        readers = list(quantisation.output(0).get_target_inputs())
        quantisation.input(0).replace_source_output(values.output(0))
        values = quantisation
    values = _reshaped(values, (1, spec.height, spec.width, 3))
    if not spec.is_channels_last:
        values = ops.transpose(values, ops.constant(np.array(_TO_CHANNELS_FIRST)))
    for reader in readers:
        reader.replace_source_output(values.output(0))
    model.add_parameters([picture])
    model.remove_parameter(given)
    model.validate_nodes_and_infer_types()


def _is_quantised_alike(readers: Sequence[Any]) -> bool:
    """Return whether all that is read of the input is rounded first, every channel alike."""
    if len(readers) != 1:
        return False
    node = readers[0].get_node()
    limits = (node.input(number) for number in range(1, node.get_input_size()))
    return node.get_type_name() == _QUANTISATION and all(
        limit.get_partial_shape().is_static and np.prod(limit.get_shape()) == 1 for limit in limits
    )


def _reshaped(values: Any, shape: tuple[int, ...]) -> Any:
    ops = openvino.opset13
    return ops.reshape(values, ops.constant(np.array(shape, np.int64)), special_zero=False)


def _per_column(of_channels: Sequence[float], width: int) -> Any:
    """Return the constant (1, 1, 1, 3 * width) of one number a channel, pixel after pixel."""
    row = np.tile(np.array(of_channels, np.float32), width)
    return openvino.opset13.constant(row[np.newaxis, np.newaxis, np.newaxis])

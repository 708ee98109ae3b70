"""TensorFlow's operations, each in terms of ONNX's; those of constants are done right away.

TensorFlow has channels last, ONNX first. Each convolution, pooling and resize is wrapped in two
transposes; runtimes cancel the pairs that meet.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np

from processing.exchange.tfjs.builder import Builder, Value
from processing.exchange.tfjs.graph import Array, Node, NotConvertible

Operation: TypeAlias = Callable[[Builder, Node, Sequence[Value]], Sequence[Value]]
"""From a node and its inputs to its outputs."""

_TO_CHANNELS_FIRST: Final = (0, 3, 1, 2)
_TO_CHANNELS_LAST: Final = (0, 2, 3, 1)
_FILTER_TO_ONNX: Final = (3, 2, 0, 1)
_LEAKY_ALPHA: Final = 0.2
"""TensorFlow's default."""


def _constant(node: Node, value: Value) -> Array:
    if isinstance(value, str):
        message = f"{node.op} {node.name}: a parameter is computed while the network runs"
        raise NotConvertible(message)
    return value


def _integers(node: Node, value: Value) -> list[int]:
    return [int(number) for number in np.atleast_1d(_constant(node, value))]


def _spatial(node: Node, name: str) -> list[int]:
    """Return the two middle ones of an attribute's four (batch, height, width, channel) numbers."""
    attribute = node.attr.get(name)
    numbers = attribute.list.i if attribute else [1, 1, 1, 1]
    if len(numbers) != len(_TO_CHANNELS_FIRST) or numbers[0] != 1 or numbers[3] != 1:
        raise NotConvertible(f"{node.op} {node.name}: {name} {numbers}")
    return numbers[1:3]


def _padding(node: Node) -> str:
    layout = node.attr["data_format"].text if "data_format" in node.attr else "NHWC"
    padding = node.attr["padding"].text if "padding" in node.attr else ""
    modes = {"SAME": "SAME_UPPER", "VALID": "VALID"}
    if layout != "NHWC" or padding not in modes:
        raise NotConvertible(f"{node.op} {node.name}: layout {layout}, padding {padding!r}")
    return modes[padding]


def _add(builder: Builder, _node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    first, second = inputs
    if isinstance(first, str) or isinstance(second, str):
        return (builder.add("Add", first, second),)
    return (first + second,)


def _concat(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    *parts, axis = inputs
    (along,) = _integers(node, axis)
    constants = [part for part in parts if not isinstance(part, str)]
    if len(constants) == len(parts):
        return (np.concatenate([np.atleast_1d(part) for part in constants], along),)
    return (builder.add("Concat", *parts, axis=along),)


def _convolution(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    picture, weights = inputs
    channels_first = builder.add("Transpose", picture, perm=_TO_CHANNELS_FIRST)
    result = builder.add(
        "Conv",
        channels_first,
        _constant(node, weights).transpose(_FILTER_TO_ONNX),
        strides=_spatial(node, "strides"),
        dilations=_spatial(node, "dilations"),
        auto_pad=_padding(node),
    )
    return (builder.add("Transpose", result, perm=_TO_CHANNELS_LAST),)


def _identity(_builder: Builder, _node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    return inputs[:1]


def _leaky_relu(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    alpha = node.attr["alpha"].f if "alpha" in node.attr else _LEAKY_ALPHA
    return (builder.add("LeakyRelu", inputs[0], alpha=alpha),)


def _max_pool(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    channels_first = builder.add("Transpose", inputs[0], perm=_TO_CHANNELS_FIRST)
    result = builder.add(
        "MaxPool",
        channels_first,
        kernel_shape=_spatial(node, "ksize"),
        strides=_spatial(node, "strides"),
        auto_pad=_padding(node),
    )
    return (builder.add("Transpose", result, perm=_TO_CHANNELS_LAST),)


def _pad(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    picture, widths, *fill = inputs
    before_then_after = _constant(node, widths).astype(np.int64).T.reshape(-1)
    return (builder.add("Pad", picture, before_then_after, *fill),)


def _reshape(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    picture, shape = inputs
    return (builder.add("Reshape", picture, _constant(node, shape).astype(np.int64)),)


def _resize_bilinear(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    picture, size = inputs
    mode = "asymmetric"
    if "align_corners" in node.attr and node.attr["align_corners"].b:
        mode = "align_corners"
    elif "half_pixel_centers" in node.attr and node.attr["half_pixel_centers"].b:
        mode = "half_pixel"
    channels_first = builder.add("Transpose", picture, perm=_TO_CHANNELS_FIRST)
    result = builder.add(
        "Resize",
        channels_first,
        None,
        None,
        np.array(_integers(node, size), np.int64),
        axes=(2, 3),
        mode="linear",
        coordinate_transformation_mode=mode,
    )
    return (builder.add("Transpose", result, perm=_TO_CHANNELS_LAST),)


def _sigmoid(builder: Builder, _node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    return (builder.add("Sigmoid", inputs[0]),)


def _sparse_to_dense(_builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    indices, shape, _values, default = inputs
    if _constant(node, indices).size:
        raise NotConvertible(f"{node.op} {node.name}: only an empty one, filled with its default")
    return (np.full(_integers(node, shape), _constant(node, default)),)


def _split(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    picture, sizes, axis = inputs
    lengths = _constant(node, sizes).astype(np.int64)
    (along,) = _integers(node, axis)
    return builder.add_many("Split", picture, lengths, n_outputs=len(lengths), axis=along)


def _transpose(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    picture, order = inputs
    return (builder.add("Transpose", picture, perm=_integers(node, order)),)


OPERATIONS: Final[dict[str, Operation]] = {
    "Add": _add,
    "AddV2": _add,
    "ConcatV2": _concat,
    "Conv2D": _convolution,
    "Identity": _identity,
    "LeakyRelu": _leaky_relu,
    "MaxPool": _max_pool,
    "Pad": _pad,
    "PadV2": _pad,
    "Reshape": _reshape,
    "ResizeBilinear": _resize_bilinear,
    "Sigmoid": _sigmoid,
    "SparseToDense": _sparse_to_dense,
    "SplitV": _split,
    "Transpose": _transpose,
}

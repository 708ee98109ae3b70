"""TensorFlow's operations, each in terms of ONNX's; those of constants are done right away.

TensorFlow has channels last, ONNX first: each convolution, pooling and resize is wrapped in two
transposes. What lies between two of them is done before the first, so that they meet, and go: no
runtime finds all of these pairs, and half of the time went into turning pictures. For the same
reason padding, bias and split become part of the convolution or pooling beside them: a runtime that
finds one by itself may do it apart, slowly, and what surrounds it in floating point.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np

from processing.exchange.tfjs.builder import Builder, Convolved, Padded, Parameter, Value
from processing.exchange.tfjs.graph import Array, Node, NotConvertible

Operation: TypeAlias = Callable[[Builder, Node, Sequence[Value]], Sequence[Value]]
"""From a node and its inputs to its outputs."""

_TO_CHANNELS_FIRST: Final = (0, 3, 1, 2)
_TO_CHANNELS_LAST: Final = (0, 2, 3, 1)
_CHANNELS: Final = 1
"""Their axis in ONNX."""
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
    if not isinstance(first, str) and not isinstance(second, str):
        return (first + second,)
    orders = {turned.order for each in inputs if (turned := builder.turned(each)) is not None}
    if len(orders) != 1:
        return (builder.add("Add", first, second),)
    (order,) = orders
    before = [_before(builder, each, order) for each in inputs]
    if any(each is None for each in before):
        return (builder.add("Add", first, second),)
    result = _with_bias(builder, before) or builder.add("Add", *before)
    return (builder.transpose(result, order),)


def _with_bias(builder: Builder, sum_of: Sequence[Value | None]) -> str | None:
    """Return a convolution with its bias, channels first; None if the sum is no such thing."""
    match sum_of:
        case [str(picture), np.ndarray() as bias]:
            convolved = builder.convolved(picture)
            if convolved is not None and convolved.bias is None:
                n_channels = len(convolved.weights)
                if bias.shape == (1, n_channels, 1, 1):
                    return builder.convolve(convolved._replace(bias=bias.reshape(n_channels)))
    return None


def _before(builder: Builder, value: Value, order: tuple[int, ...]) -> Value | None:
    """Return what, transposed, is the value; None if that is not known."""
    if not isinstance(value, str):
        spread = value.reshape((1,) * (len(order) - value.ndim) + value.shape)
        return spread.transpose(np.argsort(order))
    turned = builder.turned(value)
    return turned.source if turned is not None and turned.order == order else None


def _one_by_one(
    builder: Builder, op: str, value: Value, **parameters: Parameter
) -> Sequence[Value]:
    """Do what is done to each number by itself, before the transpose if the value is one."""
    turned = builder.turned(value)
    if turned is None:
        return (builder.add(op, value, **parameters),)
    return (builder.transpose(builder.add(op, turned.source, **parameters), turned.order),)


def _concat(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    *parts, axis = inputs
    (along,) = _integers(node, axis)
    constants = [part for part in parts if not isinstance(part, str)]
    if len(constants) == len(parts):
        return (np.concatenate([np.atleast_1d(part) for part in constants], along),)
    turned = [builder.turned(part) for part in parts]
    sources = [each.source for each in turned if each is not None]
    orders = {each.order for each in turned if each is not None}
    if len(sources) == len(parts) and len(orders) == 1:
        (order,) = orders
        return (builder.transpose(builder.add("Concat", *sources, axis=order[along]), order),)
    return (builder.add("Concat", *parts, axis=along),)


def _convolution(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    picture, weights = inputs
    source, framing = _framed(builder, node, picture, fill=0.0)
    convolved = Convolved(
        source,
        _constant(node, weights).transpose(_FILTER_TO_ONNX),
        bias=None,
        parameters={
            "strides": _spatial(node, "strides"),
            "dilations": _spatial(node, "dilations"),
            **framing,
        },
    )
    return (builder.transpose(builder.convolve(convolved), _TO_CHANNELS_LAST),)


def _framed(
    builder: Builder, node: Node, picture: Value, *, fill: float
) -> tuple[str, dict[str, Parameter]]:
    """Return a picture, channels first, and how the operation is to frame it.

    A frame of `fill`, which counts as nothing there, need not be added beforehand.
    """
    channels_first = builder.transpose(picture, _TO_CHANNELS_FIRST)
    padding = _padding(node)
    padded = builder.padded(channels_first)
    if padded is None or padded.fill != fill or padding != "VALID":
        return channels_first, {"auto_pad": padding}
    return padded.source, {"pads": padded.sides}


def _identity(_builder: Builder, _node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    return inputs[:1]


def _leaky_relu(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    alpha = node.attr["alpha"].f if "alpha" in node.attr else _LEAKY_ALPHA
    return _one_by_one(builder, "LeakyRelu", inputs[0], alpha=alpha)


def _max_pool(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    source, framing = _framed(builder, node, inputs[0], fill=-np.inf)
    result = builder.add(
        "MaxPool",
        source,
        kernel_shape=_spatial(node, "ksize"),
        strides=_spatial(node, "strides"),
        **framing,
    )
    return (builder.transpose(result, _TO_CHANNELS_LAST),)


def _pad(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    picture, widths, *fill = inputs
    pairs = _constant(node, widths).astype(np.int64)
    turned = builder.turned(picture)
    if turned is None:
        return (_pad_evenly(builder, node, picture, pairs, fill),)
    pairs = pairs[np.argsort(turned.order)]
    padded = _pad_evenly(builder, node, turned.source, pairs, fill)
    return (builder.transpose(padded, turned.order),)


def _pad_evenly(
    builder: Builder, node: Node, source: Value, pairs: Array, fill: Sequence[Value]
) -> str:
    """Return the source padded by `pairs` (n, 2): before and after each axis."""
    is_framed = len(pairs) == len(_TO_CHANNELS_FIRST) and not pairs[:2].any() and pairs.min() >= 0
    if not is_framed or not isinstance(source, str):
        return builder.add("Pad", source, pairs.T.reshape(-1), *fill)
    sides = tuple(int(width) for width in pairs[2:].T.reshape(-1))
    value = float(_constant(node, fill[0])) if fill else 0.0
    return builder.pad(Padded(source, sides, value))


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
    channels_first = builder.transpose(picture, _TO_CHANNELS_FIRST)
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
    return (builder.transpose(result, _TO_CHANNELS_LAST),)


def _sigmoid(builder: Builder, _node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    return _one_by_one(builder, "Sigmoid", inputs[0])


def _sparse_to_dense(_builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    indices, shape, _values, default = inputs
    if _constant(node, indices).size:
        raise NotConvertible(f"{node.op} {node.name}: only an empty one, filled with its default")
    return (np.full(_integers(node, shape), _constant(node, default)),)


def _split(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    picture, sizes, axis = inputs
    lengths = _constant(node, sizes).astype(np.int64)
    (along,) = _integers(node, axis)
    turned = builder.turned(picture)
    if turned is None:
        return _split_along(builder, picture, lengths, along)
    parts = _split_along(builder, turned.source, lengths, turned.order[along])
    return [builder.transpose(part, turned.order) for part in parts]


def _split_along(builder: Builder, source: Value, lengths: Array, axis: int) -> list[str]:
    convolved = builder.convolved(source) if isinstance(source, str) else None
    if convolved is not None and axis == _CHANNELS and (lengths >= 0).all():
        return _split_convolution(builder, convolved, lengths)
    return builder.add_many("Split", source, lengths, n_outputs=len(lengths), axis=axis)


def _split_convolution(builder: Builder, convolved: Convolved, lengths: Array) -> list[str]:
    """Return one convolution for each part of the channels that a convolution gives."""
    ends = np.cumsum(lengths)
    slices = [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]
    bias = convolved.bias
    return [
        builder.convolve(
            convolved._replace(
                weights=convolved.weights[each], bias=None if bias is None else bias[each]
            )
        )
        for each in slices
    ]


def _transpose(builder: Builder, node: Node, inputs: Sequence[Value]) -> Sequence[Value]:
    picture, order = inputs
    return (builder.transpose(picture, _integers(node, order)),)


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

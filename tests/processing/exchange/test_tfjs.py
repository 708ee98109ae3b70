"""A TensorFlow.js graph becomes ONNX that computes the same; what is not known is named."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from processing.exchange.tfjs.convert import to_onnx
from processing.exchange.tfjs.graph import NotConvertible, read_graph

Json = dict[str, Any]


class Model:
    """Writes a graph model down, node by node."""

    def __init__(self, *shape: int) -> None:
        self.nodes: list[Json] = [{"name": "x", "op": "Placeholder", "attr": {}}]
        self.weights: list[Json] = []
        self.data = b""
        self.shape = shape

    def const(self, name: str, value: NDArray[Any], *, as_half: bool = False) -> str:
        self.nodes.append({"name": name, "op": "Const", "attr": {}})
        entry: Json = {"name": name, "shape": list(value.shape), "dtype": str(value.dtype)}
        if as_half:
            entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
        self.weights.append(entry)
        self.data += value.astype(np.float16 if as_half else value.dtype).tobytes()
        return name

    def node(self, name: str, op: str, *inputs: str, **attributes: Json) -> str:
        self.nodes.append({"name": name, "op": op, "input": list(inputs), "attr": attributes})
        return name

    def json(self, **outputs: tuple[int, ...]) -> bytes:
        model = {
            "format": "graph-model",
            "signature": {
                "inputs": {"x:0": port(self.shape)},
                "outputs": {f"{name}:0": port(shape) for name, shape in outputs.items()},
            },
            "modelTopology": {"node": self.nodes, "versions": {}},
            "weightsManifest": [{"paths": ["w.bin"], "weights": self.weights}],
        }
        return json.dumps(model).encode()

    def convert(self, **outputs: tuple[int, ...]) -> onnx.ModelProto:
        graph = read_graph(self.json(**outputs), self.data)
        return to_onnx(graph, name="test", names={"x": "x"} | {name: name for name in outputs})


def port(shape: tuple[int, ...]) -> Json:
    # 64-bit integers are strings in the JSON of protocol buffers.
    dimensions = [{"size": str(size)} for size in shape]
    return {"name": "", "dtype": "DT_FLOAT", "tensorShape": {"dim": dimensions}}


def text(value: str) -> Json:
    return {"s": base64.b64encode(value.encode()).decode()}


def integers(*values: int) -> Json:
    return {"list": {"i": [str(value) for value in values]}}


def run(model: onnx.ModelProto, x: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [np.asarray(output) for output in ReferenceEvaluator(model).run(None, {"x": x})]


def random(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


CONV: Mapping[str, Json] = {
    "strides": integers(1, 2, 2, 1),
    "dilations": integers(1, 1, 1, 1),
    "padding": text("VALID"),
    "data_format": text("NHWC"),
}


def test_it_works() -> None:
    model = Model(1, 6, 6, 3)
    weights = random(2, 2, 3, 4)
    model.const("w", weights, as_half=True)
    model.const("b", random(4))
    model.node("conv", "Conv2D", "x", "w", **CONV)
    model.node("sum", "AddV2", "conv", "b")
    model.node("leaky", "LeakyRelu", "sum", alpha={"f": 0.1})
    model.node("out", "Identity", "leaky")
    x = random(1, 6, 6, 3)
    (found,) = run(model.convert(out=(1, 3, 3, 4)), x)
    patches = x.reshape(3, 2, 3, 2, 3).transpose(0, 2, 1, 3, 4)  # (row, column, y, x, channel)
    half = weights.astype(np.float16).astype(np.float32)
    expected = np.einsum("rcyxi,yxio->rco", patches, half) + random(4)
    expected = np.where(expected > 0, expected, 0.1 * expected)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


def test_pad_pool_and_resize() -> None:
    model = Model(1, 2, 2, 1)
    model.const("widths", np.array([[0, 0], [1, 1], [2, 2], [0, 0]], np.int32))
    model.const("fill", np.float32(-5.0) * np.ones((), np.float32))
    model.node("pad", "PadV2", "x", "widths", "fill")
    pool = {"ksize": integers(1, 2, 2, 1), "strides": integers(1, 2, 2, 1)}
    model.node("pool", "MaxPool", "pad", padding=text("VALID"), **pool)
    model.const("size", np.array([4, 6], np.int32))
    model.node("big", "ResizeBilinear", "x", "size", half_pixel_centers={"b": True})
    x = np.array([[1, 2], [3, 4]], np.float32).reshape(1, 2, 2, 1)
    pooled, big = run(model.convert(pool=(1, 2, 3, 1), big=(1, 4, 6, 1)), x)
    assert pooled[0, :, :, 0].tolist() == [[-5, 2, -5], [-5, 4, -5]]
    assert big.shape == (1, 4, 6, 1)
    assert (big[0, 0, 0, 0], big[0, -1, -1, 0]) == (1.0, 4.0)
    np.testing.assert_allclose(big.mean(), x.mean(), atol=1e-6)


def test_split_concat_transpose_reshape_and_sigmoid() -> None:
    model = Model(1, 2, 3)
    model.const("order", np.array([0, 2, 1], np.int32))
    model.node("turned", "Transpose", "x", "order")
    model.const("sizes", np.array([1, 2], np.int32))
    model.const("axis", np.array(1, np.int32))
    model.node("parts", "SplitV", "turned", "sizes", "axis")
    model.node("swapped", "ConcatV2", "parts:1", "parts", "axis")
    model.node("soft", "Sigmoid", "swapped")
    model.const("one", np.array([1], np.int32))
    model.const("six", np.array([6], np.int32))
    model.const("zero", np.array(0, np.int32))
    model.node("flat", "ConcatV2", "one", "six", "zero")
    model.node("out", "Reshape", "soft", "flat")
    x = random(1, 2, 3)
    (found,) = run(model.convert(out=(1, 6)), x)
    turned = x.transpose(0, 2, 1)
    swapped = np.concatenate((turned[:, 1:], turned[:, :1]), axis=1)
    np.testing.assert_allclose(found[0], 1 / (1 + np.exp(-swapped.ravel())), atol=1e-6)


def test_an_empty_sparse_tensor_is_filled_with_its_default() -> None:
    model = Model(6)
    model.const("where", np.empty((0, 1), np.int32))
    model.const("length", np.array([2], np.int32))
    model.const("values", np.empty(0, np.int32))
    model.const("one", np.array(1, np.int32))
    model.node("ones", "SparseToDense", "where", "length", "values", "one")
    model.const("more", np.array([1, 2], np.int32))
    model.node("shape", "AddV2", "ones", "more")
    model.node("out", "Reshape", "x", "shape")
    x = random(6)
    (found,) = run(model.convert(out=(2, 3)), x)
    np.testing.assert_array_equal(found, x.reshape(2, 3))


def test_what_leads_to_no_wanted_output_is_left_out() -> None:
    model = Model(1, 2)
    model.node("odd", "NoSuchOperation", "x")
    model.node("out", "Sigmoid", "x")
    assert [node.op_type for node in model.convert(out=(1, 2)).graph.node] == [
        "Sigmoid",
        "Identity",
    ]


def test_an_unknown_operation_is_named() -> None:
    model = Model(1, 2)
    model.node("out", "FusedBatchNormV3", "x")
    with pytest.raises(NotConvertible, match="operation FusedBatchNormV3 of node out"):
        model.convert(out=(1, 2))


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"data_format": text("NCHW")}, "layout NCHW"),
        ({"padding": text("EXPLICIT")}, "padding 'EXPLICIT'"),
        ({"strides": integers(2, 1, 1, 1)}, "strides"),
    ],
    ids=["layout", "padding", "strides"],
)
def test_a_convolution_of_another_kind_is_refused(attributes: Json, says: str) -> None:
    model = Model(1, 6, 6, 3)
    model.const("w", random(2, 2, 3, 4))
    model.node("out", "Conv2D", "x", "w", **{**CONV, **attributes})
    with pytest.raises(NotConvertible, match=says):
        model.convert(out=(1, 3, 3, 4))


def test_a_parameter_that_is_computed_is_refused() -> None:
    model = Model(2)
    model.node("out", "Transpose", "x", "x")
    with pytest.raises(NotConvertible, match="computed while the network runs"):
        model.convert(out=(2,))


def test_a_cycle_is_refused() -> None:
    model = Model(2)
    model.node("a", "AddV2", "x", "b")
    model.node("b", "Identity", "a")
    with pytest.raises(NotConvertible, match="cycle"):
        model.convert(b=(2,))


def test_a_missing_node_is_named() -> None:
    model = Model(2)
    model.node("out", "Sigmoid", "ghost")
    with pytest.raises(NotConvertible, match="'ghost'"):
        model.convert(out=(2,))


def test_too_few_inputs_are_named() -> None:
    model = Model(2)
    model.node("out", "AddV2", "x")
    with pytest.raises(NotConvertible, match="AddV2 out has the wrong inputs"):
        model.convert(out=(2,))


@pytest.mark.parametrize("n_bytes", [-4, 4], ids=["short", "long"])
def test_weights_of_the_wrong_length_are_refused(n_bytes: int) -> None:
    model = Model(2)
    model.const("w", random(3))
    data = model.data[:n_bytes] if n_bytes < 0 else model.data + bytes(n_bytes)
    with pytest.raises(NotConvertible, match="weights"):
        read_graph(model.json(), data)


@given(st.binary(max_size=100))
def test_no_bytes_make_it_raise_anything_else(content: bytes) -> None:
    with pytest.raises(NotConvertible):
        read_graph(content, b"")


def a_network(*, is_turned: bool) -> Model:
    """Return convolutions with all that networks have between them."""
    model = Model(1, 8, 8, 3)
    unit = {**CONV, "strides": integers(1, 1, 1, 1)}
    first = model.const("first", random(3, 3, 3, 8))
    bias = model.const("bias", random(8))
    widths = model.const("widths", np.array([[0, 0], [1, 2], [0, 1], [0, 0]], np.int32))
    sizes = model.const("sizes", np.array([3, 5], np.int32))
    last = model.const("last", np.array(-1, np.int32))
    channels = model.const("channels", np.array(3, np.int32))
    second = model.const("second", random(3, 3, 8, 4))
    conv = model.node("conv", "Conv2D", "x", first, **unit)
    active = model.node("active", "LeakyRelu", model.node("sum", "AddV2", conv, bias))
    padded = model.node("padded", "Pad", active, widths)
    split = model.node("split", "SplitV", padded, sizes, last)
    joined = model.node("joined", "ConcatV2", f"{split}:1", f"{split}:0", channels)
    if is_turned:  # as networks that were another framework's before have it
        there = model.const("there", np.array([0, 3, 1, 2], np.int32))
        back = model.const("back", np.array([0, 2, 3, 1], np.int32))
        joined = model.node(
            "back_again", "Transpose", model.node("t", "Transpose", joined, there), back
        )
    twice = model.node("twice", "AddV2", joined, joined)
    end = model.node("end", "Conv2D", model.node("soft", "Sigmoid", twice), second, **unit)
    model.node("out", "Identity", end)
    return model


@pytest.mark.parametrize("is_turned", [False, True])
def test_pictures_are_turned_once_on_the_way_in_and_once_on_the_way_out(*, is_turned: bool) -> None:
    model = a_network(is_turned=is_turned).convert(out=(1, 7, 5, 4))
    operations = [node.op_type for node in model.graph.node]
    assert operations.count("Transpose") == 2
    assert operations[0] == "Transpose"


def test_what_lies_between_two_convolutions_computes_the_same_in_either_order() -> None:
    x = random(1, 8, 8, 3)
    (plain,) = run(a_network(is_turned=False).convert(out=(1, 7, 5, 4)), x)
    expected = by_hand(x)
    np.testing.assert_allclose(plain, expected, rtol=1e-4, atol=1e-4)


def a_framed_network(*, fill: float) -> Model:
    """Return a pooling and a convolution, each framed before it, the latter's channels split."""
    model = Model(1, 6, 6, 3)
    unit = {**CONV, "strides": integers(1, 1, 1, 1)}
    pool = {"ksize": integers(1, 2, 2, 1), "strides": integers(1, 1, 1, 1)}
    widths = model.const("widths", np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32))
    outside = model.const("outside", np.array(fill, np.float32))
    sizes = model.const("sizes", np.array([3, 5], np.int32))
    channels = model.const("channels", np.array(3, np.int32))
    weights, bias = model.const("weights", random(3, 3, 3, 8)), model.const("bias", random(8))
    same = model.const("same", np.eye(3, dtype=np.float32).reshape(1, 1, 3, 3))
    soft = model.node("soft", "LeakyRelu", model.node("x_again", "Conv2D", "x", same, **unit))
    framed = model.node("framed", "PadV2", soft, widths, outside)
    pooled = model.node("pooled", "MaxPool", framed, padding=text("VALID"), **pool)
    padded = model.node("padded", "Pad", pooled, widths)
    conv = model.node("conv", "Conv2D", padded, weights, **unit)
    total = model.node("total", "AddV2", conv, bias)
    split = model.node("split", "SplitV", total, sizes, channels)
    model.node("first", "Sigmoid", split)
    model.node("second", "Identity", f"{split}:1")
    return model


@pytest.mark.parametrize("fill", [-np.inf, 0.0])
def test_frame_bias_and_split_become_part_of_what_is_beside_them(fill: float) -> None:
    x = random(1, 6, 6, 3)
    model = a_framed_network(fill=fill).convert(first=(1, 7, 7, 3), second=(1, 7, 7, 5))
    soft = np.where(x > 0, x, np.float32(0.2) * x)
    framed = np.pad(soft, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(framed, (2, 2), axis=(1, 2))
    pooled = windows.max(axis=(4, 5))
    padded = np.pad(pooled, ((0, 0), (1, 1), (1, 1), (0, 0)))
    total = valid_convolution(padded, random(3, 3, 3, 8)) + random(8)
    first, second = run(model, x)
    np.testing.assert_allclose(first, 1.0 / (1.0 + np.exp(-total[..., :3])), atol=1e-5)
    np.testing.assert_allclose(second, total[..., 3:], atol=1e-4)
    operations = [node.op_type for node in model.graph.node]
    assert operations.count("Conv") == 3
    # Only what a maximum may not see can be outside of it.
    assert operations.count("Pad") == (0 if np.isinf(fill) else 1)
    assert not {"Split", "Add"} & set(operations)


def by_hand(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what `a_network` makes of x, channels last throughout."""
    summed = valid_convolution(x, random(3, 3, 3, 8)) + random(8)
    active = np.where(summed > 0, summed, np.float32(0.2) * summed)
    padded = np.pad(active, ((0, 0), (1, 2), (0, 1), (0, 0)))
    joined = np.concatenate([padded[..., 3:], padded[..., :3]], axis=3)
    soft = 1.0 / (1.0 + np.exp(-2.0 * joined))
    return valid_convolution(soft.astype(np.float32), random(3, 3, 8, 4))


def valid_convolution(x: NDArray[np.float32], kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the convolution (as networks mean it) without padding, stride 1."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
    result: NDArray[np.float32] = np.einsum("bhwcij,ijcd->bhwd", windows, kernel)
    return result

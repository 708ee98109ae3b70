"""A network sees of decoded planes what its manifest promises it, rounded or not."""

from typing import Any, Literal

import numpy as np
import openvino  # type: ignore[import-untyped]  # it ships no types
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from openvino import opset13 as ops

from processing.inference.input_spec import InputSpec
from processing.inference.picture_input import take_planes

HEIGHT, WIDTH = 34, 48
PLAIN = InputSpec(
    tensor="seen", width=WIDTH, height=HEIGHT, colour="bgr", mean=(0.0, 0.0, 0.0),
    scale=(1.0, 1.0, 1.0), resize="stretch",
)  # fmt: skip
USUAL = replace(PLAIN, mean=(103.5, 116.25, 123.0), scale=(57.0, 58.5, 60.0))
Limits = tuple[Any, Any]
ALIKE: Limits = np.float32(-2.0), np.float32(2.0)
BY_CHANNEL: Limits = (
    np.array([-1.5, -2.0, -1.0], np.float32).reshape(1, 3, 1, 1),
    np.array([2.0, 1.5, 1.0], np.float32).reshape(1, 3, 1, 1),
)
LEVELS = 256


def network(spec: InputSpec, limits: Limits | None) -> Any:
    """Return a network that gives back what it sees, quantised if there are limits."""
    seen = ops.parameter(list(spec.shape), openvino.Type.f32)
    seen.output(0).set_names({spec.tensor})
    values = seen
    if limits is not None:
        low, high = (ops.constant(limit) for limit in limits)
        values = ops.fake_quantize(values, low, high, low, high, LEVELS)
    given = ops.relu(ops.add(values, ops.constant(np.float32(100.0))))  # it only moves them
    return openvino.Model([ops.result(given)], [seen], "mirror")


def seen_by(spec: InputSpec, limits: Limits | None = None) -> NDArray[np.float32]:
    """Return what the network sees of a colourful picture, as (3, height, width)."""
    compiled = openvino.Core().compile_model(
        take_planes(network(spec, limits), spec), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    dice = np.random.default_rng(5)
    shapes = ((HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2), (HEIGHT // 2, WIDTH // 2))
    planes = [dice.integers(16, 236, (1, *shape, 1), dtype=np.uint8) for shape in shapes]
    (found,) = compiled(planes).values()
    values: NDArray[np.float32] = found[0] - np.float32(100.0)
    return values.transpose(2, 0, 1) if spec.is_channels_last else values


def expected(colours: NDArray[np.float32], limits: Limits | None) -> NDArray[np.float32]:
    mean, scale = (
        np.array(three, np.float32).reshape(3, 1, 1) for three in (USUAL.mean, USUAL.scale)
    )
    values: NDArray[np.float32] = (colours - mean) / scale
    if limits is None:
        return values
    low, high = (np.reshape(limit, (-1, 1, 1)) for limit in limits)
    step = (high - low) / (LEVELS - 1)
    rounded: NDArray[np.float32] = np.rint((np.clip(values, low, high) - low) / step) * step + low
    return rounded


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("limits", [None, ALIKE, BY_CHANNEL])
def test_it_sees_colours_less_the_mean_by_the_scale(
    layout: Literal["nchw", "nhwc"], limits: Limits | None
) -> None:
    if layout == "nhwc" and limits is BY_CHANNEL:
        limits = (limits[0].reshape(1, 1, 1, 3), limits[1].reshape(1, 1, 1, 3))
    found = seen_by(replace(USUAL, layout=layout), limits)
    colours = seen_by(PLAIN)
    assert colours.max() - colours.min() > 200.0
    # What lies between two steps may be rounded to either.
    tolerance = 1e-3 if limits is None else float(np.max(limits[1] - limits[0])) / (LEVELS - 1)
    np.testing.assert_allclose(found, expected(colours, limits), atol=1.01 * tolerance)
    assert np.abs(found - expected(colours, limits)).mean() < 0.05 * tolerance + 1e-4


def test_red_and_blue_change_places_where_asked() -> None:
    blue_first, red_first = (seen_by(replace(PLAIN, colour=each)) for each in ("bgr", "rgb"))
    assert np.array_equal(blue_first, red_first[::-1])
    assert not np.array_equal(blue_first, red_first)

"""Makes the INT8 form of a network: half the size, about twice the speed, for a point of accuracy.

Only programs that build bundles import this: NNCF is not installed where they are run.
"""

import contextlib
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import nncf
import numpy as np
import openvino  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray

from processing.inference.canvas import Canvas
from processing.inference.input_spec import InputSpec
from processing.vision.frame import Frame


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to quantise."""

    name: str
    left_alone: tuple[str, ...] = ()
    """OpenVINO's names of operations that stay as they are."""

    def __str__(self) -> str:
        return self.name


PLAIN: Final = Recipe("plain")


def quantize(
    source: Path,
    target: Path,
    *,
    spec: InputSpec,
    frames: Sequence[Frame],
    recipe: Recipe = PLAIN,
) -> None:
    """Write the network `source` as INT8 OpenVINO IR: `target` (.xml) and its .bin beside it.

    `frames` are typical pictures (50 to 300), from which the ranges of values are learnt. They are
    put before the network exactly as the engine does it. Whether the result is any good is for the
    caller to measure: some architectures lose all their accuracy.
    """
    canvas = Canvas(spec)
    pictures = nncf.Dataset(frames, lambda frame: _tensor(canvas, frame, spec))
    nncf.set_log_level(logging.ERROR)
    model = openvino.Core().read_model(str(source))
    with contextlib.redirect_stdout(io.StringIO()):  # its progress bars would garble the caller's
        small = nncf.quantize(
            model,
            pictures,
            # Asymmetric where the values are: a leaky activation has a long and a short side.
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(frames),
            ignored_scope=_scope(recipe),
        )
    openvino.save_model(small, str(target))


def _scope(recipe: Recipe) -> nncf.IgnoredScope | None:
    if not recipe.left_alone:
        return None
    # Not every network has every operation that a recipe leaves alone.
    return nncf.IgnoredScope(types=list(recipe.left_alone), validate=False)


def _tensor(canvas: Canvas, frame: Frame, spec: InputSpec) -> NDArray[np.float32]:
    """Return float32 of the spec's shape: what the compiled network computes from the planes."""
    canvas.draw(frame)
    packed = np.concatenate([canvas.y.reshape(-1), canvas.u.reshape(-1), canvas.v.reshape(-1)])
    to_colour = cv2.COLOR_YUV2BGR_I420 if spec.colour == "bgr" else cv2.COLOR_YUV2RGB_I420
    colours = cv2.cvtColor(packed.reshape(spec.height * 3 // 2, spec.width), to_colour)
    normalised = (colours - np.array(spec.mean)) / np.array(spec.scale)
    ordered = normalised if spec.is_channels_last else normalised.transpose(2, 0, 1)
    return np.ascontiguousarray(ordered[np.newaxis], np.float32)

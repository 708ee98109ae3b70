"""What every head gives the engine: a function from one picture's outputs to detections."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from processing.vision.detections import Detections


class Unfit(ValueError):
    """The network's outputs are not what the head in the manifest says; the text tells which."""


class Decoder(Protocol):
    """Decodes one network's outputs; prepared once, called for every picture, from any thread."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the output tensors, in the order in which they are passed."""

    def check(self, shapes: Mapping[str, tuple[int, ...]], /) -> None:
        """Raise `Unfit` unless the outputs (without the batch axis) have the shapes they must."""

    def __call__(self, outputs: Sequence[NDArray[np.float32]], /) -> Detections:
        """Return detections in pixels of the network's input, NMS done, not yet clipped.

        `outputs` are float32 without the batch axis and may be overwritten after the call.
        """

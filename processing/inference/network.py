"""A bundle's network, compiled by OpenVINO to take planes as the decoder of videos gives them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import openvino  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray
from openvino.preprocess import (  # type: ignore[import-untyped]  # as above
    ColorFormat,
    PrePostProcessor,
)

from processing.inference.bundle import Bundle
from processing.inference.canvas import Canvas
from processing.inference.input_spec import InputSpec
from processing.inference.manifest import Artifact

Mode: TypeAlias = Literal["throughput", "latency"]

_PLANES: Final = ("y", "u", "v")


class RuntimeRefused(Exception):
    """OpenVINO will not do it; the text is its reason, without where in its source it arose."""

    def __init__(self, error: Exception) -> None:
        lines = [line.strip() for line in str(error).splitlines()]
        reasons = [line for line in lines if line and not line.startswith("Exception from")]
        super().__init__(reasons[-1] if reasons else str(error))


@dataclass(frozen=True, slots=True)
class Compilation:
    """How to compile, apart from what."""

    device: str = "CPU"
    mode: Mode = "throughput"
    n_requests: int | None = None
    cache_dir: Path | None = None


class Network:
    """A compiled network whose inputs are the planes y, u, v (uint8, I420) at its own size."""

    def __init__(self, bundle: Bundle, artifact: Artifact, how: Compilation) -> None:
        """Compile, or load what `cache_dir` holds. Raise `RuntimeRefused`."""
        try:
            self._core = openvino.Core()
            if how.cache_dir is not None:
                self._core.set_property({"CACHE_DIR": str(how.cache_dir)})
            model = self._core.read_model(*(str(bundle.locate(file)) for file in artifact.files))
            model = _with_planes(model, bundle.manifest.input)
            self._compiled = self._core.compile_model(model, how.device, _properties(how))
        except RuntimeError as error:
            raise RuntimeRefused(error) from error
        self.device: Final = how.device
        self.n_requests: Final = how.n_requests or self._good_number(how.mode)

    @property
    def outputs(self) -> dict[str, tuple[int, ...]]:
        """The shape of every output by each of its names, without the batch axis."""
        return {
            name: tuple(int(side) for side in port.shape)[1:]
            for port in self._compiled.outputs
            for name in port.names
        }

    def request(self, canvas: Canvas, outputs: tuple[str, ...]) -> "Request":
        """Return a request bound to this canvas: it reads whatever is drawn there."""
        return Request(self._compiled, canvas, outputs)

    def _good_number(self, mode: Mode) -> int:
        """Return how many requests keep the device busy.

        One more than there are streams: while one is being prepared or decoded, none idles.
        """
        n_streams = int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        return n_streams + 1 if mode == "throughput" else n_streams


class Request:
    """One inference at a time, from the canvas it is bound to."""

    def __init__(
        self,
        compiled: Any,  # OpenVINO ships no types
        canvas: Canvas,
        outputs: tuple[str, ...],
    ) -> None:
        self._request = compiled.create_infer_request()
        self._outputs = outputs
        self._planes = [_tensor_shaped(getattr(canvas, plane)) for plane in _PLANES]
        for port, plane in zip(compiled.inputs, self._planes, strict=True):
            self._request.set_tensor(port, openvino.Tensor(plane, shared_memory=True))

    def run(self) -> list[NDArray[np.float32]]:
        """Return the outputs without the batch axis; the next run overwrites them.

        Other threads go on meanwhile. Raise `RuntimeRefused`.
        """
        try:
            self._request.start_async()
            self._request.wait()
            return [self._request.get_tensor(name).data[0] for name in self._outputs]
        except RuntimeError as error:
            raise RuntimeRefused(error) from error


def _properties(how: Compilation) -> dict[str, object]:
    return {
        "PERFORMANCE_HINT": how.mode.upper(),
        # Pinned, two processes with one thread each share one core while another idles.
        "ENABLE_CPU_PINNING": False,
    }


def _with_planes(model: Any, spec: InputSpec) -> Any:  # OpenVINO ships no types
    """Return the network with colours, mean and scale put before its input."""
    model.reshape({spec.tensor: list(spec.shape)})
    steps = PrePostProcessor(model)
    picture = steps.input(spec.tensor)
    picture.tensor().set_element_type(openvino.Type.u8).set_color_format(
        ColorFormat.I420_THREE_PLANES, list(_PLANES)
    )
    picture.preprocess().convert_color(
        ColorFormat.BGR if spec.colour == "bgr" else ColorFormat.RGB
    ).convert_element_type(openvino.Type.f32).mean(list(spec.mean)).scale(list(spec.scale))
    picture.model().set_layout(openvino.Layout("NHWC" if spec.is_channels_last else "NCHW"))
    for index in range(len(model.outputs)):
        steps.output(index).tensor().set_element_type(openvino.Type.f32)
    return steps.build()


def _tensor_shaped(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a view (1, height, width, 1) of the plane, not a copy."""
    return plane[np.newaxis, :, :, np.newaxis]

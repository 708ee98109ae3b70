"""A bundle's network, compiled by OpenVINO to take planes as the decoder of videos gives them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import openvino  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray

from processing.inference.bundle import Bundle
from processing.inference.canvas import Canvas
from processing.inference.embedding import OUTPUT as EMBEDDING
from processing.inference.embedding import add_embedding
from processing.inference.manifest import Artifact
from processing.inference.picture_input import PLANES, take_planes
from processing.inference.thresholds import Thresholds

Mode: TypeAlias = Literal["throughput", "latency"]

_SUPPRESSION: Final = "NonMaxSuppression"
_FIRST_LIMIT: Final = 2
"""Inputs of suppression: boxes, scores, how many of a class, overlap, score."""


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
        spec = bundle.manifest.input
        try:
            self._core = openvino.Core()
            # Mapped, the weights of a network that runs would change with its file.
            self._core.set_property({"ENABLE_MMAP": False})
            if how.cache_dir is not None:
                self._core.set_property({"CACHE_DIR": str(how.cache_dir)})
            model = self._core.read_model(*(str(bundle.locate(file)) for file in artifact.files))
            _set_thresholds(model, bundle.manifest.thresholds)
            model.reshape({spec.tensor: list(spec.shape)})
            add_embedding(model)
            model = take_planes(model, spec)
            self._compiled = self._core.compile_model(model, how.device, _properties(how))
        except RuntimeError as error:
            raise RuntimeRefused(error) from error
        self.device: Final = how.device
        self.n_requests: Final = how.n_requests or self._good_number(how.mode)

    @property
    def outputs(self) -> dict[str, tuple[int, ...]]:
        """The shape of every output by each of its names, without the batch axis.

        -1 for a side that is another for every picture.
        """
        return {name: _shape_of(port)[1:] for port in self._compiled.outputs for name in port.names}

    @property
    def has_embedding(self) -> bool:
        return EMBEDDING in self.outputs

    def request(self, canvas: Canvas, outputs: tuple[str, ...]) -> "Request":
        """Return a request bound to this canvas: it reads whatever is drawn there."""
        return Request(self._compiled, canvas, outputs)

    def _good_number(self, mode: Mode) -> int:
        """Return how many requests keep the device busy.

        Two more than there are streams: while some are being prepared or decoded, none idles.
        """
        n_streams = int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        return n_streams + 2 if mode == "throughput" else n_streams


class Request:
    """One inference at a time, from the canvas it is bound to."""

    def __init__(
        self,
        compiled: Any,  # OpenVINO ships no types
        canvas: Canvas,
        outputs: tuple[str, ...],
    ) -> None:
        self._request = compiled.create_infer_request()
        self._planes = [_tensor_shaped(getattr(canvas, plane)) for plane in PLANES]
        for port, plane in zip(compiled.inputs, self._planes, strict=True):
            self._request.set_tensor(port, openvino.Tensor(plane, shared_memory=True))
        self._found = [self._kept(compiled.output(name)) for name in outputs]
        """Each output, or where it is of another size for every picture, its port."""

    def run(self) -> list[NDArray[np.float32]]:
        """Return the outputs without the batch axis; the next run overwrites them.

        Other threads go on meanwhile. Raise `RuntimeRefused`.
        """
        try:
            self._request.start_async()
            self._request.wait()
        except RuntimeError as error:
            raise RuntimeRefused(error) from error
        return [
            found if isinstance(found, np.ndarray) else self._request.get_tensor(found).data[0]
            for found in self._found
        ]

    def embed(self) -> NDArray[np.float32]:
        """Return the averages (d,) of the embedding's map. Raise `RuntimeRefused`."""
        self.run()
        return np.array(self._request.get_tensor(EMBEDDING).data[0])

    def _kept(self, port: Any) -> Any:  # OpenVINO ships no types
        """Return where an output will always lie, without the batch axis; or the port itself."""
        if port.partial_shape.is_dynamic:
            return port
        found = np.empty(_shape_of(port), np.float32)
        self._request.set_tensor(port, openvino.Tensor(found, shared_memory=True))
        return found[0]


def _properties(how: Compilation) -> dict[str, object]:
    return {
        "PERFORMANCE_HINT": how.mode.upper(),
        # Pinned, two processes with one thread each share one core while another idles.
        "ENABLE_CPU_PINNING": False,
    }


def _set_thresholds(model: Any, thresholds: Thresholds) -> None:  # OpenVINO ships no types
    """Let the manifest's thresholds hold in a network that suppresses by itself."""
    limits = (
        np.array(thresholds.max_detections, np.int64),
        np.array(thresholds.nms_iou, np.float32),
        np.array(thresholds.score_floor, np.float32),
    )
    for node in model.get_ops():
        if node.get_type_name() == _SUPPRESSION:
            for number, limit in enumerate(limits, start=_FIRST_LIMIT):
                constant = openvino.op.Constant(limit)
                node.input(number).replace_source_output(constant.output(0))


def _shape_of(port: Any) -> tuple[int, ...]:  # OpenVINO ships no types
    """Return the sides, -1 for one that is not fixed."""
    return tuple(-1 if side.is_dynamic else int(side.get_length()) for side in port.partial_shape)


def _tensor_shaped(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a view (1, height, width, 1) of the plane, not a copy."""
    return plane[np.newaxis, :, :, np.newaxis]

"""Judges on ONNX Runtime: every bundle's source on a GPU, in real batches. Or on the CPU."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
import structlog
from numpy.typing import NDArray

from processing.inference.bundle import Bundle, BundleUnfit
from processing.inference.canvas import Canvas
from processing.inference.detector import InferenceFailed
from processing.inference.heads.decoder import Decoder, Unfit
from processing.inference.heads.suppressed import SuppressedHead
from processing.inference.manifest import Manifest
from processing.inference.placement import Placement
from processing.tier.judging.judges import Finding, OnJudged
from processing.tier.judging.onnx_network import (
    OnnxMeans,
    OnnxNetwork,
    OnnxRefused,
    Outputs,
    best_provider,
    require_provider,
)
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.vision.geometry import areas

log = structlog.get_logger()

_N_ON_GPU: Final = 2
"""Batches in flight: while the GPU judges one, the CPU draws the next."""
_COPIES: Final = 2
"""Of the weights: ONNX Runtime keeps some in the order that its kernels read as well."""
_LAYERS_AT_ONCE: Final = 8
"""How many times its own floats a picture takes while it is judged, about.

Measured on the CPU with NanoDet-g and PicoDet-S in batches of 16: 5 and 6.
"""
_RUNTIME_BYTES: Final = 64 * 1024 * 1024
"""What any network takes, however small."""


class OnnxJudge:
    """A `Judge`. It draws pictures to the network's size on threads of its own, and runs there."""

    def __init__(self, bundle: Bundle, means: OnnxMeans) -> None:
        """Load it, and try every size of a batch once. Raise `BundleUnfit`."""
        manifest = bundle.manifest
        try:
            self._decode: Final[Decoder] = manifest.head.decoder(
                manifest.input, n_labels=len(manifest.labels), thresholds=manifest.thresholds
            )
            self._network: Final = OnnxNetwork(bundle, means)
            self._decode.check(self._network.outputs)
        except (OnnxRefused, Unfit) as error:
            message = f"bundle {manifest.name} {manifest.version} cannot run on ONNX: {error}"
            raise BundleUnfit(message) from error
        self._manifest: Final = manifest
        self._rounds_up = means.provider != "cpu"
        self.max_batch: Final = self._network.max_batch
        self.n_parallel: Final = n_parallel(means)
        self.memory_bytes: Final = weigh(bundle, means)
        self._threads = ThreadPoolExecutor(self.n_parallel, thread_name_prefix="onnx")

    def submit(self, frames: Sequence[Frame], on_judged: OnJudged) -> None:
        """See `Judge`."""
        self._threads.submit(lambda: on_judged(self._find(frames)))

    def close(self) -> None:
        """See `Judge`."""
        self._threads.shutdown(wait=True)

    def _find(self, frames: Sequence[Frame]) -> list[Finding]:
        try:
            return self._judge(frames)
        except Exception as error:
            # A supervisor: whoever waits for these frames must hear of them, whatever happened.
            log.exception("onnx.judge_failed")
            return [InferenceFailed(f"the judge failed: {error}")] * len(frames)

    def _judge(self, frames: Sequence[Frame]) -> list[Finding]:
        spec = self._manifest.input
        pictures = np.zeros((self._size(len(frames)), spec.height, spec.width, 3), np.uint8)
        canvas = Canvas(spec)
        places = []
        for frame, picture in zip(frames, pictures, strict=False):
            places.append(canvas.draw(frame))
            _paint(canvas, picture, is_rgb=spec.colour == "rgb")
        try:
            outputs = self._network.run(pictures)
        except OnnxRefused as error:
            if len(frames) == 1:
                return [InferenceFailed(str(error))]
            # Whatever was wrong with one is not the others' fault.
            return [finding for frame in frames for finding in self._judge([frame])]
        return [self._read(outputs, number, place) for number, place in enumerate(places)]

    def _size(self, n_frames: int) -> int:
        """Return how large the batch is made: a GPU prepares itself anew for every other size."""
        if not self._rounds_up:
            return n_frames
        return min(1 << (n_frames - 1).bit_length(), self.max_batch)

    def _read(self, outputs: Outputs, number: int, place: Placement) -> Detections:
        found = self._decode(
            [_of_picture(self._manifest, outputs, name, number) for name in self._decode.outputs]
        )
        boxes = place.to_picture(found.xyxy)
        return replace(found, xyxy=boxes)[areas(boxes) > 0.0]


class OnnxOpener:
    """A `JudgeOpener` of ONNX Runtime's."""

    def __init__(self, means: OnnxMeans) -> None:
        """Raise `OnnxRefused` if the provider does not run here."""
        require_provider(means.provider, device_id=means.device_id)
        self._means: Final = means
        self.device: Final = f"ONNX Runtime on {means.provider.upper()}"

    def weigh(self, bundle: Bundle) -> int:
        """See `JudgeOpener`."""
        return weigh(bundle, self._means)

    def open(self, bundle: Bundle) -> OnnxJudge:
        """See `JudgeOpener`."""
        return OnnxJudge(bundle, self._means)


def usual_means() -> OnnxMeans:
    """Return what suits this machine: large batches on a GPU, single pictures a core without."""
    provider = best_provider()
    return OnnxMeans(provider=provider, max_batch=1 if provider == "cpu" else 32)


def n_parallel(means: OnnxMeans) -> int:
    """Return how many batches keep the device busy."""
    if means.provider != "cpu":
        return _N_ON_GPU
    return max(1, len(os.sched_getaffinity(0)) // means.n_threads) + 1


def weigh(bundle: Bundle, means: OnnxMeans) -> int:
    """Return about how many bytes a judge of it holds: the weights, and what batches take."""
    artifact = bundle.manifest.artifact("onnx")
    if artifact is None:
        return 0
    weights = _COPIES * sum(file.size for file in artifact.files)
    picture = 4 * int(np.prod(bundle.manifest.input.shape)) * _LAYERS_AT_ONCE
    return _RUNTIME_BYTES + weights + picture * means.max_batch * n_parallel(means)


def _paint(canvas: Canvas, picture: NDArray[np.uint8], *, is_rgb: bool) -> None:
    height, width = canvas.y.shape
    packed = np.concatenate([plane.reshape(-1) for plane in (canvas.y, canvas.u, canvas.v)])
    code = cv2.COLOR_YUV2RGB_I420 if is_rgb else cv2.COLOR_YUV2BGR_I420
    cv2.cvtColor(packed.reshape(height * 3 // 2, width), code, dst=picture)


def _of_picture(
    manifest: Manifest, outputs: Outputs, name: str, number: int
) -> NDArray[np.float32]:
    """Return one picture's share of an output, without the batch axis."""
    output = outputs[name]
    if isinstance(manifest.head, SuppressedHead) and name == manifest.head.kept:
        kept = output.reshape(-1, 3)  # of all pictures, each row with its picture's number
        return np.asarray(kept[kept[:, 0] == number], np.float32)
    return np.asarray(output[number], np.float32)

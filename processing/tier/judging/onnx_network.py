"""A bundle's ONNX network in ONNX Runtime: on NVIDIA's GPUs, or on the CPU. Its only importer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import cv2
import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]  # it ships no types
from google.protobuf.message import DecodeError, EncodeError
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnxruntime.capi import (  # type: ignore[import-untyped]  # as above
    onnxruntime_pybind11_state as states,
)

from processing.inference.bundle import Bundle, BundleUnfit
from processing.inference.input_spec import InputSpec
from processing.tier.judging.onnx_graph import PICTURES, free_batch, take_pictures

Provider: TypeAlias = Literal["tensorrt", "cuda", "cpu"]

PROVIDERS: Final[dict[Provider, str]] = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "cpu": "CPUExecutionProvider",
}

Outputs: TypeAlias = dict[str, NDArray[np.generic]]

_FAILURES: Final = (
    states.EPFail,
    states.EngineError,
    states.Fail,
    states.InvalidArgument,
    states.InvalidGraph,
    states.InvalidProtobuf,
    states.NotImplemented,
    states.RuntimeException,
    RuntimeError,
    ValueError,
)
"""ONNX Runtime's own have no common ancestor; those of GPUs that fail come as any of them."""
_QUIET: Final = 3
"""Errors only: it warns of every constant that a network does not use."""
_TRIAL_CELLS: Final = 8
_LIKE: Final = 0.01
"""Share of the largest number by which the same picture's may differ among batches: GPUs add up in
another order for another size. A picture judged for its neighbour is off by far more."""


class OnnxRefused(Exception):
    """ONNX Runtime will not do it; the text is its reason."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error).partition("\n")[0] or type(error).__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxMeans:
    """What to run networks with."""

    provider: Provider
    max_batch: int
    n_threads: int = 1
    """Of one run, on the CPU."""
    device_id: int = 0
    """Which GPU."""
    memory_bytes: int = 0
    """What CUDA's pool of one network may hold of a GPU's memory; 0: all that is free."""
    cache_dir: Path | None = None
    """Where TensorRT keeps the engines that it builds, which takes it minutes."""


class OnnxNetwork:
    """A network that takes pictures (n, height, width, 3) uint8. Runs from several threads."""

    def __init__(self, bundle: Bundle, means: OnnxMeans) -> None:
        """Load it, for as many pictures at once as are tried and found right.

        Raise `BundleUnfit`, or `OnnxRefused`.
        """
        manifest = bundle.manifest
        artifact = manifest.artifact("onnx")
        if artifact is None:
            raise BundleUnfit(f"bundle {manifest.name} has no artifact that ONNX Runtime reads")
        spec = manifest.input
        self.spec: Final = spec
        try:
            model = onnx.load(bundle.locate(artifact.files[0]))
            single = take_pictures(model, spec, manifest.thresholds)
            self._session = _open(single, means)
            self.outputs: Final = _shapes(self._session)
            self.max_batch: Final = self._take_many(single, spec, means)
        except (*_FAILURES, DecodeError, EncodeError, onnx.shape_inference.InferenceError) as error:
            raise OnnxRefused(error) from error

    def run(self, pictures: NDArray[np.uint8]) -> Outputs:
        """Return every output, by name. Raise `OnnxRefused`."""
        try:
            return _run(self._session, pictures)
        except _FAILURES as error:
            raise OnnxRefused(error) from error

    def _take_many(self, single: onnx.ModelProto, spec: InputSpec, means: OnnxMeans) -> int:
        """Set the batch free if that gives the same answers; return how many it takes at once."""
        if means.max_batch == 1:
            return 1
        try:
            session = _open(free_batch(single), means)
            found = _run(session, _trial(spec))
        except (*_FAILURES, onnx.shape_inference.InferenceError):
            return 1  # as it was exported, and as it stays
        for number, picture in enumerate(_trial(spec)):
            alone = _run(self._session, picture[np.newaxis])
            if not all(_is_like(found[name], alone[name], number) for name in alone):
                return 1
        self._session = session
        return means.max_batch


def require_provider(provider: Provider, *, device_id: int = 0) -> None:
    """Raise `OnnxRefused` unless this provider runs here: it may be listed and lack its libraries.

    Left to itself, ONNX Runtime then runs everything on the CPU and says so in its log only.
    """
    port = ([1], TensorProto.FLOAT)
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "a"], ["b"])],
        "trial",
        [helper.make_tensor_value_info("a", port[1], port[0])],
        [helper.make_tensor_value_info("b", port[1], port[0])],
    )
    trial = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    try:
        _open(trial, OnnxMeans(provider=provider, max_batch=1, device_id=device_id))
    except _FAILURES as error:
        raise OnnxRefused(error) from error


def best_provider() -> Provider:
    """Return CUDA where it runs, else the CPU.

    TensorRT is for those who ask for it: it builds an engine for minutes before the first picture.
    """
    try:
        require_provider("cuda")
    except OnnxRefused:
        return "cpu"
    return "cuda"


def _open(model: onnx.ModelProto, means: OnnxMeans) -> Any:  # ONNX Runtime ships no types
    wanted = PROVIDERS[means.provider]
    if wanted not in onnxruntime.get_available_providers():
        raise ValueError(f"this ONNX Runtime has no {wanted}")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _QUIET
    options.intra_op_num_threads = means.n_threads
    options.inter_op_num_threads = 1
    # Threads that spin while they wait take cores from decoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=_providers(means)
    )
    if session.get_providers()[0] != wanted:
        raise ValueError(f"{wanted} does not start here; its libraries or its device are missing")
    return session


def _providers(means: OnnxMeans) -> list[tuple[str, dict[str, str]]]:
    """Return providers in the order in which they are offered each node, with their options."""
    cpu: tuple[str, dict[str, str]] = (PROVIDERS["cpu"], {})
    if means.provider == "cpu":
        return [cpu]
    device = {"device_id": str(means.device_id)}
    # Else it tries every way to convolve for every size of a batch, and grows by doubling.
    thrift = {"cudnn_conv_algo_search": "HEURISTIC", "arena_extend_strategy": "kSameAsRequested"}
    limit = {"gpu_mem_limit": str(means.memory_bytes)} if means.memory_bytes else {}
    cuda = (PROVIDERS["cuda"], {**device, **thrift, **limit})
    if means.provider == "cuda":
        return [cuda, cpu]
    cache: dict[str, str] = {}
    if means.cache_dir is not None:
        cache = {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(means.cache_dir),
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": str(means.cache_dir),
        }
    return [(PROVIDERS["tensorrt"], {**device, **cache}), cuda, cpu]


def _run(session: Any, pictures: NDArray[np.uint8]) -> Outputs:  # ONNX Runtime ships no types
    names = [port.name for port in session.get_outputs()]
    return dict(zip(names, session.run(names, {PICTURES: pictures}), strict=True))


def _shapes(session: Any) -> dict[str, tuple[int, ...]]:  # as above
    """Return the shape of every output without the batch axis; -1 for a side that is not fixed."""
    return {
        port.name: tuple(side if isinstance(side, int) else -1 for side in port.shape[1:])
        for port in session.get_outputs()
    }


def _trial(spec: InputSpec) -> NDArray[np.uint8]:
    """Return three pictures that no network takes for each other: coarse noise, the same always."""
    shape = (3, _TRIAL_CELLS, _TRIAL_CELLS, 3)
    coarse = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    size = (spec.width, spec.height)
    fine = [cv2.resize(each, size, interpolation=cv2.INTER_NEAREST) for each in coarse]
    return np.stack(fine).astype(np.uint8, copy=False)


def _is_like(of_many: NDArray[np.generic], alone: NDArray[np.generic], number: int) -> bool:
    """Return whether a picture's output among others is as it was alone.

    What suppression kept says itself of which picture it is, and is not compared: it holds the
    places of what else is.
    """
    if not np.issubdtype(alone.dtype, np.floating):
        return True
    if of_many.shape[1:] != alone.shape[1:] or len(of_many) <= number:
        return False
    most = float(np.abs(alone).max(initial=0.0))
    return bool(np.abs(of_many[number] - alone[0]).max(initial=0.0) <= _LIKE * most)

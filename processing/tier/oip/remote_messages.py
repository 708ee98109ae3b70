"""What we ask of other servers of the protocol, and how we read their answers."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from processing.tier.contract import Inquiry, Pixels
from processing.tier.oip.tensors import (
    BYTES,
    BadTensor,
    Tensor,
    flat,
    from_raw,
    from_values,
    n_elements,
    to_raw,
)
from processing.wire.limits import MAX_DETECTIONS

HEADER_LENGTH: Final = "Inference-Header-Content-Length"
_US_IN_MS: Final = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a server calls its tensors."""

    image: str = "image"
    """BYTES [n]: encoded pictures."""
    pixels: str = "pixels"
    """UINT8 [n, h, w, 3]: RGB."""
    boxes: str = "boxes"
    """FP32 [n, k, 4]."""
    scores: str = "scores"
    """FP32 [n, k]."""
    labels_out: str = "labels"
    """[n, k], of any type of number."""
    n_found: str = "n_found"
    """[n], how many of k there are; empty: rows whose score is 0 are none."""
    are_shares: bool = True
    """Whether boxes are shares of width and height, and not pixels."""
    labels: tuple[str, ...] = ()
    """What numbers of labels mean, where the server does not say."""


@dataclass(frozen=True, slots=True, eq=False)
class RemoteAnswer:
    """What a server found in one picture."""

    version: str
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int32]


class _Output(msgspec.Struct):
    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, Any] = {}
    data: Any = None


class _Answer(msgspec.Struct):
    outputs: list[_Output]
    model_version: str = ""


def write_remote_request(inquiry: Inquiry, names: Names) -> tuple[bytes, int]:
    """Return the body, and how long its JSON is."""
    tensor = _input(inquiry.picture, names)
    raw = to_raw(tensor)
    outputs = [names.boxes, names.scores, names.labels_out]
    if names.n_found:
        outputs.append(names.n_found)
    parameters: dict[str, object] = {
        "binary_data_output": True,
        "timeout": int(inquiry.budget_ms * _US_IN_MS),
    }
    if inquiry.urgency == "batch":
        parameters["priority"] = 1
    if inquiry.sticky:
        parameters["sticky"] = inquiry.sticky
    header = msgspec.json.encode(
        {
            "parameters": parameters,
            "inputs": [
                {
                    "name": tensor.name,
                    "datatype": tensor.datatype,
                    "shape": tensor.shape,
                    "parameters": {"binary_data_size": len(raw)},
                }
            ],
            "outputs": [{"name": name, "parameters": {"binary_data": True}} for name in outputs],
        }
    )
    return header + raw, len(header)


def read_remote_answer(body: bytes, said_header: str | None, names: Names) -> RemoteAnswer:
    """Return what was found; raise `BadTensor` if the answer holds something else."""
    n_header = len(body)
    if said_header is not None:
        n_header = int(said_header) if said_header.isascii() and said_header.isdigit() else -1
        if not 0 <= n_header <= len(body):
            raise BadTensor(f"{HEADER_LENGTH} is no length of the answer")
    try:
        answer = msgspec.json.decode(memoryview(body)[:n_header], type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadTensor(str(error)) from error
    arrays = _arrays(answer.outputs, memoryview(body)[n_header:])
    return _one(arrays, names, answer.model_version)


def _input(picture: bytes | Pixels, names: Names) -> Tensor:
    if isinstance(picture, bytes):
        return Tensor(names.image, BYTES, (1,), [picture])
    pixels = picture.rgb[None]
    return Tensor(names.pixels, "UINT8", pixels.shape, pixels)


def _arrays(outputs: list[_Output], raw: memoryview) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    at = 0
    for output in outputs:
        size = output.parameters.get("binary_data_size")
        if size is None:
            most = n_elements(output.name, output.datatype, output.shape)
            data = flat(output.name, output.data, most)
            tensor = from_values(output.name, output.datatype, output.shape, data)
        else:
            if not isinstance(size, int) or not 0 <= size <= len(raw) - at:
                raise BadTensor(f"tensor {output.name!r}: binary_data_size is not what came")
            tensor = from_raw(output.name, output.datatype, output.shape, raw[at : at + size])
            at += size
        if not isinstance(tensor.values, list):
            arrays[output.name] = tensor.values
    return arrays


def _one(arrays: dict[str, NDArray[Any]], names: Names, version: str) -> RemoteAnswer:
    try:
        boxes = arrays[names.boxes][0].astype(np.float32).reshape(-1, 4)
        scores = arrays[names.scores][0].astype(np.float32).reshape(-1)
        labels = arrays[names.labels_out][0].astype(np.int32).reshape(-1)
        n = int(arrays[names.n_found].ravel()[0]) if names.n_found else int((scores > 0).sum())
    except (KeyError, IndexError, ValueError) as error:
        raise BadTensor(f"its tensors are not boxes, scores and labels: {error}") from error
    if not len(boxes) == len(scores) == len(labels) or not 0 <= n <= len(boxes):
        raise BadTensor("its tensors are of different lengths")
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all() and (labels >= 0).all()):
        raise BadTensor("its tensors hold what is no box")
    order = np.argsort(-scores[:n], kind="stable")[: min(n, MAX_DETECTIONS)]
    return RemoteAnswer(version, boxes[order], scores[order], labels[order])

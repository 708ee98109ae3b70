"""What a detection model takes and gives as tensors.

In: `image` BYTES [n], JPEGs or PNGs as they are (in JSON: base64); or `pixels` UINT8 [n, h, w, 3],
RGB. With either, `min_score` FP32 [1] leaves out what is less certain. Out, for n pictures and at
most k things in one of them (k >= 1): `n_found` INT32 [n], `boxes` FP32 [n, k, 4] (x0, y0, x1, y1
as shares of width and height), `scores` FP32 [n, k], `labels` INT32 [n, k]; what is past `n_found`
is 0.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from processing.tier.contract import Answer, Pixels
from processing.tier.oip.tensors import BYTES, BadTensor, Tensor
from processing.wire import limits
from processing.wire.tier import MAX_PICTURE_BYTES

MAX_PICTURES: Final = 64
"""Of one request."""
MAX_REQUEST_BYTES: Final = 32 * 1024 * 1024
MAX_SIDE: Final = 16384
_CHANNELS: Final = 3


class Slot(NamedTuple):
    """An input or an output, as metadata has it."""

    name: str
    datatype: str
    shape: tuple[int, ...]


INPUTS: Final = (
    Slot("image", BYTES, (-1,)),
    Slot("pixels", "UINT8", (-1, -1, -1, 3)),
    Slot("min_score", "FP32", (1,)),
)
OUTPUTS: Final = (
    Slot("n_found", "INT32", (-1,)),
    Slot("boxes", "FP32", (-1, -1, 4)),
    Slot("scores", "FP32", (-1, -1)),
    Slot("labels", "INT32", (-1, -1)),
)
OUTPUT_NAMES: Final = tuple(slot.name for slot in OUTPUTS)
_SLOTS: Final = {slot.name: slot for slot in INPUTS}


@dataclass(frozen=True, slots=True)
class Question:
    """What the tensors of a request ask."""

    pictures: tuple[bytes | Pixels, ...]
    min_score: float


def read_inputs(tensors: Sequence[Tensor], *, is_text: bool) -> Question:
    """Return what is asked; raise `BadTensor`. In text, pictures are base64."""
    given: dict[str, Tensor] = {}
    for tensor in tensors:
        _check(tensor)
        if tensor.name in given:
            raise BadTensor(f"tensor {tensor.name!r}: it comes twice")
        given[tensor.name] = tensor
    if ("image" in given) == ("pixels" in given):
        raise BadTensor("send either `image` or `pixels`")
    pictures = _pixels(given["pixels"]) if "pixels" in given else _images(given["image"], is_text)
    return Question(pictures, _min_score(given.get("min_score")))


def write_outputs(
    answers: Sequence[Answer], min_score: float, names: Sequence[str] = ()
) -> list[Tensor]:
    """Return what was found, as the outputs of these names; all where none is named."""
    kept = [_best(answer, min_score) for answer in answers]
    n, k = len(kept), max(1, *(len(each) for each in kept))
    boxes = np.zeros((n, k, 4), np.float32)
    scores = np.zeros((n, k), np.float32)
    labels = np.zeros((n, k), np.int32)
    for row, (answer, order) in enumerate(zip(answers, kept, strict=True)):
        size = np.array((answer.width, answer.height) * 2, np.float32)
        boxes[row, : len(order)] = np.clip(answer.found.xyxy[order] / size, 0.0, 1.0)
        scores[row, : len(order)] = answer.found.scores[order]
        labels[row, : len(order)] = answer.found.labels[order]
    arrays = {
        "n_found": np.array([len(each) for each in kept], np.int32),
        "boxes": boxes,
        "scores": scores,
        "labels": labels,
    }
    return [
        Tensor(slot.name, slot.datatype, arrays[slot.name].shape, arrays[slot.name])
        for slot in OUTPUTS
        if not names or slot.name in names
    ]


def check_output_names(names: Sequence[str]) -> None:
    """Raise `BadTensor` for an output that there is not."""
    for name in names:
        if name not in OUTPUT_NAMES:
            raise BadTensor(
                f"there is no output {name[:100]!r}; there are {', '.join(OUTPUT_NAMES)}"
            )
    if len(set(names)) != len(names):
        raise BadTensor("an output is asked for twice")


def _best(answer: Answer, min_score: float) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    order = np.argsort(-answer.found.scores, kind="stable")[: limits.MAX_DETECTIONS]
    return order[answer.found.scores[order] >= min_score]


def _check(tensor: Tensor) -> None:
    slot = _SLOTS.get(tensor.name)
    if slot is None:
        raise BadTensor(f"there is no input {tensor.name[:100]!r}; there are {', '.join(_SLOTS)}")
    if tensor.datatype != slot.datatype:
        raise BadTensor(f"input {slot.name!r} is {slot.datatype}, not {tensor.datatype}")
    fits = len(tensor.shape) == len(slot.shape) and all(
        wanted in (-1, size) for size, wanted in zip(tensor.shape, slot.shape, strict=True)
    )
    if not fits:
        raise BadTensor(
            f"input {slot.name!r} has shape {list(slot.shape)}, not {list(tensor.shape)}"
        )


def _images(tensor: Tensor, is_text: bool) -> tuple[bytes, ...]:  # noqa: FBT001  # passed on
    assert isinstance(tensor.values, list)
    _check_number(len(tensor.values))
    images = [_from_text(each) for each in tensor.values] if is_text else tensor.values
    for image in images:
        if not image:
            raise BadTensor("input 'image' holds an empty picture")
        if len(image) > MAX_PICTURE_BYTES:
            raise BadTensor(f"input 'image': a picture has at most {MAX_PICTURE_BYTES} bytes")
    return tuple(images)


def _check_number(n_pictures: int) -> None:
    if not 1 <= n_pictures <= MAX_PICTURES:
        raise BadTensor(f"send 1 to {MAX_PICTURES} pictures at once")


def _from_text(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadTensor("input 'image': in JSON, pictures are base64") from error


def _pixels(tensor: Tensor) -> tuple[Pixels, ...]:
    assert not isinstance(tensor.values, list)
    n, height, width, _ = tensor.shape
    _check_number(n)  # before there is an object for each
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
        raise BadTensor(f"input 'pixels': a picture is 1 to {MAX_SIDE} wide and high")
    return tuple(Pixels(picture) for picture in tensor.values)


def _min_score(tensor: Tensor | None) -> float:
    if tensor is None:
        return 0.0
    assert not isinstance(tensor.values, list)
    least = float(tensor.values[0])
    if not 0.0 <= least <= 1.0:
        raise BadTensor("input 'min_score' is a number from 0 to 1")
    return least

"""Tensors of the Open Inference Protocol, in its three forms: bytes, JSON, and values.

Layouts: "Tensor Data" and "Binary Tensor Data Extension" of the protocol's specification.
https://github.com/kserve/open-inference-protocol
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

BYTES: Final = "BYTES"
MAX_DIMENSIONS: Final = 8
MAX_ELEMENTS: Final = 64 * 1024 * 1024
MAX_STRINGS: Final = 4096
"""Elements of a tensor of BYTES: each is an object, however short."""
_AT_ONCE: Final = 64 * 1024
"""So many values are read in one go, which other threads wait for."""
_LENGTH: Final = struct.Struct("<I")

DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
"""Besides BYTES, whose elements are of any length."""
_KINDS: Final[dict[str, set[type]]] = {
    name: {bool} if name == "BOOL" else {int, float} if name.startswith("FP") else {int}
    for name in DTYPES
}
"""How JSON writes them: true is no number, and 0.5 no whole one."""

Values: TypeAlias = NDArray[Any] | list[bytes]


class BadTensor(Exception):
    """A tensor is not as the protocol, or the model, has it; the text names it."""


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A named array."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: Values
    """Of BYTES a list in row-major order, else an array of this shape."""


def n_elements(name: str, datatype: str, shape: Sequence[int]) -> int:
    """Return how many elements a tensor has; raise `BadTensor` where it cannot be one."""
    if datatype != BYTES and datatype not in DTYPES:
        raise BadTensor(f"tensor {name!r}: there is no datatype {datatype!r}")
    if len(shape) > MAX_DIMENSIONS:
        raise BadTensor(f"tensor {name!r}: at most {MAX_DIMENSIONS} dimensions")
    if any(size < 0 for size in shape):
        raise BadTensor(f"tensor {name!r}: a shape holds no negative numbers")
    # An empty array may still have a size that no array of numpy's has.
    if math.prod(max(1, size) for size in shape) > MAX_ELEMENTS:
        raise BadTensor(f"tensor {name!r}: at most {MAX_ELEMENTS} elements")
    if datatype == BYTES and math.prod(shape) > MAX_STRINGS:
        raise BadTensor(f"tensor {name!r}: at most {MAX_STRINGS} elements of BYTES")
    return math.prod(shape)


def from_raw(name: str, datatype: str, shape: Sequence[int], raw: memoryview | bytes) -> Tensor:
    """Return a tensor from its little-endian bytes; raise `BadTensor`."""
    n = n_elements(name, datatype, shape)
    if datatype == BYTES:
        return Tensor(name, datatype, tuple(shape), _unchained(name, n, raw))
    dtype = DTYPES[datatype]
    if len(raw) != n * dtype.itemsize:
        raise BadTensor(
            f"tensor {name!r}: {len(raw)} bytes; shape {list(shape)} of {datatype} "
            f"takes {n * dtype.itemsize}"
        )
    if datatype == "BOOL":
        values = np.frombuffer(raw, np.uint8).astype(np.bool_)
    else:
        values = np.frombuffer(raw, dtype)
    return Tensor(name, datatype, tuple(shape), values.reshape(shape))


def from_values(name: str, datatype: str, shape: Sequence[int], data: Sequence[Any]) -> Tensor:
    """Return a tensor from values in row-major order; raise `BadTensor`."""
    n = n_elements(name, datatype, shape)
    if len(data) != n:
        raise BadTensor(f"tensor {name!r}: {len(data)} values; shape {list(shape)} takes {n}")
    if datatype == BYTES:
        return Tensor(name, datatype, tuple(shape), [_as_bytes(name, each) for each in data])
    values = np.empty(n, DTYPES[datatype])
    for at in range(0, n, _AT_ONCE):
        part = data[at : at + _AT_ONCE]
        if not set(map(type, part)) <= _KINDS[datatype]:
            raise BadTensor(f"tensor {name!r}: its values are not {datatype}")
        try:
            values[at : at + _AT_ONCE] = np.array(part, DTYPES[datatype])
        except (OverflowError, ValueError, TypeError) as error:
            raise BadTensor(f"tensor {name!r}: its values are not {datatype}") from error
    return Tensor(name, datatype, tuple(shape), values.reshape(shape))


def flat(name: str, data: object, most: int) -> list[Any]:
    """Return the values of nested lists in row-major order; raise `BadTensor`."""
    if not isinstance(data, list):
        raise BadTensor(f"tensor {name!r}: its data is a list")
    values = data
    for _ in range(MAX_DIMENSIONS):
        if not any(isinstance(each, list) for each in values):
            return values
        if not all(isinstance(each, list) for each in values):
            raise BadTensor(f"tensor {name!r}: its lists are not equally deep")
        if sum(map(len, values)) > most:
            raise BadTensor(f"tensor {name!r}: more values than its shape takes")
        values = [each for part in values for each in part]
    raise BadTensor(f"tensor {name!r}: at most {MAX_DIMENSIONS} dimensions")


def to_raw(tensor: Tensor) -> bytes:
    """Return the tensor's little-endian bytes."""
    if isinstance(tensor.values, list):
        return b"".join(part for each in tensor.values for part in (_LENGTH.pack(len(each)), each))
    return np.ascontiguousarray(tensor.values, DTYPES[tensor.datatype]).tobytes()


def to_values(tensor: Tensor) -> list[Any]:
    """Return the tensor's values in row-major order; BYTES as text."""
    if isinstance(tensor.values, list):
        return [each.decode(errors="replace") for each in tensor.values]
    values: list[Any] = tensor.values.ravel().tolist()
    return values


def _unchained(name: str, n: int, raw: memoryview | bytes) -> list[bytes]:
    """Return `n` byte strings, each of which comes after its length."""
    found: list[bytes] = []
    at, end = 0, len(raw)
    if n * _LENGTH.size > end:
        raise BadTensor(f"tensor {name!r}: {end} bytes do not hold {n} elements")
    for _ in range(n):
        if end - at < _LENGTH.size:
            raise BadTensor(f"tensor {name!r}: its elements are cut short")
        (length,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size
        if end - at < length:
            raise BadTensor(f"tensor {name!r}: its elements are cut short")
        found.append(bytes(raw[at : at + length]))
        at += length
    if at != end:
        raise BadTensor(f"tensor {name!r}: {end - at} bytes too many")
    return found


def _as_bytes(name: str, value: object) -> bytes:
    match value:
        case bytes():
            return value
        case str():
            return value.encode(errors="surrogatepass")
        case _:
            raise BadTensor(f"tensor {name!r}: elements of BYTES are strings")

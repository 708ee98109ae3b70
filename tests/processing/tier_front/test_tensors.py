"""Tensors in all their forms are read as they were written, and nothing else is."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from processing.tier.oip.signature import read_inputs
from processing.tier.oip.tensors import (
    BYTES,
    DTYPES,
    MAX_ELEMENTS,
    BadTensor,
    Tensor,
    flat,
    from_raw,
    from_values,
    n_elements,
    to_raw,
    to_values,
)

SHAPES = npst.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4)


@given(data=st.data(), datatype=st.sampled_from(sorted(DTYPES)), shape=SHAPES)
def test_numbers_come_back_from_bytes_and_from_values(
    data: st.DataObject, datatype: str, shape: tuple[int, ...]
) -> None:
    values = data.draw(
        npst.arrays(
            DTYPES[datatype],
            shape,
            elements={"allow_nan": False} if datatype.startswith("FP") else None,
        )
    )
    tensor = Tensor("x", datatype, shape, values)
    for again in (
        from_raw("x", datatype, shape, to_raw(tensor)),
        from_values("x", datatype, shape, to_values(tensor)),
    ):
        assert again.shape == shape
        assert np.array_equal(np.asarray(again.values), values)


@given(values=st.lists(st.binary(max_size=20), max_size=8))
def test_bytes_come_back_from_bytes(values: list[bytes]) -> None:
    tensor = Tensor("x", BYTES, (len(values),), values)
    assert from_raw("x", BYTES, [len(values)], to_raw(tensor)).values == values


@given(
    raw=st.binary(max_size=64),
    datatype=st.sampled_from([*DTYPES, BYTES, "FP8"]),
    shape=st.lists(st.integers(-1, 2**40), max_size=9),
)
def test_any_bytes_are_read_or_refused(raw: bytes, datatype: str, shape: list[int]) -> None:
    try:
        tensor = from_raw("x", datatype, shape, raw)
    except BadTensor:
        return
    assert len(to_raw(tensor)) == len(raw)


@pytest.mark.parametrize("shape", [[2**62, 2**62], [MAX_ELEMENTS + 1], [-1], [1] * 9])
def test_shapes_that_no_tensor_has(shape: list[int]) -> None:
    with pytest.raises(BadTensor):
        n_elements("x", "UINT8", shape)


@pytest.mark.parametrize(
    ("datatype", "data"),
    [
        ("UINT8", [256]),
        ("UINT8", [-1]),
        ("UINT8", [0.5]),
        ("UINT8", [True]),
        ("UINT8", ["1"]),
        ("INT64", [2**63]),
        ("BOOL", [1]),
        ("FP32", ["nan"]),
        ("FP32", [None]),
        ("FP32", [10**400]),
        (BYTES, [1]),
        ("FP32", [1.0, 2.0]),
        ("FP32", []),
    ],
)
def test_values_of_another_kind_are_refused(datatype: str, data: list[Any]) -> None:
    with pytest.raises(BadTensor):
        from_values("x", datatype, [1], data)


def test_nested_lists_are_read_in_row_major_order() -> None:
    assert flat("x", [[1, 2], [3, 4]], 4) == [1, 2, 3, 4]
    assert flat("x", [1, 2], 2) == [1, 2]


@pytest.mark.parametrize(
    "data", [None, "ab", 1, [[1], 2], [[1, 2], [3]] * 4, [[[[[[[[[[1]]]]]]]]]]]
)
def test_what_is_no_list_of_values_is_refused(data: object) -> None:
    with pytest.raises(BadTensor):
        flat("x", data, 4)


def test_many_values_are_read_as_few_are() -> None:
    data = [number % 251 for number in range(150_000)]
    tensor = from_values("x", "UINT8", [3, 50_000], data)
    assert np.asarray(tensor.values).ravel().tolist() == data
    with pytest.raises(BadTensor, match="not UINT8"):
        from_values("x", "UINT8", [150_000], [*data[:-1], 256])


def test_a_million_small_things_are_refused_before_there_is_an_object_for_each() -> None:
    strings = (5_000_000).to_bytes(4, "little") * 5_000_000
    pixels = Tensor("pixels", "UINT8", (5_000_000, 1, 1, 3), np.zeros((5_000_000, 1, 1, 3), "u1"))
    tracemalloc.start()
    with pytest.raises(BadTensor, match="elements of BYTES"):
        from_raw("x", BYTES, [5_000_000], strings)
    with pytest.raises(BadTensor, match="pictures at once"):
        read_inputs([pixels], is_text=False)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < 1024 * 1024

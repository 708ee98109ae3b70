"""The files of a batch's shards: read as they were written, and nothing else is read."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.wire.batch import (
    MAX_SHARD_PICTURES,
    BadShard,
    BatchItem,
    PictureOutcome,
    ShardItems,
    ShardOutcomes,
    decode_items,
    decode_outcomes,
    encode_shard,
)

names = st.text(min_size=1, max_size=40)
items = st.builds(BatchItem, names, names, st.integers(0, 2**40))
outcomes = st.builds(
    PictureOutcome,
    st.integers(0, 65_535),
    st.integers(0, 65_535),
    st.binary(max_size=64),
    st.text(max_size=40),
)


@given(st.lists(items, max_size=20))
def test_items_come_back_as_they_were(written: list[BatchItem]) -> None:
    assert decode_items(encode_shard(ShardItems(tuple(written)))) == tuple(written)


@given(st.lists(outcomes, max_size=20))
def test_outcomes_come_back_as_they_were(written: list[PictureOutcome]) -> None:
    shard = ShardOutcomes(b"0123456789abcdef", tuple(written))
    assert decode_outcomes(encode_shard(shard)) == shard


@given(st.binary(max_size=200))
def test_other_bytes_are_refused_or_read_but_stop_nothing(content: bytes) -> None:
    for decode in (decode_items, decode_outcomes):
        with suppress(BadShard):
            decode(content)


def test_a_shard_has_no_more_pictures_than_one_may() -> None:
    many = tuple(BatchItem("a", "b", 1) for _ in range(MAX_SHARD_PICTURES + 1))
    with pytest.raises(BadShard):
        decode_items(encode_shard(ShardItems(many)))

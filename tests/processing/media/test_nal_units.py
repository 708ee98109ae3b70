"""Units with lengths and units with start codes say the same; damage is noticed."""

from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.media.nal_units import (
    BadUnits,
    length_size,
    parameter_sets,
    sets_within,
    to_annex_b,
)
from tests.processing.media.numbered import write_numbered


@pytest.mark.parametrize(("codec", "encoder"), [("h264", "libx264"), ("hevc", "libx265")])
def test_the_record_of_an_mp4_holds_the_sets_that_a_transport_stream_has_inside(
    tmp_path: Path, codec: str, encoder: str
) -> None:
    if encoder not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {encoder}")
    found = {}
    for suffix in ("mp4", "ts"):
        path = write_numbered(tmp_path / f"a.{suffix}", 3, codec=encoder)
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            extradata = bytes(stream.codec_context.extradata or b"")
            first = next(container.demux(stream))
            size = length_size(codec, extradata)
            data = to_annex_b(bytes(first), length_size=size) if size else bytes(first)
            found[suffix] = parameter_sets(codec, extradata)
            assert bool(size) == (suffix == "mp4")
            if not size:
                assert sets_within(codec, data) == found[suffix]
    assert found["mp4"] == found["ts"]
    assert found["mp4"].startswith(b"\0\0\0\1")


def test_units_keep_their_bytes() -> None:
    data = b"\0\0\0\3\x65ab" + b"\0\0\0\1\x09"
    assert to_annex_b(data, length_size=4) == b"\0\0\0\1\x65ab\0\0\0\1\x09"


def test_sets_after_the_first_slice_do_not_count() -> None:
    sps, pps, slice_, late = b"\x67a", b"\x68b", b"\x65c", b"\x68d"
    unit = b"\0\0\1".join([b"", sps, pps, slice_, late])
    assert sets_within("h264", unit) == b"\0\0\0\1" + sps + b"\0\0\0\1" + pps


def test_other_codecs_have_no_sets() -> None:
    assert parameter_sets("mjpeg", b"\1abc") == b""
    assert length_size("mpeg4", b"\1abcdefg") == 0


@given(codec=st.sampled_from(["h264", "hevc"]), extradata=st.binary(max_size=60))
def test_damaged_parameters_are_refused_in_one_way_only(codec: str, extradata: bytes) -> None:
    for work in (length_size, parameter_sets):
        try:
            work(codec, b"\1" + extradata)
        except BadUnits:
            continue


@given(data=st.binary(max_size=200), size=st.integers(1, 4))
def test_damaged_packets_are_refused_in_one_way_only(data: bytes, size: int) -> None:
    try:
        converted = to_annex_b(data, length_size=size)
    except BadUnits:
        return
    assert not converted or converted.startswith(b"\0\0\0\1")

"""A tap sees a stream's packets before they are decoded, and whether it is decoded or not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from processing.media.decode import Decoder, NotAVideo, video_file
from tests.processing.media.videos import pictures, write_video

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream


class Recorder:
    """A `PacketTap` that keeps everything."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.packets: list[bytes] = []
        self.instants: list[datetime] = []

    def begin(self, stream: "VideoStream") -> None:
        self.calls.append(f"begin {stream.codec_context.name}")

    def take(self, packet: "Packet[VideoStream]", at: datetime) -> None:
        self.packets.append(bytes(packet))
        self.instants.append(at)

    def end(self) -> None:
        self.calls.append("end")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_video(tmp_path / "a.mp4", pictures(12))


def test_it_works(film: Path) -> None:
    recorder = Recorder()
    began = datetime(2026, 11, 22, tzinfo=UTC)
    n_seen = []
    with Decoder(
        video_file(film), tap=recorder, stamp=lambda at_s: began + timedelta(seconds=at_s)
    ) as decoder:
        for _ in decoder:
            n_seen.append(len(recorder.packets))  # noqa: PERF401 - while it goes on
    assert recorder.calls == ["begin mpeg4", "end"]
    assert n_seen[0] >= 1  # a packet is seen before its picture
    assert all(packet for packet in recorder.packets)
    steps = [(at - began).total_seconds() for at in recorder.instants]
    assert steps == pytest.approx([n / 10 for n in range(12)])


def test_packets_pass_without_being_decoded(film: Path) -> None:
    decoded, passed = Recorder(), Recorder()
    with Decoder(video_file(film), tap=decoded) as decoder:
        list(decoder)
    with Decoder(video_file(film), tap=passed) as decoder:
        times = list(decoder.pass_packets())
    assert times == pytest.approx([n / 10 for n in range(12)])
    assert passed.packets == decoded.packets
    assert passed.instants == decoded.instants
    assert passed.calls == decoded.calls


def test_the_end_is_told_to_the_tap_however_it_comes(film: Path) -> None:
    left, broken = Recorder(), Recorder()
    with Decoder(video_file(film), tap=left) as decoder:
        shown = iter(decoder)
        next(shown)
        del shown
    assert left.calls == ["begin mpeg4", "end"]
    content = film.read_bytes()
    start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    film.write_bytes(content[:start] + bytes(end - start) + content[end:])
    with Decoder(video_file(film), tap=broken) as decoder, pytest.raises(NotAVideo):
        list(decoder)
    assert broken.calls == ["begin mpeg4", "end"]

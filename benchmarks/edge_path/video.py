"""A 720p H.264 video of a real street, made once from the sample video."""

from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.video.stream import VideoStream

from deploy.cache import cache_dir
from deploy.sample_video import sample_video_path

WIDTH: Final = 1280
HEIGHT: Final = 720
_KEY_FRAME_EVERY: Final = 30
_BITS_PER_S: Final = 2_500_000


def street_720p() -> Path:
    """Return the video, scaled up from the sample video as IP cameras encode theirs."""
    path = cache_dir() / "benchmarks" / "street-720p.mp4"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.mp4")
        _scale_up(sample_video_path(), part)
        part.rename(path)
    return path


def _scale_up(source: Path, target: Path) -> None:
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        pictures = reader.streams.video[0]
        rate = pictures.average_rate or Fraction(25)
        written = writer.add_stream("libx264", rate=rate)
        assert isinstance(written, VideoStream)
        written.width, written.height, written.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        written.bit_rate, written.gop_size = _BITS_PER_S, _KEY_FRAME_EVERY
        written.options = {"profile": "main", "bf": "0", "preset": "fast"}
        for index, frame in enumerate(reader.decode(pictures)):
            scaled = frame.reformat(WIDTH, HEIGHT, "yuv420p")
            scaled.pts, scaled.time_base = index, 1 / rate
            writer.mux(written.encode(scaled))
        writer.mux(written.encode())

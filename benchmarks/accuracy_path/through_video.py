"""The same accuracy once more, of pictures that come as a camera's do: as H.264.

FFmpeg turns each into limited range BT.601 and encodes it with almost no loss; the agent's own
decoder gives the planes back. What differs from the way of a JPEG is the path, not the picture.

One encoding is one draw: random steps of -1, 0 or 1 in luma alone, of the same pictures without any
video, move the mAP of 128 pictures by up to 0.4 points (measured with the default bundle). So what
a video costs is told as the mean over several encodings, with the lowest and the highest.
"""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from processing.evaluation.accuracy import Accuracy, measure_accuracy
from processing.exchange.coco import CocoDataset, truth_by_image
from processing.inference.detector import Detector
from processing.media.colour import Bgr
from processing.media.decode import Decoder, video_file
from processing.media.jpeg import decode_jpeg
from processing.vision.frame import Frame

QUANTIZERS: Final = (3, 4, 5, 6, 7, 8)
"""Of x264's 0 (lossless, in a profile of its own) to 51: nearly lossless. Below 3 all are alike."""
_NO_INSTANT: Final = datetime.fromtimestamp(0, UTC)


def measure_through_video(
    detector: Detector,
    dataset: CocoDataset,
    *,
    labels: tuple[str, ...],
    images: Path,
    on_progress: Callable[[int], None] | None = None,
    quantizer: int = QUANTIZERS[0],
) -> Accuracy:
    """Return the accuracy on the JPEGs in `images`, each as the only picture of a video.

    They must be as annotated (`measure_on_coco` looks). `on_progress` is told how many are done.
    Raise `OSError`, `BadPicture`, `SourceLost`, `NotCoco` or `InferenceFailed`.
    """
    truths = truth_by_image(dataset, labels)
    pairs = []
    with tempfile.TemporaryDirectory() as scratch:
        video = Path(scratch) / "picture.mp4"
        for n_done, image in enumerate(dataset.images, start=1):
            bgr = decode_jpeg((images / image.file_name).read_bytes())
            write_video(as_filmed(bgr), video, quantizer=quantizer)
            pairs.append((truths[image.id], detector.detect(read_video(video))))
            if on_progress is not None:
                on_progress(n_done)
    return measure_accuracy(pairs)


def as_filmed(bgr: Bgr) -> VideoFrame:
    """Return the picture in I420, limited range BT.601, converted by FFmpeg and not by us.

    H.264 has even sides only: an odd one gets its last column or row twice, as from a camera that
    films a little more.
    """
    height, width = bgr.shape[:2]
    even = cv2.copyMakeBorder(bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return VideoFrame.from_ndarray(np.asarray(even, np.uint8), format="bgr24").reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.MPEG
    )


def write_video(picture: VideoFrame, path: Path, *, quantizer: int) -> None:
    """Write a video of this one picture, which is I420 of an even size."""
    with av.open(str(path), "w") as writer:
        stream = writer.add_stream("libx264", rate=Fraction(1))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
        stream.options = {"qp": str(quantizer), "preset": "veryfast"}
        picture.pts, picture.time_base = 0, Fraction(1)
        writer.mux(stream.encode(picture))
        writer.mux(stream.encode())


def read_video(path: Path) -> Frame:
    """Return the first picture of a video, as the agent gets it."""
    with Decoder(video_file(path)) as decoder:
        return Frame.of(next(iter(decoder)).planes, captured_at=_NO_INSTANT)

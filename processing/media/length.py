"""How long a video is, as its file says."""

import av
from av.error import FFmpegError

from processing.media.decode import Source


def seconds_of(source: Source) -> float | None:
    """Return the length in seconds; None if the file does not say, or cannot be read."""
    try:
        with av.open(source.url, "r", format=source.format, options=source.options) as container:
            return container.duration / av.time_base if container.duration else None
    except FFmpegError:
        return None

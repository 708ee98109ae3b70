"""The peer itself: the ByteTrack of `trackers`, run by a Python that has it.

`python library_tracker.py IN OUT SETTINGS`, where IN holds clips as `library.py` writes them and
SETTINGS is one of its names. Nothing of ours is imported here: that Python has none of it.
"""

import os
import sys
import time
import warnings
from typing import Any

# Its matrices are small: threads for them only get in each other's way, and cost it time.
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # noqa: TID251 - numpy reads it as it is imported
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402 - after what it reads
import supervision as sv  # type: ignore[import-not-found]  # noqa: E402 - in the peer's Python only
from trackers import ByteTrackTracker  # type: ignore[import-not-found]  # noqa: E402 - same

FLOOR = 0.1
"""A detection of less is nothing: to ByteTrack, and to ours."""


def new_tracker(settings: str, fps: float) -> Any:
    """Return a tracker as the library has it, or with our thresholds and memory."""
    if settings == "as_it_comes":
        return ByteTrackTracker(frame_rate=fps)
    return ByteTrackTracker(
        frame_rate=fps,
        track_activation_threshold=0.4,
        high_conf_det_threshold=0.4,
        lost_track_buffer=60,  # of 30 a second
    )


def main(source: str, target: str, settings: str) -> None:
    """Track every clip of `source`; write numbers, boxes and times to `target`."""
    results: dict[str, Any] = {}
    with np.load(source, allow_pickle=False) as clips:
        for n in range(int(clips["n"])):
            fps, n_frames = float(clips[f"{n}_fps"]), int(clips[f"{n}_n_frames"])
            frames, boxes, scores = (clips[f"{n}_{part}"] for part in ("frames", "boxes", "scores"))
            tracker = new_tracker(settings, fps)
            times, found, numbers, places = [], [], [], []
            for frame in range(n_frames):
                here = (frames == frame) & (scores >= FLOOR)
                seen = sv.Detections(
                    xyxy=boxes[here].astype(float),
                    confidence=scores[here],
                    class_id=np.zeros(int(here.sum()), int),
                )
                begun = time.perf_counter()
                told = tracker.update(seen)
                times.append(time.perf_counter() - begun)
                has_number = told.tracker_id != -1
                found.append(told.xyxy[has_number])
                numbers.append(told.tracker_id[has_number])
                places.append(np.full(int(has_number.sum()), frame))
            results[f"{n}_ms"] = np.array(1000.0 * np.array(times))
            results[f"{n}_boxes"] = np.concatenate(found).astype(np.float32)
            results[f"{n}_numbers"] = np.concatenate(numbers).astype(np.int64)
            results[f"{n}_frames"] = np.concatenate(places)
    np.savez(target, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])

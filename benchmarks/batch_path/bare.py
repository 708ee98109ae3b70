"""The ceiling: decode and judge in bare threads, nothing kept."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from processing.inference.bundle import Bundle
from processing.inference.engine import Engine
from processing.media.colour import frame_from_bgr


def judge_bare(bundle: Bundle, folder: Path) -> None:
    """Judge every picture of a folder with one engine, opened for it."""
    engine = Engine.open(bundle)
    at = datetime.fromtimestamp(0, UTC)

    def judge(path: Path) -> int:
        bgr = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        assert bgr is not None
        return len(engine.detect(frame_from_bgr(np.asarray(bgr, np.uint8), captured_at=at)))

    with ThreadPoolExecutor((os.cpu_count() or 2) + 1) as threads:
        list(threads.map(judge, sorted(folder.iterdir())))
    engine.close()

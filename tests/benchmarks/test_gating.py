"""`python -m benchmarks gating` saves inferences of a still picture, and loses no track by it."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import main
from tests.processing.media.videos import write_video
from tests.processing.tiny_bundle import make_tiny_bundle, picture


def test_it_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A square is there all the time, and is tracked."""
    still = picture(("green", 3, 3))
    shown = [np.kron(still, np.ones((4, 4, 1), np.uint8))] * 60
    video = write_video(tmp_path / "still.mp4", shown, fps=10)
    bundle = make_tiny_bundle(tmp_path / "tiny")
    arguments = ["--json", "--video", str(video), "--bundle", str(bundle), "--fps", "10"]
    assert main(["gating", *arguments]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["figures"]["saved_ratio"] > 0.3
    assert report["figures"]["tracks_found_ratio"] == 1.0
    assert report["notes"][0].startswith("10 fps")


def test_a_video_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = tmp_path / "none.mp4"
    video.write_bytes(b"")
    bundle = make_tiny_bundle(tmp_path / "tiny")
    assert main(["gating", "--video", str(video), "--bundle", str(bundle)]) == 1
    assert "none.mp4" in capsys.readouterr().err

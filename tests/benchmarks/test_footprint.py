"""The footprint's agent is a real one, and one that does not run is not measured."""

import sys
from pathlib import Path

import pytest

from benchmarks.footprint_path.resident import resident_mb
from benchmarks.harness.benchmark import CannotMeasure
from tests.processing.media.videos import pictures, write_video
from tests.processing.tiny_bundle import make_tiny_bundle


def test_it_works(tmp_path: Path) -> None:
    video = write_video(tmp_path / "yard.mp4", pictures(20))
    bundle = make_tiny_bundle(tmp_path / "tiny")
    taken_mb = resident_mb(
        Path(sys.executable), bundle=bundle, video=video, n_cameras=1, warm_up_s=2.0, seconds=1.0
    )
    assert 50.0 < taken_mb < 1000.0


def test_an_agent_that_does_not_run_is_not_measured(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 3\n")
    python.chmod(0o755)
    with pytest.raises(CannotMeasure, match="status 3"):
        resident_mb(
            python, bundle=tmp_path, video=tmp_path, n_cameras=0, warm_up_s=0.5, seconds=1.0
        )

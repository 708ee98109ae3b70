"""`python -m benchmarks gpu` measures batches beside the bare session, on whatever runs here."""

import json
from pathlib import Path

import cv2
import pytest

from benchmarks.__main__ import main
from tests.processing.tiny_bundle import make_tiny_bundle, picture


def test_it_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = make_tiny_bundle(tmp_path / "tiny")
    cv2.imwrite(str(tmp_path / "a.jpg"), picture(("green", 3, 3)))
    options = ["--bundle", str(bundle), "--images", str(tmp_path), "--provider", "cpu"]
    assert main(["gpu", "--quick", "--json", *options]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])["figures"]
    for size in (1, 2, 4):
        ratio = figures[f"judge_{size}_per_s"] / figures[f"session_{size}_per_s"]
        assert figures[f"over_session_{size}_ratio"] == pytest.approx(ratio, rel=0.05)


def test_a_provider_that_does_not_run_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gpu", "--quick", "--provider", "tensorrt"]) == 1
    assert "TensorrtExecutionProvider" in capsys.readouterr().err

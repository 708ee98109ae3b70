"""`python -m benchmarks accuracy` measures what agents run, and says what it lacks."""

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from processing.media.colour import frame_from_bgr
from processing.media.jpeg import encode_jpeg
from tests.processing.tiny_bundle import AT, LABELS, make_tiny_bundle, picture


@pytest.fixture
def coco(tmp_path: Path) -> list[str]:
    """Options that name one picture with one green square."""
    frame = frame_from_bgr(picture(("green", 3, 3)), captured_at=AT)
    (tmp_path / "a.jpg").write_bytes(encode_jpeg(frame, quality=95))
    box = [19.5, 19.5, 16, 16]
    dataset = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 64}],
        "categories": [{"id": 1 + index, "name": name} for index, name in enumerate(LABELS)],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 2, "bbox": box}],
    }
    (tmp_path / "a.json").write_text(json.dumps(dataset))
    bundle = make_tiny_bundle(tmp_path / "tiny")
    return [
        "--bundle", str(bundle), "--images", str(tmp_path), "--annotations",
        str(tmp_path / "a.json"),
    ]  # fmt: skip


def test_it_works(coco: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accuracy", "--json", *coco]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])["figures"]
    assert figures["n_images"] == 1
    assert figures["map_50"] == 100.0
    assert figures["map_50_95_video_path"] > 0.0


def test_without_pictures_it_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accuracy", "--json", "--quick"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["figures"] == {}
    assert "--images DIR --annotations FILE" in report["notes"][0]


def test_a_broken_bundle_is_named(
    coco: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny" / "network.onnx").write_bytes(b"")
    assert main(["accuracy", *coco]) == 1
    assert "network.onnx has 0 bytes" in capsys.readouterr().err

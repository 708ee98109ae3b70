"""`python -m benchmarks cascade` measures both networks alone and together."""

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from processing.media.colour import frame_from_bgr
from processing.media.jpeg import encode_jpeg
from tests.processing.tiny_bundle import AT, LABELS, make_tiny_bundle, picture


def test_a_network_gains_nothing_from_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = frame_from_bgr(picture(("green", 3, 3)), captured_at=AT)
    (tmp_path / "a.jpg").write_bytes(encode_jpeg(frame, quality=95))
    box = [19.5, 19.5, 16, 16]
    dataset = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 64}],
        "categories": [{"id": 1 + index, "name": name} for index, name in enumerate(LABELS)],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 2, "bbox": box}],
    }
    (tmp_path / "a.json").write_text(json.dumps(dataset))
    bundle = str(make_tiny_bundle(tmp_path / "tiny"))
    options = ["--edge", bundle, "--cloud", bundle, "--images", str(tmp_path)]
    annotations = ["--annotations", str(tmp_path / "a.json")]
    assert main(["cascade", "--quick", "--json", *options, *annotations]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])["figures"]
    assert figures["edge_map_50_95"] == figures["cloud_map_50_95"] > 0.0
    assert figures["cloud_asked_share"] == 1.0
    assert figures["cloud_extra_kb"] > 0.0
    assert figures["crops_20_70_asked_share"] == 0.0  # it is sure of what it sees
    assert figures["crops_20_70_map_50_95"] == figures["edge_map_50_95"]


def test_without_pictures_it_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cascade", "--json"]) == 0
    assert "--cloud BUNDLE" in json.loads(capsys.readouterr().out.splitlines()[-1])["notes"][0]

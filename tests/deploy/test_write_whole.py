"""A file is there whole or not at all."""

from pathlib import Path

import pytest

from deploy.files import is_file_with, sha256_of, write_whole


def test_it_works(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.bin"
    write_whole(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert is_file_with(path, sha256_of(path))
    assert not is_file_with(path, "0" * 64)
    assert not is_file_with(tmp_path / "nothing", "0" * 64)


def test_it_takes_the_place_of_an_old_one(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"old")
    write_whole(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"new"


def test_nothing_is_left_of_a_write_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_whole(tmp_path / "a", b"half")
    assert not list(tmp_path.iterdir())

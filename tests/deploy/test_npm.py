"""npm is called where it is found, and what it says is passed on when it fails."""

import shutil
import stat
from pathlib import Path

import pytest

from deploy.npm import NpmFailed, run_npm


@pytest.fixture
def only_our_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a script that is the only npm there is."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder / "npm"


def write_script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_it_works(only_our_npm: Path, tmp_path: Path) -> None:
    write_script(only_our_npm, 'echo "$@"; pwd')
    assert run_npm("pack", "left-pad", cwd=tmp_path) == f"pack left-pad\n{tmp_path}\n"


def test_a_failure_says_what_npm_said(only_our_npm: Path, tmp_path: Path) -> None:
    write_script(only_our_npm, "echo 'E404 no such package' >&2; exit 1")
    with pytest.raises(NpmFailed, match="npm pack failed:\nE404 no such package"):
        run_npm("pack", cwd=tmp_path)


def test_a_stall_is_ended(only_our_npm: Path, tmp_path: Path) -> None:
    write_script(only_our_npm, "exec /bin/sleep 60")
    with pytest.raises(NpmFailed, match="longer than"):
        run_npm("pack", cwd=tmp_path, timeout_s=0.2)


def test_without_a_system_npm_the_one_from_the_wheel_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    version = run_npm("--version", cwd=tmp_path)
    assert version.strip().split(".")[0].isdigit()

"""Third-party files of pages: copied out of what npm installed, once."""

from pathlib import Path

import pytest

from deploy import browser_files
from deploy.npm import NpmFailed


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with lock file and installed packages of its own."""
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_text("{}")
    for files in browser_files.FILES.values():
        for source in files.values():
            path = tmp_path / "node_modules" / source
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
    vendor = tmp_path / "static" / "vendor"
    monkeypatch.setattr(browser_files, "ROOT", tmp_path)
    monkeypatch.setattr(browser_files, "VENDOR", vendor)
    monkeypatch.setattr(browser_files, "STAMP", vendor / ".stamp")
    return tmp_path


def test_it_works_and_does_nothing_the_second_time(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(browser_files, "run_npm", lambda *arguments, cwd: calls.append(arguments))
    assert browser_files.main() == 0
    assert browser_files.main() == 0
    assert len(calls) == 1
    assert "--ignore-scripts" in calls[0]
    vendor = checkout / "static" / "vendor"
    assert (vendor / "htmx" / "htmx.min.js").read_text() == "htmx.org/dist/htmx.min.js"
    assert (vendor / "uplot" / "LICENSE").exists()


def test_a_missing_file_or_another_lock_fetches_anew(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(browser_files, "run_npm", lambda *arguments, cwd: calls.append(arguments))
    browser_files.main()
    (checkout / "static" / "vendor" / "htmx" / "htmx.min.js").unlink()
    browser_files.main()
    (checkout / "package-lock.json").write_text('{"other": 1}')
    browser_files.main()
    assert len(calls) == 3


def test_npm_that_fails_is_told_and_leaves_no_stamp(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: str, cwd: Path) -> str:
        raise NpmFailed("the registry does not answer")

    monkeypatch.setattr(browser_files, "run_npm", fail)
    assert browser_files.main() == 1
    assert "the registry does not answer" in capsys.readouterr().err
    assert not (checkout / "static" / "vendor" / ".stamp").exists()

"""The cache lies where the user's system says."""

from pathlib import Path

import pytest

from deploy.cache import cache_dir


@pytest.mark.parametrize("value", ["", "relative/path", None])
def test_it_lies_in_the_home_by_default(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/alice")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if value is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert cache_dir() == Path("/home/alice/.cache/farwatch")


def test_it_lies_where_xdg_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert cache_dir() == Path("/var/cache/farwatch")

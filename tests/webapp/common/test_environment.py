"""What the hub reads from its environment."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from webapp.env import Env, UnsafeSettings, kept_secret


def test_hosts_are_named_with_commas_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARWATCH_ALLOWED_HOSTS", "hub.example.org, 192.0.2.7")
    assert Env().allowed_hosts == ["hub.example.org", "192.0.2.7"]


def test_a_redis_is_named_by_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARWATCH_REDIS_URL", "rediss://cache.example.org/0")
    assert Env().redis_url == "rediss://cache.example.org/0"
    monkeypatch.setenv("FARWATCH_REDIS_URL", "cache.example.org")
    with pytest.raises(ValidationError, match="redis_url"):
        Env()


def test_a_value_of_the_wrong_kind_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARWATCH_HTTPS", "perhaps")
    with pytest.raises(ValidationError, match="https"):
        Env()


def test_all_who_ask_for_a_secret_at_once_get_the_same(tmp_path: Path) -> None:
    path = tmp_path / "data" / "tier_token"
    together = threading.Barrier(8)

    def read(_: int) -> str:
        together.wait()
        return kept_secret(path)

    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(read, range(8)))
    assert found == {path.read_text()}
    assert [each.name for each in path.parent.iterdir()] == ["tier_token"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_was_emptied_is_none(tmp_path: Path) -> None:
    path = tmp_path / "tier_token"
    path.touch()
    with pytest.raises(UnsafeSettings, match="tier_token is empty"):
        kept_secret(path)

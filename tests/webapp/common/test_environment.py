"""What the hub reads from its environment."""

import pytest
from pydantic import ValidationError

from webapp.env import Env


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

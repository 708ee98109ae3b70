"""A hub that faces the internet does not start with a key that can be guessed."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from webapp.env import BASE_DIR


def check(tmp_path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env=os.environ | {"FARWATCH_DATA_DIR": str(tmp_path)} | settings,
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_works(tmp_path: Path) -> None:
    done = check(tmp_path, FARWATCH_HTTPS="true", FARWATCH_SECRET_KEY=secrets.token_urlsafe(64))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "key", ["", "secret", "x" * 64, "django-insecure-" + "abcdefghijklmnopqrstuvwxyz" * 2]
)
def test_a_missing_or_weak_key_is_refused_in_words(tmp_path: Path, key: str) -> None:
    done = check(tmp_path, FARWATCH_HTTPS="true", FARWATCH_SECRET_KEY=key)
    assert done.returncode != 0
    assert "FARWATCH_SECRET_KEY must be set" in done.stderr


def test_a_development_hub_makes_and_keeps_its_own(tmp_path: Path) -> None:
    keys: set[str] = set()
    for _ in range(2):
        subprocess.run(
            [sys.executable, "manage.py", "check"],
            env=os.environ | {"FARWATCH_DATA_DIR": str(tmp_path / "hub")},
            cwd=BASE_DIR,
            timeout=60,
            check=True,
        )
        keys.add((tmp_path / "hub" / "secret_key").read_text())
    assert len(keys) == 1
    assert len(keys.pop()) >= 64
    assert ((tmp_path / "hub" / "secret_key").stat().st_mode & 0o777) == 0o600

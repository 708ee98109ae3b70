"""A hub in the middle of its labelers' work is brought up to date, and the work goes on."""

import json
import os
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from tests.needed import need_postgres


def upgraded(tmp_path: Path, database_url: str) -> dict[str, Any]:
    run = subprocess.run(
        [sys.executable, "-m", "tests.webapp.review.upgrade"],
        env={
            **os.environ, "DATABASE_URL": database_url, "FARWATCH_DATA_DIR": str(tmp_path),
            "FARWATCH_LOG_LEVEL": "ERROR",
        },
        stdout=subprocess.PIPE, timeout=300, check=True,
    )  # fmt: skip
    said: dict[str, Any] = json.loads(run.stdout)
    return said


def check(said: dict[str, Any]) -> None:
    # number, state, labelers asked for, decided, revision, sent back
    assert said["items"] == [
        [1, "open", 1, 0, 0, False],
        [2, "open", 1, 0, 0, False],
        [3, "open", 1, 0, 0, False],
        [4, "done", 1, 1, 1, False],
        [5, "ambiguous", 1, 1, 1, False],
    ]
    assert said["verdicts"] == [
        [2, "passed", "", None, None],
        [3, "corrected", "taken_back", "bob", None],
        [4, "accepted", "", None, None],
        [5, "ambiguous", "", None, None],
    ]
    assert said["leases"] == [[3, "bob"]]
    assert said["gold_share"] == 0.0  # a queue of before asks nothing else of its labelers now
    assert said["bob_decided"] == 1
    assert said["reopened"] == ["open", 0]
    assert said["claimed"] == 1


def test_on_sqlite_the_work_goes_on(tmp_path: Path) -> None:
    check(upgraded(tmp_path, f"sqlite:///{tmp_path / 'hub.sqlite3'}"))


def test_on_postgresql_the_work_goes_on(tmp_path: Path) -> None:
    url, database = need_postgres(), f"farwatch_{uuid.uuid4().hex[:12]}"
    with closing(psycopg.connect(url, autocommit=True)) as server:
        server.execute(f"CREATE DATABASE {database}".encode())
        try:
            said = upgraded(tmp_path, f"{url.rsplit('/', 1)[0]}/{database}")
        finally:
            server.execute(f"DROP DATABASE {database} WITH (FORCE)".encode())
    check(said)

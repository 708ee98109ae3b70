"""A hub that has results already is brought up to date, and has them still."""

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
        [sys.executable, "-m", "tests.webapp.results.upgrade"],
        env={
            **os.environ, "DATABASE_URL": database_url, "FARWATCH_DATA_DIR": str(tmp_path),
            "FARWATCH_LOG_LEVEL": "ERROR",
        },
        stdout=subprocess.PIPE, timeout=300, check=True,
    )  # fmt: skip
    said: dict[str, Any] = json.loads(run.stdout)
    return said


def check(said: dict[str, Any]) -> None:
    assert len(said["before"]) == 3
    assert said["after"] == said["before"]
    assert said["next_id"] > int(said["after"][-1][0])
    assert "results_result" in said["tables"]
    assert "results_result_before" not in said["tables"]
    # The newest hour is the worker's to add up anew.
    assert said["hours"] == [
        ["2026-10-31 22:00:00+00:00", 1], ["2026-10-31 23:00:00+00:00", 2],
        ["2026-11-01 00:00:00+00:00", 3],
    ]  # fmt: skip
    assert said["counted_days"] == [
        ["2026-10-31 00:00:00+00:00", 3], ["2026-11-01 00:00:00+00:00", 3],
    ]  # fmt: skip
    assert said["is_folded"]


def test_on_sqlite_nothing_is_lost(tmp_path: Path) -> None:
    check(upgraded(tmp_path, f"sqlite:///{tmp_path / 'hub.sqlite3'}"))


def test_on_postgresql_each_day_has_a_partition(tmp_path: Path) -> None:
    url, database = need_postgres(), f"farwatch_{uuid.uuid4().hex[:12]}"
    with closing(psycopg.connect(url, autocommit=True)) as server:
        server.execute(f"CREATE DATABASE {database}".encode())
        try:
            said = upgraded(tmp_path, f"{url.rsplit('/', 1)[0]}/{database}")
        finally:
            server.execute(f"DROP DATABASE {database} WITH (FORCE)".encode())
    check(said)
    assert {"2026-10-31", "2026-11-01", "2026-11-03"} <= set(said["days"])

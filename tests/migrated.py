"""Databases that have their tables already: migrating one takes longer than most tests."""

import fcntl
import os
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

ROOT = Path(__file__).parents[1]


def migrate(database_url: str, *, data_dir: Path) -> None:
    """Run `manage.py migrate` on a database."""
    own = {"DATABASE_URL": database_url, "FARWATCH_DATA_DIR": str(data_dir)}
    command = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=os.environ | own, check=True)


def migrated_file(folder: Path) -> Path:
    """Return an SQLite file with all tables; the first process that asks makes it for all."""
    path, working = folder / "migrated.sqlite3", folder / "migrating"
    with (folder / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            working.mkdir()
            migrate(f"sqlite:///{working / 'db.sqlite3'}", data_dir=working)
            with closing(sqlite3.connect(working / "db.sqlite3")) as connection:
                connection.execute("VACUUM INTO ?", [str(working / "whole.sqlite3")])
            (working / "whole.sqlite3").rename(path)
    return path


@contextmanager
def new_database(server: str, *, like: str = "template1") -> Iterator[str]:
    """Make a database of a PostgreSQL, a copy of another; drop it at the end. Yields its URL."""
    name = f"farwatch_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {like}".encode())
        try:
            yield f"{server.rsplit('/', 1)[0]}/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

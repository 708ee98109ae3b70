"""The drill: a hub is backed up while it runs, lost, restored elsewhere, and nothing is missing."""

import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from tests.journeys.ledger import n_stored, read_books
from tests.journeys.processes import Agent, Hub, wait_for
from tests.migrated import new_database
from tests.needed import need_postgres


@pytest.fixture
def elsewhere(tmp_path: Path, hub: Hub) -> Iterator[Hub]:
    """An empty place of the same kind as the hub's, to be reached at its address."""
    if hub.database_url.startswith("sqlite"):
        yield from _at(Hub(tmp_path / "elsewhere"), hub)
        return
    with new_database(need_postgres()) as url:
        yield from _at(Hub(tmp_path / "elsewhere", database_url=url), hub)


def _at(new: Hub, old: Hub) -> Iterator[Hub]:
    new.web.command[new.web.command.index("--port") + 1] = str(old.port)
    new.url = old.url
    yield new
    new.stop()


@pytest.mark.timeout(600)  # six programs start, one after the other
def test_a_hub_lost_and_restored_elsewhere_misses_nothing_and_has_nothing_twice(
    hub: Hub, agent: Agent, elsewhere: Hub, tmp_path: Path
) -> None:
    backup = tmp_path / "hub.backup"
    kept = hub.data_dir / "media" / "0190" / "ab" / "picture"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(os.urandom(300_000))
    agent.start()
    wait_for("20 results are stored", lambda: n_stored(hub) >= 20)

    assert "rows of" in hub.manage("backup", str(backup))
    n_then = n_stored(hub)
    wait_for("results come after the backup", lambda: n_stored(hub) >= n_then + 10)
    hub.web.kill()

    assert "Everybody logs in anew" in elsewhere.manage("restore", str(backup))
    assert kept.read_bytes() == (elsewhere.data_dir / kept.relative_to(hub.data_dir)).read_bytes()
    key = (hub.data_dir / "secret_key").read_text()
    assert (elsewhere.data_dir / "secret_key").read_text() == key
    before, after = rows(hub), rows(elsewhere)
    assert before.keys() == after.keys()
    for table in UNCHANGED:
        assert after[table] == before[table], table
    assert 20 <= len(after["results_result"]) <= n_then
    assert after["results_result"] <= before["results_result"]

    elsewhere.start()
    made = set(read_books(agent.ledger, hub).made)
    wait_for(
        "all is delivered, also what the lost hub had acknowledged",
        lambda: made <= {row.key for row in read_books(agent.ledger, elsewhere).stored},
        timeout_s=90,
    )
    agent.stop()
    books = read_books(agent.ledger, elsewhere)
    assert books.lost & made == set()
    assert (books.doubled, books.altered, books.invented) == (set(), [], [])


UNCHANGED = (
    "accounts_organization", "accounts_membership", "fleet_site", "fleet_bundle", "common_hub",
    "django_migrations",
)  # fmt: skip
"""Tables that nothing writes to while an agent delivers."""


def rows(hub: Hub) -> dict[str, set[str]]:
    """Return all rows of all tables that a hub keeps, each as text."""
    names = query(hub, TABLES[hub.database_url.startswith("sqlite")])
    return {
        name: {str(row) for row in query(hub, f'SELECT * FROM "{name}"')}
        for (name,) in names
        if not re.match("sqlite_|django_session|results_result_", name)
    }


TABLES: dict[bool, LiteralString] = {
    True: "SELECT name FROM sqlite_master WHERE type = 'table'",
    False: "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}


def query(hub: Hub, text: LiteralString) -> list[tuple[Any, ...]]:
    if hub.database_url.startswith("sqlite"):
        connection = sqlite3.connect(hub.database_url.removeprefix("sqlite:///"), timeout=20)
        try:
            return connection.execute(text).fetchall()
        finally:
            connection.close()
    with psycopg.connect(hub.database_url) as postgres:
        return postgres.execute(text).fetchall()

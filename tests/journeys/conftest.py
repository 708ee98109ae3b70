"""A hub and an agent as real processes, on SQLite and on PostgreSQL, with the real bundle."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.default_bundle import default_bundle_path
from deploy.sample_video import sample_video_path
from tests.journeys.processes import Agent, Hub
from tests.needed import need_postgres


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database; empty for SQLite in the hub's own folder."""
    if request.param == "sqlite":
        yield ""
        return
    server = need_postgres()
    name = f"farwatch_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield server.rsplit("/", 1)[0] + "/" + name
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def hub(tmp_path: Path, database_url: str) -> Iterator[Hub]:
    """A hub that is not started yet."""
    hub = Hub(tmp_path, database_url=database_url)
    yield hub
    hub.stop()


@pytest.fixture
def agent(tmp_path: Path, hub: Hub) -> Iterator[Agent]:
    """An agent enrolled at the running hub, with one camera on the sample video."""
    video = sample_video_path()
    source = f"file:{video.name}"
    prepared = hub.prepare(source=source, is_new_agent=True)
    hub.start()
    agent = Agent(tmp_path, hub=hub, bundle=default_bundle_path(), files_dir=video.parent)
    assert prepared.token is not None
    enrolled = agent.enroll(prepared.token)
    assert enrolled.returncode == 0, enrolled.stdout + enrolled.stderr
    hub.prepare(source=source, is_new_agent=False)
    yield agent
    agent.stop()

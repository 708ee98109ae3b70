"""A hub and an agent as real processes, on SQLite and on PostgreSQL, with the real bundle."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.default_bundle import default_bundle_path
from deploy.sample_video import sample_video_path
from tests.journeys.processes import Agent, Hub
from tests.migrated import migrate, new_database
from tests.needed import need_postgres


@pytest.fixture(scope="session")
def migrated_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a PostgreSQL database with all tables and no rows, to be copied."""
    with new_database(need_postgres()) as url:
        migrate(url, data_dir=tmp_path_factory.mktemp("migrating"))
        yield url.rsplit("/", 1)[1]


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with its tables; empty for SQLite in the hub's own folder."""
    if request.param == "sqlite":
        yield ""
        return
    with new_database(need_postgres(), like=request.getfixturevalue("migrated_postgres")) as url:
        yield url


@pytest.fixture
def hub(tmp_path: Path, database_url: str, migrated: Path) -> Iterator[Hub]:
    """A hub that is not started yet."""
    hub = Hub(tmp_path, database_url=database_url)
    if not database_url:
        hub.take_tables(migrated)
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

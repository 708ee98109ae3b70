"""People, places and a clock that tests ask for by name; files and tables of their own."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from django.conf import settings
from django.db import connections
from hypothesis import settings as hypothesis_settings

from tests.factories import (
    Clock,
    make_agent,
    make_bundle,
    make_camera,
    make_organization,
    make_site,
    make_user,
)
from tests.migrated import migrated_file
from webapp.accounts.models import Organization, Role, User
from webapp.fleet.models import Agent, Bundle, Camera, Site

# Django is set up before any conftest is read, so its paths are moved here, before anything uses
# them. DATABASE_URL chooses the database as ever; the tests' tables are in one of their own.
_DATA_DIR = Path(tempfile.mkdtemp(prefix="farwatch-tests-"))
atexit.register(shutil.rmtree, _DATA_DIR, ignore_errors=True)
settings.DATA_DIR = _DATA_DIR
_storage = cast("dict[str, Any]", settings.STORAGES["default"])
_storage["OPTIONS"]["location"] = _DATA_DIR / "media"


IS_SOAKING = bool(os.environ.get("FARWATCH_SOAK"))

# Where a test does not say how many examples it wants. How long one takes is never asserted.
hypothesis_settings.register_profile("quick", max_examples=40, deadline=None)
hypothesis_settings.register_profile("soaking", deadline=None)
hypothesis_settings.load_profile("soaking" if IS_SOAKING else "quick")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables and no rows, to be copied; the same one for all processes."""
    own = tmp_path_factory.getbasetemp()
    return migrated_file(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, request: pytest.FixtureRequest
) -> None:
    """Put SQLite in a file: in memory, threads share one connection's locks."""
    default = connections["default"]
    if default.vendor == "sqlite":
        own = _DATA_DIR / "test.sqlite3"
        shutil.copyfile(request.getfixturevalue("migrated"), own)
        default.settings_dict["TEST"]["NAME"] = str(own)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Use the file that is there."""
    return connections["default"].vendor == "sqlite"


@pytest.fixture
def soaked() -> Callable[[int], int]:
    """How many of `n` rounds to make: all when soaking, else 2 %."""
    return lambda n: n if IS_SOAKING else max(1, n // 50)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at `START`."""
    return Clock()


@pytest.fixture
def acme(db: None) -> Organization:
    """The organization most tests are about."""
    return make_organization("Acme")


@pytest.fixture
def alice(acme: Organization) -> User:
    """Admin of Acme."""
    return make_user("alice", organization=acme, role=Role.ADMIN)


@pytest.fixture
def olga(acme: Organization) -> User:
    """Operator of Acme."""
    return make_user("olga", organization=acme, role=Role.OPERATOR)


@pytest.fixture
def bob(acme: Organization) -> User:
    """Labeler of Acme."""
    return make_user("bob", organization=acme, role=Role.LABELER)


@pytest.fixture
def charlie(db: None) -> User:
    """A stranger: admin of another organization."""
    return make_user("charlie", organization=make_organization("Elsewhere"), role=Role.ADMIN)


@pytest.fixture
def site(acme: Organization) -> Site:
    return make_site(acme, name="Harbour")


@pytest.fixture
def agent(site: Site) -> Agent:
    return make_agent(site, name="Quay 1")


@pytest.fixture
def camera(agent: Agent) -> Camera:
    return make_camera(agent, name="Gate")


@pytest.fixture
def bundle(acme: Organization) -> Bundle:
    return make_bundle(acme)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Have `make soak` run whole whatever can be soaked."""
    if isinstance(item, pytest.Function) and "soaked" in item.fixturenames:
        item.add_marker(pytest.mark.soak)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser's tests last, in whatever order they are.

    Playwright's event loop runs in the main thread as long as its browser does, and no other can
    run beside it.
    """
    items.sort(key=lambda item: "browser" in item.path.parts)

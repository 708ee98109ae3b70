"""A hub with a tier that judges nothing, and an admin who looks at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from deploy import browser_files
from tests.browser.conftest import PATIENCE_MS, Complaints
from tests.journeys.processes import Hub
from tests.webapp.inference.fake_tier import FakeTier, served

_SEED = """
import json, uuid
from django.test import Client
from processing.wire.tier import TierQueue
from tests.factories import make_organization, make_user
from tests.webapp.inference.reporting import make_report, make_tier_bundle, make_use
from webapp.common.clock import now
from webapp.inference.keys import KeyTerms, create_key
from webapp.inference.reports import take_report

organization = make_organization("Acme")
admin = make_user("alice", organization=organization)
browser = Client()
browser.force_login(admin)
key = create_key(organization, KeyTerms("Parking app"), by=admin, at=now()).key
use = make_use(organization, key.pk, answered=120, refused=7)
bundles = (make_tier_bundle(version="1"), make_tier_bundle(version="2"))
queue = TierQueue(model="nanodet-g", n_waiting=3, wait_ms=41, pictures_per_s=85)
take_report(make_report(use, bundles=bundles, queues=(queue,)), at=now())
print(json.dumps(browser.session.session_key))
"""


@dataclass
class TierDesk:
    """A hub, its tier, and the session of its only admin."""

    hub: Hub
    tier: FakeTier
    session: str


class Visitor(Protocol):
    """Opens a page of the admin's."""

    def __call__(self, *, width: int = 1280, theme: str = "light") -> Page: ...


@pytest.fixture(scope="session")
def tier_desk(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[TierDesk]:
    assert browser_files.main() == 0
    hub, tier = Hub(tmp_path_factory.mktemp("tier-hub")), FakeTier()
    hub.take_tables(migrated)
    with served(tier) as tier.url:
        hub.web.environment = {**hub.web.environment, "FARWATCH_TIER_URL": tier.url}
        printed = hub.manage("shell", "-v", "0", "-c", _SEED)
        session = msgspec.json.decode(printed.splitlines()[-1], type=str)
        hub.start()
        yield TierDesk(hub, tier, session)
        hub.stop()


@pytest.fixture
def visit(chromium: Browser, tier_desk: TierDesk, complaints: Complaints) -> Iterator[Visitor]:
    """Open pages that may not complain of anything."""
    contexts = []

    def open_page(*, width: int = 1280, theme: str = "light") -> Page:
        context = chromium.new_context(
            base_url=tier_desk.hub.url,
            viewport=ViewportSize(width=width, height=900),
            color_scheme="dark" if theme == "dark" else "light",
        )
        contexts.append(context)
        cookie = {"name": "sessionid", "value": tier_desk.session, "url": tier_desk.hub.url}
        context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict of theirs
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        complaints.watch(page)
        return page

    yield open_page
    left = complaints.left()
    for context in contexts:
        context.close()
    assert left == []

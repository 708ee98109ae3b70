"""A desk at the browser tests' hub; every test has an organization of its own."""

from collections.abc import Iterator
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.conftest import PATIENCE_MS, Complaints
from tests.browser.review.desk import Desk, Work, is_open
from tests.journeys.processes import Hub


class Reviewer(Protocol):
    """Logs a labeler in and begins to review."""

    def __call__(
        self, work: Work, *, width: int = 1280, height: int = 800, is_touch: bool = False
    ) -> Page: ...


class Visitor(Protocol):
    """Opens a page in which somebody is logged in, by their session."""

    def __call__(
        self, session: str, *, width: int = 1280, height: int = 800, is_touch: bool = False
    ) -> Page: ...


@pytest.fixture(scope="session")
def desk(hub: Hub) -> Desk:
    return Desk(hub)


@pytest.fixture
def visitor(chromium: Browser, desk: Desk, complaints: Complaints) -> Iterator[Visitor]:
    """Open pages in browsers of people's own; none may complain of anything."""
    contexts = []

    def visit(
        session: str, *, width: int = 1280, height: int = 800, is_touch: bool = False
    ) -> Page:
        context = chromium.new_context(
            base_url=desk.hub.url,
            viewport=ViewportSize(width=width, height=height),
            has_touch=is_touch,
            is_mobile=is_touch,
        )
        contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": session, "url": desk.hub.url}])
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        complaints.watch(page)
        return page

    yield visit
    left = complaints.left()
    for context in contexts:
        context.close()
    assert left == []


@pytest.fixture
def reviewer(visitor: Visitor) -> Reviewer:
    """Open the first picture of somebody's work."""

    def begin(work: Work, *, width: int = 1280, height: int = 800, is_touch: bool = False) -> Page:
        page = visitor(work.session, width=width, height=height, is_touch=is_touch)
        page.goto(f"/review/{work.items[0]}/")
        is_open(page, work.items[0])
        return page

    return begin

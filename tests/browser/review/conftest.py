"""A desk at the browser tests' hub; every test has an organization of its own."""

from collections.abc import Iterator
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.conftest import Complaints
from tests.browser.review.desk import Desk, Work, is_open, log_in
from tests.journeys.processes import Hub


class Reviewer(Protocol):
    """Logs a labeler in and begins to review."""

    def __call__(self, work: Work, *, width: int = 1280, height: int = 800) -> Page: ...


@pytest.fixture(scope="session")
def desk(hub: Hub) -> Desk:
    return Desk(hub)


@pytest.fixture
def reviewer(chromium: Browser, desk: Desk, complaints: Complaints) -> Iterator[Reviewer]:
    """Log somebody in, in a browser of their own, and open the first picture."""
    contexts = []

    def begin(work: Work, *, width: int = 1280, height: int = 800) -> Page:
        viewport = ViewportSize(width=width, height=height)
        context = chromium.new_context(base_url=desk.hub.url, viewport=viewport)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        complaints.watch(page)
        log_in(page, work.user)
        page.wait_for_load_state("networkidle")  # so that nothing is cut short
        page.get_by_role("button", name="Start reviewing").click()
        is_open(page, work.items[0])
        return page

    yield begin
    left = complaints.left()
    for context in contexts:
        context.close()
    assert left == []

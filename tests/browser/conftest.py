"""A real hub with a simulated agent, and a real Chromium that looks at it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from deploy import browser_files
from tests.browser.simulated_agent import SimulatedAgent
from tests.journeys.processes import Hub, Prepared
from tests.needed import need_chromium

CHROMIUM_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SOURCE = "file:street.mp4"
PATIENCE_MS = 60_000
"""A busy machine is no failure: this only ends what hangs."""

expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Complaints:
    """What a page should not do: errors in the console, requests that fail."""

    of_page: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Parts of complaints that the test provokes."""

    def watch(self, page: Page) -> None:
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.of_page.append(f"script: {error}"))
        page.on("requestfailed", self._note_failure)
        page.on(
            "response",
            lambda answer: (
                self.of_page.append(f"{answer.status} {answer.url}")
                if answer.status >= 400
                else None
            ),
        )

    def left(self) -> list[str]:
        """Return what nobody expected."""
        return [
            complaint
            for complaint in self.of_page
            if not any(part in complaint for part in self.expected)
        ]

    def _note_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left meanwhile
            self.of_page.append(f"failed: {request.url}: {request.failure}")

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.of_page.append(f"console: {message.text}")


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Hub]:
    """A hub on SQLite, with its worker, running for all browser tests."""
    assert browser_files.main() == 0
    hub = Hub(tmp_path_factory.mktemp("browser"))
    hub.take_tables(migrated)
    hub.start()
    hub.worker.start()
    yield hub
    hub.stop()


@pytest.fixture(scope="session")
def login(hub: Hub) -> Prepared:
    """The admin's name and password, and a token for an agent."""
    return hub.prepare(source=SOURCE, is_new_agent=True)


@pytest.fixture(scope="session")
def agent(hub: Hub, login: Prepared) -> Iterator[SimulatedAgent]:
    """An enrolled agent with one camera, "Street", that sends results."""
    assert login.token is not None
    agent = SimulatedAgent(hub.url, login.token, name="street-agent")
    agent.enroll()
    hub.prepare(source=SOURCE, is_new_agent=False)
    agent.start()
    yield agent
    agent.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, with an empty profile."""
    path = need_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def admitted(
    chromium: Browser, hub: Hub, login: Prepared, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The cookies of the admin, logged in."""
    kept = tmp_path_factory.mktemp("cookies") / "admin.json"
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE_MS)
    log_in(context.new_page(), hub, login)
    context.storage_state(path=kept)
    context.close()
    return kept


@pytest.fixture
def complaints() -> Complaints:
    """What the test's pages complained of."""
    return Complaints()


@pytest.fixture
def context(chromium: Browser, hub: Hub, admitted: Path) -> Iterator[BrowserContext]:
    """A browser in which the admin is logged in."""
    context = chromium.new_context(
        storage_state=admitted, base_url=hub.url, viewport={"width": 1440, "height": 900}
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, complaints: Complaints) -> Iterator[Page]:
    """A page of the admin's that must not complain of anything."""
    page = context.new_page()
    complaints.watch(page)
    yield page
    assert complaints.left() == []


@pytest.fixture
def stranger(chromium: Browser, hub: Hub) -> Iterator[Page]:
    """A page of somebody who is not logged in."""
    context = chromium.new_context(base_url=hub.url)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def camera_page(page: Page, agent: SimulatedAgent) -> Page:
    """The page of the agent's camera, found the way a person finds it."""
    page.goto("/")
    page.locator("[data-wall]").get_by_role("link", name="Street", exact=True).click()
    page.wait_for_selector("[data-live-view]")
    page.wait_for_load_state("domcontentloaded")  # its scripts have run: it can be pressed
    return page


def log_in(page: Page, hub: Hub, login: Prepared, *, password: str = "") -> None:
    """Fill in the form and wait for what comes."""
    page.goto(f"{hub.url}/login/")
    page.get_by_label("User name").fill(login.user)
    page.get_by_label("Password").fill(password or login.password)
    with page.expect_navigation():
        page.get_by_role("button", name="Log in").click()

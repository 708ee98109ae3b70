"""Logging in and out in a browser."""

import re

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Complaints, log_in
from tests.journeys.processes import Hub, Prepared


def test_it_works(stranger: Page, hub: Hub, login: Prepared) -> None:
    log_in(stranger, hub, login)
    expect(stranger).to_have_title("Overview · Farwatch")
    stranger.get_by_label("Account: admin").click()
    expect(stranger.locator(".menu__panel")).to_contain_text("Demo")
    stranger.get_by_role("button", name="Log out").click()
    expect(stranger).to_have_title("Log in · Farwatch")


def test_a_wrong_password_is_told_and_lets_nobody_in(
    stranger: Page, hub: Hub, login: Prepared
) -> None:
    log_in(stranger, hub, login, password="not this one")
    expect(stranger.get_by_role("alert")).to_contain_text("password")
    stranger.goto("/")
    expect(stranger).to_have_title("Log in · Farwatch")


def test_who_is_not_logged_in_comes_back_to_where_they_wanted(
    stranger: Page, hub: Hub, login: Prepared
) -> None:
    stranger.goto("/events/")
    stranger.get_by_label("User name").fill(login.user)
    stranger.get_by_label("Password").fill(login.password)
    stranger.get_by_role("button", name="Log in").click()
    expect(stranger).to_have_url(re.compile("/events/$"))


def test_logging_out_in_one_tab_closes_the_others(
    stranger: Page, hub: Hub, login: Prepared, complaints: Complaints
) -> None:
    log_in(stranger, hub, login)
    other = stranger.context.new_page()
    other.goto("/")
    expect(other.locator("[data-connection]")).to_have_attribute("data-state", "live")
    stranger.get_by_label("Account: admin").click()
    stranger.get_by_role("button", name="Log out").click()
    expect(other).to_have_title("Log in · Farwatch")


def test_a_page_that_is_not_there_says_so_in_our_own_words(context: BrowserContext) -> None:
    page = context.new_page()
    answer = page.goto("/nothing/")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading")).to_have_text("There is nothing here")

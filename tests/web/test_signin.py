"""The ways in and out: password, a link that works once, the organisation's identity provider."""

import os
import re
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Page, expect

from tests.api.provider import CLIENT, CLIENT_SECRET, Provider
from tests.web.conftest import Opened, browser_path, opened
from tests.web.house import PASSWORD, House


def by_password(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_one_sets_a_password_signs_out_and_comes_back_with_it_to_where_one_was_going(
    house: House, visit: Opened
) -> None:
    user = house.user("Petra Password")
    page = visit(house, "/settings/security", user=user)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name=re.compile("password", re.IGNORECASE)).last.click()
    expect(page.get_by_text(re.compile("password is (set|changed)|saved", re.IGNORECASE)).first).to_be_visible()
    page.get_by_role("button", name=re.compile("your menu")).click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_label("E-mail")).to_be_visible()
    page.goto("/agents")
    by_password(page, "petra.password@example.org", "not the password at all")
    expect(page.get_by_role("alert")).to_contain_text("Couldn't sign in")
    expect(page.get_by_label("E-mail")).to_have_value("petra.password@example.org")
    by_password(page, "petra.password@example.org", PASSWORD)
    expect(page).to_have_url(re.compile("/agents$"))


def test_a_link_signs_in_once_and_says_so_the_second_time(house: House, visit: Opened) -> None:
    address = f"/sign-in?token={house.link(house.owner)}"
    for words in ("Agents", "This link no longer works"):
        page = visit(house, address, user=None)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text(words).first).to_be_visible()


@pytest.fixture
def provider() -> Iterator[Provider]:
    """An OpenID provider that vouches for the owner."""
    made = Provider()
    made.person |= {"email": "owner@localhost"}
    server = uvicorn.Server(uvicorn.Config(made.app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    made.issuer = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield made
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def known_house(server_url: str, built: None, provider: Provider) -> Iterator[House]:
    """A server that trusts the provider."""
    browser_path()
    names = {"ISSUER": provider.issuer, "CLIENT_ID": CLIENT, "CLIENT_SECRET": CLIENT_SECRET}
    extra = {f"RETINUE_OIDC_{name}": value for name, value in names.items()}
    with opened(server_url, f"web_oidc_{os.getpid()}", **extra) as house:
        yield house


def test_the_identity_provider_signs_in_and_leads_to_where_one_was_going(known_house: House, visit: Opened) -> None:
    page = visit(known_house, "/settings/profile", user=None)
    page.get_by_role("link", name=re.compile("^Continue with")).click()
    expect(page).to_have_url(re.compile("/settings/profile$"))
    expect(page.get_by_label("E-mail")).to_have_value("owner@localhost")

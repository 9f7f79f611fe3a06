"""How little a first view fetches, and that what it leaves for later is there when it is wanted."""

import re

from playwright.sync_api import Page, expect

from bench.web import SCRIPTS, packed
from tests.web.conftest import Opened
from tests.web.house import House

KILOBYTES = 260
"""The JavaScript of a first view, gzipped; the promise is 300 (`bench web` measures it)."""


def scripts(page: Page) -> list[str]:
    """What the page has fetched so far."""
    found: list[str] = page.evaluate(SCRIPTS)
    return found


def fetched(page: Page, name: str) -> None:
    """Waits until the part of this name is there."""
    page.wait_for_function(f"name => ({SCRIPTS})().some(path => path.includes(name))", arg=f"/{name}-")


def test_a_first_view_of_a_channel_fetches_no_more_code_than_it_draws(house: House, visit: Opened) -> None:
    page = visit(house, f"/channels/{house.channel('light')}")
    expect(page.locator("[data-composer]")).to_be_visible()
    page.wait_for_load_state("networkidle")
    found = scripts(page)
    assert sum(map(packed, found)) < KILOBYTES * 1000
    for part in (
        "Palette",
        "OwnMenu",
        "Choices",
        "Sheet",
        "Help",
        "math",
        "highlight",
        "ThreadPanel",
        "ChannelDetails",
    ):
        assert not [path for path in found if f"/{part}-" in path]


def test_the_menu_of_oneself_opens_by_keyboard_at_once_and_gives_the_focus_back(house: House, visit: Opened) -> None:
    page = visit(house, f"/channels/{house.channel('menu')}")
    expect(page.locator("[data-composer]")).to_be_focused()
    button = page.get_by_role("button", name="your menu")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Profile")).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")


def test_a_button_says_what_it_does_to_the_mouse_and_the_keyboard_and_escape_hides_it(
    house: House, visit: Opened
) -> None:
    page = visit(house, f"/channels/{house.channel('tips')}")
    button = page.get_by_role("button", name="Details", exact=True)
    button.hover()
    expect(page.get_by_role("tooltip")).to_have_text("Details")
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_have_count(0)
    page.locator("[data-composer]").fill("something")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("tooltip")).to_have_text("Send (Enter)")
    expect(page.get_by_role("button", name="Send")).to_have_accessible_description("Send (Enter)")


def test_what_was_left_for_later_is_there_when_the_server_is_not(own_house: House, visit: Opened) -> None:
    page = visit(own_house, f"/channels/{own_house.channel('later')}")
    for part in ("Palette", "OwnMenu", "Help"):
        fetched(page, part)
    page.wait_for_load_state("networkidle")
    own_house.kill()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox").or_(page.get_by_placeholder(re.compile(".+"))).last).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="your menu").click()
    expect(page.get_by_role("menuitem", name="Sign out")).to_be_visible()

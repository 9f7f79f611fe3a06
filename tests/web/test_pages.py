"""Every page as those see it who do not see it: axe in light and dark, keyboard only, motion reduced."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web import axe
from tests.web.conftest import Opened
from tests.web.house import House

SECTIONS = ("profile", "security", "keys", "people", "teams", "roles", "models", "storage", "appearance")
PLACES = (
    "/welcome", "/channels", "/channels/{channel}", "/channels/{channel}?panel=details",
    "/channels/{channel}?panel=members", "/channels/{channel}?thread={message}", "/channels/{empty}", "/activity",
    "/activity/{turn}", "/activity/{turn}?step=1", "/agents", "/agents/new", "/agents/{agent}", "/agents/{agent}/edit",
    "/approvals", "/approvals?tab=asked", "/approvals?tab=standing",
    "/policies", "/policies/new", "/policies/new?type=approval", "/policies/new?type=content_restriction",
    "/policies/new?type=time_window", "/policies/new?type=tool_restriction", "/policies/{policy}", "/policies/explain",
    "/policies/explain?agent={agent}&tool=current_time",
    "/audit", "/audit?event=tool.call", "/usage", "/usage?by=model&budget=new",
    "/channels/ch_00000000000000000000000000", "/nowhere",
    *(f"/settings/{name}" for name in SECTIONS),
)  # fmt: skip


BUDGET = {"type": "cost_limit", "per": "user", "period": "month", "limit_micro": 10**12}


@pytest.fixture(scope="session")
def names(house: House) -> dict[str, str]:
    """A channel with all that a conversation may show, and what else addresses name."""
    channel = house.channel("everything")
    told = [house.post(channel, words) for words in ("what time is it?", "show markdown", "break always", "$E = mc^2$")]
    house.settled(channel)
    house.post(channel, "a reply in a thread", reply_to=told[0]["message"]["id"])
    house.settled(channel)
    house.api("PUT", f"/v1/channels/{channel}/messages/{told[0]['message']['id']}/reactions/👍")
    return {
        "channel": channel,
        "empty": house.channel("empty", agent=False),
        "message": told[0]["message"]["id"],
        "turn": told[0]["interactions"][0]["id"],
        "agent": house.assistant,
        "policy": house.api("POST", "/v1/policies", {"name": "A budget", "rule": BUDGET, "layer": "user"})["id"],
    }


def settle(page: Page) -> None:
    """Until the page has what it asked for."""
    expect(page.get_by_role("main")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.locator("[role=status][aria-label^='Loading'], [aria-busy=true]")).to_have_count(0)
    page.wait_for_load_state("load")
    if any(part in page.url for part in ("?panel=", "?thread=", "?step=")):
        expect(page.get_by_role("button", name="Close panel")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_objects_to_nothing_on_any_page(house: House, visit: Opened, names: dict[str, str], scheme: str) -> None:
    page = visit(house, "/agents", color_scheme=scheme, reduced_motion="reduce")
    wrong: dict[str, list[str]] = {}
    for place in PLACES:
        page.goto(place.format(**names))
        settle(page)
        if found := axe.violations(page):
            wrong[place] = found
    assert wrong == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_objects_to_nothing_on_a_phone_nor_before_signing_in(
    house: House, visit: Opened, names: dict[str, str], scheme: str
) -> None:
    phone = {
        "viewport": {"width": 390, "height": 800},
        "is_mobile": True,
        "has_touch": True,
        "color_scheme": scheme,
        "reduced_motion": "reduce",
    }
    wrong: dict[str, list[str]] = {}
    page = visit(house, "/sign-in", user=None, **phone)
    expect(page.get_by_label("E-mail")).to_be_visible()
    wrong["sign in"] = axe.violations(page)
    page = visit(house, "/agents", **phone)
    for place in (
        "/channels/{channel}",
        "/channels/{channel}?panel=details",
        "/activity",
        "/activity/{turn}",
        "/approvals",
        "/audit",
        "/usage",
        "/policies",
        "/policies/{policy}",
        "/policies/explain?agent={agent}&tool=current_time",
        "/agents",
    ):
        page.goto(place.format(**names))
        settle(page)
        wrong[place] = axe.violations(page)
    page.get_by_role("button", name="Open sidebar").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    wrong["sidebar"] = axe.violations(page)
    assert {place: found for place, found in wrong.items() if found} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_objects_to_nothing_in_what_opens_over_a_page(house: House, visit: Opened, scheme: str) -> None:
    channel = house.channel("opens")
    house.post(channel, "what time is it?")
    house.settled(channel)
    page = visit(house, f"/channels/{channel}", color_scheme=scheme, reduced_motion="reduce")
    settle(page)
    wrong: dict[str, list[str]] = {}
    page.keyboard.press("Control+k")
    expect(page.get_by_label("Go to, do, or search messages")).to_be_focused()
    wrong["palette"] = axe.violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("current time", re.IGNORECASE)).click()
    wrong["tool card"] = axe.violations(page)
    page.locator("[data-composer]").press_sequentially("@As")
    expect(page.get_by_role("listbox", name="People and agents")).to_be_visible()
    wrong["mentions"] = axe.violations(page)
    assert {place: found for place, found in wrong.items() if found} == {}


def test_everything_from_signing_in_to_reading_a_turn_is_done_by_keyboard_alone(house: House, visit: Opened) -> None:
    house.channel("keyboard")
    page = visit(house, f"/sign-in?token={house.link(house.owner)}", user=None)
    expect(page.get_by_role("button", name="Sign in")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_label("Go to, do, or search messages")).to_be_focused()
    page.keyboard.type("keyboard")
    expect(page.get_by_role("option", name=re.compile("keyboard")).or_(
        page.get_by_role("button", name=re.compile("keyboard"))).first).to_be_visible()  # fmt: skip
    page.keyboard.press("Enter")
    expect(page.locator("[data-composer]")).to_be_focused()
    page.keyboard.type("what time is it?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("feed").get_by_text("It is what the tool says.")).to_be_visible()
    expect(page.get_by_role("link", name="Details of this turn")).to_be_visible()
    assert reached(page, "current time", back=True), "the tool card is not reached by Tab"
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="arguments")).to_be_visible()
    assert reached(page, "Details of this turn")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/activity/int_"))
    page.go_back()
    expect(page.locator("[data-composer]")).to_be_visible()
    page.keyboard.press("Escape")


def reached(page: Page, name: str, *, back: bool = False) -> bool:
    """Whether Tab comes to a control of this name, and its focus is seen."""
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        here = page.evaluate(
            """() => { const at = document.activeElement, style = getComputedStyle(at);
            return {name: (at.getAttribute('aria-label') || at.textContent || '').toLowerCase(),
                    seen: style.outlineStyle !== 'none' || style.boxShadow !== 'none'} }"""
        )
        if name.lower() in here["name"]:
            return here["seen"]
    return False


def test_nothing_moves_for_those_who_asked_for_less_motion(house: House, visit: Opened) -> None:
    page = visit(house, f"/channels/{house.channel('calm')}", reduced_motion="reduce")
    page.locator("[data-composer]").fill("say it slowly")
    page.keyboard.press("Enter")
    expect(page.get_by_role("feed").get_by_text(re.compile("word3 "))).to_be_visible()
    moving = page.evaluate(
        """() => document.getAnimations().filter(one => one.playState === 'running'
        && one.effect.getComputedTiming().duration > 10).map(one => one.animationName || one.transitionProperty)"""
    )
    assert moving == []


def test_back_and_forward_go_where_one_was(house: House, visit: Opened) -> None:
    first, second = house.channel("back one", agent=False), house.channel("back two", agent=False)
    page = visit(house, f"/channels/{first}")
    page.get_by_role("link", name="back two").click()
    expect(page).to_have_url(re.compile(second))
    page.get_by_role("link", name="Activity").first.click()
    expect(page).to_have_url(re.compile("/activity"))
    page.go_back()
    expect(page).to_have_url(re.compile(second))
    page.go_back()
    expect(page.get_by_label("Message back one")).to_be_visible()
    page.go_forward()
    expect(page.get_by_label("Message back two")).to_be_visible()


@pytest.mark.requirement("ATT-46")
def test_what_cannot_be_loaded_says_so_and_is_loaded_when_asked_again(house: House, visit: Opened) -> None:
    page = visit(house, "/channels")
    page.route("**/v1/interactions?*", lambda route: route.abort())
    page.goto("/activity")
    alert = page.get_by_role("alert")
    expect(alert).to_be_visible(timeout=30_000)
    page.unroute_all()
    page.evaluate("document.querySelector('[role=alert] button')?.click()")  # if it has not come back by itself
    expect(alert).to_have_count(0)

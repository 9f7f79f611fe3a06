"""Calls that wait for a person: decided in the conversation and on the page of approvals, by mouse, finger and keys."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.web import axe
from tests.web.conftest import Opened
from tests.web.house import House
from tests.web.talk import reply, write
from tests.web.test_pages import reached

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
WANTS = "Clerk wants to use Current time"


@pytest.fixture(scope="session")
def clerk(house: House) -> str:
    """An agent that may tell the time once a person has approved it."""
    tools = [{"tool": "current_time", "config": {"requires_approval": True}}]
    return house.api("POST", "/v1/agents", {"name": "Clerk", "tools": tools})["id"]


def channel(house: House, clerk: str, name: str, *members: str) -> str:
    """A channel with these people, in which the clerk answers everything."""
    made = house.channel(name, *members, agent=False)
    house.api("POST", f"/v1/channels/{made}/members", {"agent_id": clerk, "trigger_mode": "proactive"})
    return made


def asked(house: House, channel: str) -> dict[str, Any]:
    """Have the clerk ask in this channel; the request as it then stands."""
    turn = house.post(channel, "what time is it?")["interactions"][0]["id"]
    house.settled(channel)
    found = house.api("GET", "/v1/approvals?state=open&limit=100")["data"]
    return next(one for one in found if one["interaction_id"] == turn)


def card(page: Page, name: str | re.Pattern[str] = WANTS) -> Locator:
    return page.get_by_role("group", name=name)


MAY = {"decide": True, "withdraw": False, "grant": True}


def hold_back(page: Page, stale: dict[str, Any]) -> None:
    """Have the page hear of no change until it sends a decision itself."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/decide") else None)
    page.route(
        "**/v1/approvals/wait_*", lambda route: route.continue_() if sent else route.fulfill(json=stale)
    )  # fmt: skip


def reject(card: Locator) -> None:
    """Without a reason."""
    card.get_by_role("button", name="Reject").click()
    expect(card.get_by_label("Why not?")).to_be_focused()
    card.get_by_role("button", name="Reject").click()


def approval(house: House, id: str) -> dict[str, Any]:
    return house.api("GET", f"/v1/approvals/{id}")


@pytest.mark.requirement("GOV-14", "GOV-15")
def test_a_call_is_approved_in_the_conversation_and_the_turn_goes_on(house: House, visit: Opened, clerk: str) -> None:
    page = visit(house, f"/channels/{channel(house, clerk, 'approving')}")
    write(page, "what time is it?")
    expect(card(page)).to_contain_text("Europe/Lisbon")
    expect(card(page)).to_contain_text("Current time is done once a person approves it.")
    expect(card(page)).to_contain_text("An admin")
    expect(page.get_by_role("link", name=re.compile(r"^Approvals \d+ for you"))).to_be_visible()
    expect(card(page).get_by_role("status")).to_have_text(f"{WANTS}. It waits for your approval.")
    card(page).get_by_role("button", name="Approve", exact=True).click()
    expect(card(page, re.compile("^You approved this"))).to_be_focused()
    reply(page, "It is what the tool says.")
    page.reload()
    page.get_by_role("button", name=re.compile("Current time.*Done")).click()
    expect(card(page, re.compile("^You approved this"))).to_be_visible()


@pytest.mark.requirement("GOV-15")
def test_arguments_are_changed_in_fields_or_as_json_and_what_does_not_fit_is_said_there(
    house: House, visit: Opened, clerk: str
) -> None:
    place = channel(house, clerk, "editing")
    request = asked(house, place)
    page = visit(house, f"/channels/{place}")
    card(page).get_by_role("button", name="Edit and approve").click()
    expect(card(page).get_by_label("Time zone")).to_be_focused()
    card(page).get_by_text("JSON", exact=True).click()
    box = card(page).get_by_label("Arguments as JSON")
    box.fill("{")
    card(page).get_by_role("button", name="Approve with these").click()
    expect(card(page).get_by_text("This is not a JSON object.")).to_be_visible()
    box.fill('{"time_zone": 5}')
    card(page).get_by_text("Fields", exact=True).click()
    card(page).get_by_role("button", name="Approve with these").click()
    expect(card(page).get_by_label("Time zone")).to_have_attribute("aria-invalid", "true")
    assert approval(house, request["id"])["state"] == "open"
    card(page).get_by_role("button", name="Cancel").click()
    expect(card(page).get_by_role("button", name="Edit and approve")).to_be_focused()
    card(page).get_by_role("button", name="Edit and approve").click()
    card(page).get_by_label("Time zone").fill("Europe/Berlin")
    card(page).get_by_role("button", name="Approve with these").click()
    expect(card(page, re.compile("^You approved this, with changes"))).to_be_visible()
    reply(page, "It is what the tool says.")
    assert approval(house, request["id"])["arguments"] == {"time_zone": "Europe/Berlin"}


@pytest.mark.requirement("GOV-15")
def test_a_call_is_rejected_or_asked_back_about_by_keyboard_alone(house: House, visit: Opened, clerk: str) -> None:
    place = channel(house, clerk, "rejecting")
    request = asked(house, place)
    page = visit(house, f"/channels/{place}")
    expect(card(page)).to_be_visible()
    assert reached(page, "Ask back", back=True), "the card is not reached by Tab"
    page.keyboard.press("Enter")
    expect(card(page).get_by_label("What do you want to know?")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card(page).get_by_text("Write the question.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(card(page).get_by_role("button", name="Ask back")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(card(page).get_by_label("Why not?")).to_be_focused()
    page.keyboard.type("Not at night.")
    page.keyboard.press("Enter")
    ended = card(page, re.compile("^You rejected this"))
    expect(ended).to_be_focused()
    expect(ended).to_contain_text("“Not at night.”")
    reply(page, "It is what the tool says.")
    assert approval(house, request["id"])["decisions"][0]["reason"] == "Not at night."


@pytest.mark.requirement("GOV-15")
def test_what_is_decided_elsewhere_shows_at_once_and_a_word_that_comes_late_is_told_so(
    house: House, visit: Opened, clerk: str
) -> None:
    tom = house.user("Tom Quick", "admin")
    place = channel(house, clerk, "racing", tom)
    stale = asked(house, place)
    mine, live, deaf = (visit(house, f"/channels/{place}", user) for user in (house.owner, tom, tom))
    for page in (mine, live, deaf):
        expect(card(page).get_by_role("button", name="Approve", exact=True)).to_be_visible()
    hold_back(deaf, house.api("GET", f"/v1/approvals/{stale['id']}") | {"may": MAY})
    card(mine).get_by_role("button", name="Approve", exact=True).click()
    expect(card(live, re.compile("^Owner approved this"))).to_be_visible()
    reject(card(deaf))
    expect(deaf.get_by_role("alert")).to_have_text("That was decided already, so your word was not counted.")
    expect(card(deaf, re.compile("^Owner approved this"))).to_be_visible()


@pytest.mark.requirement("GOV-15")
def test_two_have_to_agree_and_each_sees_how_far_it_is(house: House, visit: Opened, clerk: str) -> None:
    vera = house.user("Vera Second", "admin")
    ask = {"panels": [{"role": "admin", "quorum": 2}]}
    rule = {"type": "approval", "scope": {"agents": [clerk], "tools": ["current_time"]}, "ask": ask}
    policy = house.api("POST", "/v1/policies", {"layer": "account", "name": "Two keys", "rule": rule})
    try:
        place = channel(house, clerk, "quorum", vera)
        asked(house, place)
        mine, other = visit(house, f"/channels/{place}"), visit(house, f"/channels/{place}", vera)
        expect(card(mine)).to_contain_text("Two admins")
        expect(card(mine)).to_contain_text("Account policy “Two keys”")
        card(mine).get_by_role("button", name="Approve", exact=True).click()
        expect(card(mine, re.compile(WANTS))).to_contain_text("Waits for two admins: 1 of 2 approved: you.")
        expect(card(other)).to_contain_text("1 of 2 approved: Owner")
        card(other).get_by_role("button", name="Approve", exact=True).click()
        expect(card(mine, re.compile("^You and Vera Second approved this"))).to_be_visible()
        reply(mine, "It is what the tool says.")
    finally:
        house.api("DELETE", f"/v1/policies/{policy['id']}")


def test_whoever_asked_sees_who_is_waited_for_and_may_withdraw(house: House, visit: Opened, clerk: str) -> None:
    mina = house.user("Mina Asks")
    place = channel(house, clerk, "withdrawing", mina)
    page = visit(house, f"/channels/{place}", mina)
    write(page, "what time is it?")
    waiting = card(page, re.compile(WANTS))
    expect(waiting).to_contain_text("Europe/Lisbon. Waits for an admin.")
    expect(waiting.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="Approvals", exact=True)).to_be_visible()
    waiting.get_by_role("button", name="Details").click()
    expect(waiting).to_contain_text("then it is not done")
    waiting.get_by_role("button", name="Withdraw").click()
    expect(card(page, re.compile("^This was withdrawn"))).to_be_visible()
    page.goto("/approvals?tab=asked")
    expect(page.get_by_role("list", name="What you asked for")).to_contain_text("This was withdrawn.")


@pytest.mark.requirement("GOV-15")
def test_an_approval_may_stand_for_later_calls_until_it_is_revoked(house: House, visit: Opened, clerk: str) -> None:
    place = channel(house, clerk, "standing")
    page = visit(house, f"/channels/{place}")
    write(page, "what time is it?")
    card(page).get_by_label("Also for later calls of Current time").check()
    card(page).get_by_label("Only with exactly these arguments").check()
    card(page).get_by_role("button", name="Approve, and later calls").click()
    reply(page, "It is what the tool says.")
    write(page, "and what time is it now?")
    expect(page.get_by_role("feed").get_by_text("It is what the tool says.")).to_have_count(2)
    page.goto("/approvals?tab=standing")
    row = page.get_by_role("listitem").filter(has_text="In standing, for you, with the same arguments")
    expect(row).to_contain_text("Clerk may use Current time")
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert asked(house, place)["state"] == "open"


@pytest.mark.requirement("GOV-15")
def test_what_waits_for_me_stands_oldest_due_first_and_what_i_decide_stays_in_sight(
    own_house: House, visit: Opened
) -> None:
    house = own_house
    tools = [{"tool": "current_time", "config": {"requires_approval": True}}]
    clerk = house.api("POST", "/v1/agents", {"name": "Clerk", "tools": tools})["id"]
    page = visit(house, "/approvals")
    expect(page.get_by_role("main")).to_contain_text("All caught up.")
    expect(page.get_by_role("link", name="Approvals", exact=True)).to_be_visible()
    first, second = channel(house, clerk, "first of two"), channel(house, clerk, "second of two")
    asked(house, first)
    expect(card(page)).to_contain_text("You, in first of two")  # without a reload
    asked(house, second)
    expect(card(page)).to_have_count(2)
    page.reload()
    expect(card(page).first).to_contain_text("first of two")
    expect(page.get_by_role("link", name="Approvals 2 for you")).to_be_visible()
    page.keyboard.press("j")
    expect(card(page).first).to_be_focused()
    card(page).first.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("list", name="Calls that wait for you").get_by_role("listitem").first).to_contain_text(
        "You approved this."
    )
    expect(page.get_by_role("link", name="Approvals 1 for you")).to_be_visible()
    card(page).get_by_role("link", name="see the turn").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clerk’s turn")
    reject(card(page))
    expect(page.get_by_role("link", name="Approvals", exact=True)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("main")).to_contain_text("All caught up.")


def test_it_fits_a_small_phone_with_buttons_for_fingers(house: House, visit: Opened, clerk: str) -> None:
    place = channel(house, clerk, "by phone")
    asked(house, place)
    page = visit(house, f"/channels/{place}", **PHONE)
    buttons = card(page).get_by_role("button")
    expect(card(page).get_by_role("button", name="Approve", exact=True)).to_be_visible()
    for place in range(buttons.count()):
        box = buttons.nth(place).bounding_box()
        assert box is not None and box["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    card(page).get_by_role("button", name="Ask back").tap()
    card(page).get_by_label("What do you want to know?").fill("What for?")
    card(page).get_by_role("button", name="Ask", exact=True).tap()
    expect(card(page, re.compile("^You asked back"))).to_contain_text("“What for?”")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_objects_to_nothing_in_a_card_and_what_it_opens(
    house: House, visit: Opened, clerk: str, scheme: str
) -> None:
    place = channel(house, clerk, f"axe {scheme}")
    asked(house, place)
    page = visit(house, f"/channels/{place}", color_scheme=scheme, reduced_motion="reduce")
    wrong: dict[str, list[str]] = {}
    card(page).get_by_label("Also for later calls of Current time").check()
    wrong["choose"] = axe.violations(page)
    card(page).get_by_role("button", name="Edit and approve").click()
    expect(card(page).get_by_label("Time zone")).to_be_focused()
    wrong["edit"] = axe.violations(page)
    page.keyboard.press("Escape")
    card(page).get_by_role("button", name="Reject").click()
    expect(card(page).get_by_label("Why not?")).to_be_focused()
    wrong["reject"] = axe.violations(page)
    page.goto("/approvals")
    expect(card(page).first).to_be_visible()
    wrong["page"] = axe.violations(page)
    assert {part: found for part, found in wrong.items() if found} == {}

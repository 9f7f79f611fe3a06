"""Policies as people write them: looked at before they are saved, refused where they loosen, undone, explained."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from playwright.sync_api import Locator, Page, expect

from tests.web.conftest import Opened
from tests.web.house import House


def policy(house: House, name: str, rule: Mapping[str, object], **more: object) -> str:
    """A policy as the API makes it; its id."""
    made: dict[str, str] = house.api("POST", "/v1/policies", {"name": name, "rule": rule} | more)
    return made["id"]


def choose(page: Page, field: str, words: str) -> None:
    """Choose in a field with a list."""
    box = page.get_by_role("combobox", name=field, exact=True)
    box.click()
    box.fill(words)
    page.get_by_role("option", name=words).first.click()
    page.keyboard.press("Escape")


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("main").get_by_role("listitem").filter(has_text=name)


def explain(house: House, **asked: str) -> str:
    return "/policies/explain?" + "&".join(f"{key}={quote(value)}" for key, value in asked.items())


def test_a_policy_is_looked_at_before_it_is_saved_holds_then_and_every_refusal_says_why(
    house: House, visit: Opened
) -> None:
    channel = house.channel("ruled")
    house.post(channel, "what time is it?")
    house.settled(channel)
    page = visit(house, "/activity")
    page.get_by_role("link", name="Policies", exact=True).click()
    page.get_by_role("link", name="New policy").click()
    page.get_by_role("link", name=re.compile("^Tools")).click()
    page.get_by_role("textbox", name="Name").fill("No clocks here")
    never = page.get_by_role("combobox", name="Never these", exact=True)
    never.fill("current_time")
    page.keyboard.press("Enter")
    choose(page, "Channels", "ruled")
    before = page.get_by_role("region", name="What this would have changed in the last 7 days")
    expect(before).to_contain_text("1 would have gone otherwise.")
    example = before.get_by_role("list", name="Examples").get_by_role("link")
    expect(example).to_have_text("Assistant, Current time")
    expect(example).to_have_attribute("href", re.compile(r"/activity/int_\w+\?step=2"))
    page.get_by_role("button", name="Create").click()
    expect(page).to_have_url(re.compile(r"/policies$"))
    expect(row(page, "No clocks here")).to_contain_text("Never Current time in ruled")

    turn = house.post(channel, "what time is it now?")["interactions"][0]["id"]
    house.settled(channel)
    page.goto(f"/activity/{turn}?step=2")
    panel = page.get_by_role("complementary", name="Current time")
    panel.get_by_role("button", name="Why?").click()
    expect(panel).to_contain_text("Not allowed. current_time is not to be used here.")
    expect(panel).to_contain_text("No clocks here")
    panel.get_by_role("link", name="What would happen now?").click()
    expect(page.get_by_role("region", name="The answer")).to_contain_text("Assistant may not use Current time.")
    page.goto(f"/channels/{channel}")
    page.get_by_role("button", name=re.compile("current time.*failed", re.IGNORECASE)).click()
    page.get_by_role("button", name="Why?").click()
    expect(page.get_by_role("feed")).to_contain_text("Not allowed. current_time is not to be used here.")


def test_a_policy_that_would_loosen_is_refused_with_the_ceiling_that_it_meets(house: House, visit: Opened) -> None:
    policy(house, "Twice is enough", {"type": "delegation_depth", "max": 2})
    member = house.user("Lou Loosener")
    page = visit(house, "/policies/new?type=delegation_depth", user=member)
    page.get_by_role("textbox", name="Name").fill("More for me")
    depth = page.get_by_role("textbox", name=re.compile("^How often work may be passed on"))
    depth.fill("5")
    before = page.get_by_role("region", name="What this would have changed in the last 7 days")
    expect(before).to_contain_text("This would loosen the account's policy “Twice is enough”")
    page.get_by_role("button", name="Create").click()
    alert = page.get_by_role("alert").filter(has_text="Not saved: a policy above gives less")
    expect(alert).to_contain_text("“Twice is enough”: it allows a depth of 5, 2 is the most above")
    depth.fill("1")
    page.get_by_role("button", name="Create").click()
    expect(row(page, "More for me")).to_contain_text("Work is passed on at most once")


def test_what_is_wrong_stands_beside_its_field(house: House, visit: Opened) -> None:
    page = visit(house, "/policies/new?layer=user&type=tool_restriction")
    page.get_by_role("button", name="Create").click()
    name = page.get_by_role("textbox", name="Name")
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_be_focused()
    expect(page.get_by_text("Say what it restricts: tools, actions or calls.")).to_be_visible()
    page.goto("/policies/new?layer=user&type=content_restriction")
    page.get_by_role("textbox", name="Name").fill("Looks ahead")
    page.get_by_role("textbox", name="Patterns").fill("a(?=b)")
    page.get_by_role("button", name="Create").click()
    patterns = page.get_by_role("textbox", name="Patterns")
    expect(patterns).to_have_attribute("aria-invalid", "true")  # which only the server knows


def test_a_policy_is_written_as_yaml_by_those_who_would_rather(house: House, visit: Opened) -> None:
    page = visit(house, "/policies/new?layer=user&type=tool_restriction")
    page.get_by_text("YAML", exact=True).click()
    text = page.get_by_role("textbox", name="Policy as YAML")
    text.fill("name: Mine in text\nrule: [")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text(re.compile(r"^Line 2: "))).to_be_visible()
    text.fill(
        "name: Mine in text\nrule:\n  type: tool_restriction\n  never: [delete_*]\n  scope: {agents: [assistant]}\n"
    )
    page.get_by_text("Form", exact=True).click()
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Mine in text")
    expect(page.get_by_role("region", name="Where it applies")).to_contain_text("Assistant")
    page.get_by_role("button", name="Create").click()
    expect(row(page, "Mine in text")).to_contain_text("Never delete_* for Assistant")


def test_what_is_switched_off_removed_or_changed_is_brought_back(house: House, visit: Opened) -> None:
    known = policy(house, "Undone", {"type": "tool_restriction", "never": ["one"]}, layer="user")
    house.api("PATCH", f"/v1/policies/{known}", {"rule": {"type": "tool_restriction", "never": ["one", "two"]}})
    page = visit(house, "/policies")
    switch = page.get_by_role("switch", name="Undone is in force")
    switch.click(force=True)
    expect(switch).not_to_be_checked()
    page.get_by_role("button", name="Undo").click()
    expect(switch).to_be_checked()
    page.get_by_role("link", name="Undone", exact=True).click()
    page.get_by_role("button", name="History").click()
    history = page.get_by_role("complementary", name="History")
    expect(history.get_by_role("listitem")).to_have_count(4)
    history.get_by_role("button", name="Restore version 1").click()
    expect(history.get_by_role("listitem")).to_have_count(5)
    expect(page.get_by_role("region", name="Tools", exact=True)).not_to_contain_text("two")
    page.get_by_role("button", name="Remove", exact=True).last.click()
    expect(page).to_have_url(re.compile(r"/policies$"))
    expect(row(page, "Undone")).to_have_count(0)
    page.get_by_role("button", name="Undo").last.click()
    expect(row(page, "Undone")).to_contain_text("Never One")


def test_changes_that_are_not_saved_are_not_left_behind_unasked(house: House, visit: Opened) -> None:
    known = policy(house, "Guarded", {"type": "tool_restriction", "never": ["one"]}, layer="user")
    page = visit(house, f"/policies/{known}")
    page.get_by_text("YAML", exact=True).click()
    page.get_by_text("Form", exact=True).click()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()  # to look at it as text is no change
    page.get_by_role("textbox", name="Name").fill("Guarded twice")
    house.api("PATCH", f"/v1/policies/{known}", {"name": "Guarded by another"})
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody changed this policy meanwhile")
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_contain_text("Leave without saving?")
    page.get_by_role("button", name="Stay").last.click()
    page.get_by_role("button", name="Save mine over it").click()
    expect(row(page, "Guarded twice")).to_have_count(1)


def test_a_member_writes_their_own_only_and_reads_what_holds_for_them(house: House, visit: Opened) -> None:
    known = policy(house, "Nobody wipes", {"type": "tool_restriction", "never": ["wipe"]})
    member = house.user("Mona Member")
    page = visit(house, "/policies", user=member)
    expect(page.get_by_role("region", name="Mine")).to_contain_text("Nothing beyond what holds for everyone.")
    expect(page.get_by_role("region", name="Account")).to_have_count(0)
    expect(page.get_by_role("region", name="For all agents")).to_have_count(0)
    page.goto(f"/policies/{known}")
    expect(page.get_by_role("main")).to_contain_text("Never Wipe.")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    page.goto(explain(house, agent=house.assistant, tool="list_channel_members"))
    answer = page.get_by_role("region", name="The answer")
    expect(answer).to_contain_text("Assistant may use List channel members.")
    expect(page.get_by_role("combobox", name="Works for")).to_have_count(0)


def test_a_call_is_explained_from_its_address_alone_and_the_address_follows_the_question(
    house: House, visit: Opened
) -> None:
    channel = house.channel("explained")
    scope = {"channels": [channel], "tools": ["search_*"]}
    asks = {"type": "approval", "scope": scope, "ask": {"panels": [{"role": "owner"}]}}
    known = policy(house, "Ask before looking", asks)
    page = visit(
        house, explain(house, agent=house.assistant, tool="search_messages", channel=channel, args='{"query": "x"}')
    )
    answer = page.get_by_role("region", name="The answer")
    expect(answer).to_contain_text("A person decides before Assistant uses Search messages.")
    expect(answer).to_contain_text("An owner decides within 1 day, else it is rejected.")
    expect(answer.get_by_role("link", name="Ask before looking")).to_have_attribute("href", f"/policies/{known}")
    expect(page.get_by_role("textbox", name="Query")).to_have_value("x")
    choose(page, "In", "Anywhere")
    expect(answer).to_contain_text("Nothing against it")
    expect(page).not_to_have_url(re.compile("channel="))


def test_admins_decide_for_all_agents(own_house: House, visit: Opened) -> None:
    house = own_house
    page = visit(house, "/policies")
    section = page.get_by_role("region", name="For all agents")
    expect(section.get_by_role("button", name="Save")).to_have_count(0)
    section.get_by_role("switch", name="An approval may stand for later calls").click(force=True)
    section.get_by_role("button", name="Save").click()
    expect(section.get_by_role("button", name="Save")).to_have_count(0)
    assert house.api("GET", "/v1/governance")["standing_grants"] is False
    house.api("PUT", "/v1/governance", {"standing_grants": True})
    section.get_by_role("switch", name=re.compile("^Ask a person")).click(force=True)
    section.get_by_role("button", name="Save").click()
    expect(section.get_by_role("alert")).to_contain_text("Somebody changed this meanwhile")


def test_nothing_reaches_over_the_edge_of_a_phone(house: House, visit: Opened) -> None:
    known = policy(
        house, "Narrow " * 12, {"type": "tool_restriction", "never": ["a_tool_with_a_long_name" * 2]}, layer="user"
    )
    page = visit(house, "/policies", viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    kinds = ("tool_restriction", "approval", "content_restriction", "cost_limit", "rate_limit", "time_window")
    written = [f"/policies/new?layer=user&type={kind}" for kind in kinds]
    for place in ("/policies", "/policies/new", f"/policies/{known}", "/policies/explain", *written):
        page.goto(place)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("[role=status][aria-label^='Loading'], [aria-busy=true]")).to_have_count(0)
        over = (
            "[...document.querySelectorAll('main *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1)"
        )
        assert page.evaluate(f"document.documentElement.scrollWidth <= innerWidth && {over}.length") == 0, place

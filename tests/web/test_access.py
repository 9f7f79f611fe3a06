"""What agents may do alone and who may use them: worker roles, registration, assignments and stages."""

import pytest
from playwright.sync_api import Page, expect

from tests.web import axe
from tests.web.conftest import Opened
from tests.web.house import House


def access(page: Page) -> Page:
    """With the tab about access in front."""
    page.get_by_role("tab", name="Access").click()
    expect(page.get_by_role("list", name="Who can use it")).to_be_visible()
    return page


@pytest.mark.requirement("REG-04")
def test_a_role_is_made_given_to_an_agent_and_changed(house: House, visit: Opened) -> None:
    agent = house.api("POST", "/v1/agents", {"name": "Registered One"})["id"]
    page = visit(house, "/settings/roles")
    page.get_by_role("button", name="New role").click()
    form = page.get_by_role("form", name="New role")
    form.get_by_role("button", name="Make role").click()
    expect(form.get_by_text("Give the role a name.")).to_be_visible()
    form.get_by_label("Name", exact=True).fill("Night clerk")
    form.get_by_label("Only reads").check()
    form.get_by_label("Spends at most").fill("1.50")
    form.get_by_role("button", name="Add a rule").click()
    form.get_by_role("button", name="Make role").click()
    expect(form.get_by_text("Say when: tools, categories, or a number.")).to_be_visible()
    form.get_by_label("When it uses").fill("current_time")
    page.keyboard.press("Enter")
    form.get_by_role("button", name="Make role").click()
    row = page.get_by_role("list", name="Worker roles").get_by_role("listitem").filter(has_text="Night clerk")
    expect(row).to_contain_text("Only reads: at most $1.50 a turn, 1 rule")
    expect(row).to_contain_text("No agent has it.")

    page.goto(f"/agents/{agent}")
    access(page)
    registration = page.get_by_role("form", name="Registration")
    registration.get_by_label("Worker role").select_option("Night clerk")
    score = registration.get_by_role("slider")
    score.focus()
    page.keyboard.press("Home")
    expect(registration).to_contain_text("Autonomy score: 1 of 10")
    expect(registration).to_contain_text("That goes with trust read; the agent’s own is standard")
    registration.get_by_label("Skills").fill("two words")
    page.keyboard.press("Enter")
    registration.get_by_role("button", name="Save").click()
    expect(registration.get_by_label("Skills")).to_have_attribute("aria-invalid", "true")
    registration.get_by_label("Skills").press("Backspace")
    expect(registration.get_by_text("two words")).to_have_count(0)
    registration.get_by_label("Skills").fill("bookkeeping")
    page.keyboard.press("Enter")
    registration.get_by_role("button", name="Save").click()
    expect(registration.get_by_role("button", name="Save")).to_be_disabled()
    kept = house.api("GET", f"/v1/agents/{agent}/registry")
    assert (kept["autonomy_score"], kept["role_name"], kept["skills"]) == (1, "Night clerk", ["bookkeeping"])

    page.goto("/settings/roles")
    expect(row.get_by_role("link", name="Registered One")).to_be_visible()
    expect(row.get_by_role("button", name="Remove Night clerk")).to_have_count(0)
    row.get_by_role("button", name="Edit Night clerk").click()
    page.get_by_role("form", name="Edit Night clerk").get_by_label("Free within bounds").check()
    page.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Free within bounds: at most $1.50 a turn, 1 rule")


@pytest.mark.requirement("DEL-23", "LIFE-07")
def test_an_agent_is_assigned_and_its_tools_are_taken_away_for_some(house: House, visit: Opened) -> None:
    team = house.api("POST", "/v1/teams", {"name": "Night shift", "slug": "night-shift"})
    agent = house.api("POST", "/v1/agents", {"name": "Assigned One", "tools": [{"tool": "current_time"}]})["id"]
    page = access(visit(house, f"/agents/{agent}"))
    ways = page.get_by_role("list", name="Who can use it")
    expect(ways).to_contain_text("Everyone")
    page.get_by_role("combobox", name="Assign it to").click()
    page.get_by_role("option", name="Night shift").click()
    row = ways.get_by_role("listitem").filter(has_text="Night shift")
    expect(row).to_contain_text("All that it may do")
    row.get_by_role("button", name="Restrict tools for Night shift").click()
    form = page.get_by_role("form", name="Tools for Night shift")
    form.get_by_role("combobox", name="Restrict a tool").click()
    page.get_by_role("option", name="Current time").click()
    form.get_by_label("Blocked: not to be used at all").uncheck()
    expect(form.get_by_label("Only some actions")).to_have_count(0)  # the tool has none
    form.get_by_label("Calls in one turn, at most").fill("2")
    form.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Current time at most 2 calls a turn")
    [kept] = [one for one in house.api("GET", f"/v1/agents/{agent}/assignments") if one["scope_id"] == team["id"]]
    assert kept["tool_restrictions"]["current_time"]["max_calls_per_interaction"] == 2
    row.get_by_role("button", name="Take away from Night shift").click()
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row).to_contain_text("Current time at most 2 calls a turn")


@pytest.mark.requirement("LIFE-06")
def test_an_agent_is_promoted_step_by_step(house: House, visit: Opened) -> None:
    made = house.api("POST", "/v1/agents", {"name": "New One", "deployment_state": "in_development"})
    page = access(visit(house, f"/agents/{made['id']}"))
    here = page.get_by_role("list", name="Stages").locator("[aria-current=step]")
    expect(here).to_contain_text("In development")
    for button, stage in (
        ("Promote to testing", "Testing"),
        ("Promote to available", "Available"),
        ("Activate", "Active"),
    ):
        page.get_by_role("button", name=button).click()
        expect(here).to_contain_text(stage)
    page.get_by_role("button", name="Back to development").click()
    expect(here).to_contain_text("In development")


def test_a_member_sees_no_access_and_no_roles(house: House, visit: Opened) -> None:
    page = visit(house, f"/agents/{house.assistant}", house.user("Mo Member"))
    expect(page.get_by_role("tab", name="For you")).to_be_visible()
    expect(page.get_by_role("tab", name="Access")).to_have_count(0)
    page.goto("/settings/roles")
    expect(page.get_by_role("main")).to_contain_text("Roles are set by admins.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_objects_to_nothing_where_access_is_set(house: House, visit: Opened, scheme: str) -> None:
    page = visit(house, f"/agents/{house.assistant}", color_scheme=scheme, reduced_motion="reduce")
    wrong: dict[str, list[str]] = {}
    access(page)
    expect(page.get_by_role("form", name="Registration")).to_be_visible()
    wrong["access"] = axe.violations(page)
    page.get_by_role("button", name="Restrict tools for Everyone").click()
    page.get_by_role("combobox", name="Restrict a tool").click()
    page.get_by_role("listbox").get_by_role("option").first.click()
    wrong["restrictions"] = axe.violations(page)
    page.goto("/settings/roles")
    page.get_by_role("button", name="New role").click()
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("Only some tools").check()
    page.get_by_label("Acts only in some places").check()
    wrong["role"] = axe.violations(page)
    assert {part: found for part, found in wrong.items() if found} == {}

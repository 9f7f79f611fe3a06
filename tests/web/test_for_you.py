"""What a person sets about an agent for themselves, on the agent's page."""

import pytest
from playwright.sync_api import Page, expect

from tests.web import axe
from tests.web.conftest import Opened
from tests.web.house import House


@pytest.fixture
def agent(house: House) -> str:
    return house.api("POST", "/v1/agents", {"name": "Tutor"})["id"]


def opened(page: Page) -> Page:
    """With the part about oneself in front."""
    page.get_by_role("tab", name="For you").click()
    expect(page.get_by_label("In your own words")).to_be_visible()
    return page


@pytest.mark.requirement("SCH-08", "MAN-20")
def test_how_it_should_answer_is_set_kept_and_followed_for_that_person_alone(
    house: House, visit: Opened, agent: str
) -> None:
    page = opened(visit(house, f"/agents/{agent}"))
    state = page.get_by_role("status").filter(has_text="Nothing set yet.")
    expect(state).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    page.get_by_label("In your own words").fill("Talk like a pirate.")
    page.get_by_role("button", name="Add a fact").click()
    page.get_by_label("Name 1").fill("Preferred name")
    expect(page.get_by_text("Not saved yet.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Say what it is, or remove the row.")).to_be_visible()
    page.get_by_role("textbox", name="Preferred name").fill("Ann")
    page.get_by_role("tab", name="Overview").click()
    page.get_by_role("tab", name="For you").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. It holds from your next message on.")).to_be_visible()
    page.reload()
    opened(page)
    expect(page.get_by_label("In your own words")).to_have_value("Talk like a pirate.")
    expect(page.get_by_role("textbox", name="Preferred name")).to_have_value("Ann")

    channel = house.channel("tutoring", agent=False)
    house.api("POST", f"/v1/channels/{channel}/members", {"agent_id": agent, "trigger_mode": "proactive"})
    house.post(channel, "hello")
    house.settled(channel)
    said = [one["content"] for one in house.api("GET", f"/v1/channels/{channel}/messages")["data"]]
    assert sorted(said) == ["Arr, matey.", "hello"]
    other = opened(visit(house, f"/agents/{agent}", house.user("Olga")))
    expect(other.get_by_label("In your own words")).to_have_value("")


def test_what_is_refused_is_said_at_its_field(house: House, visit: Opened, agent: str) -> None:
    page = opened(visit(house, f"/agents/{agent}"))
    page.get_by_role("button", name="Add a fact").click()
    page.get_by_label("Name 1").fill("api key")
    page.get_by_role("textbox", name="api key").fill("x")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Sounds like a secret")).to_be_visible()
    page.get_by_role("button", name="Remove api key").click()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_objects_to_nothing_there(house: House, visit: Opened, agent: str, scheme: str, width: int) -> None:
    preferences = {"Preferred name": "Ann", "Cups": 2}
    house.api("PUT", f"/v1/agents/{agent}/my-config", {"preferences": preferences, "overrides": {"locale": "de"}})
    viewport = {"width": width, "height": 844}
    page = opened(visit(house, f"/agents/{agent}", color_scheme=scheme, viewport=viewport, reduced_motion="reduce"))
    assert axe.violations(page) == []

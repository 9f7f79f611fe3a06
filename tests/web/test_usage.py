"""What agents use and cost, and the budgets that bound it, as admins, leads and members see them."""

import csv
import io
import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.web.conftest import Opened
from tests.web.house import House


def budgets(page: Page) -> Locator:
    return page.get_by_role("region", name="Budgets")


def table(page: Page, by: str) -> Locator:
    return page.get_by_role("table", name=f"Usage by {by}")


def spent(house: House, name: str) -> None:
    """One answer that costs something."""
    channel = house.channel(name)
    house.post(channel, "what time is it?")
    house.settled(channel)


def limit(house: House, name: str, dollars: float, per: str = "account", **place: Any) -> str:
    rule = {"type": "cost_limit", "per": per, "limit_micro": round(dollars * 1_000_000)}
    return house.api("POST", "/v1/policies", {"name": name, "rule": rule} | place)["id"]


def said(page: Page, **change: Any) -> None:
    """The first budget as it would be with these numbers."""

    def answer(route: Route) -> None:
        response = route.fetch()
        found = response.json()
        found["data"] = [one | change for one in found["data"][:1]]
        route.fulfill(response=response, body=json.dumps(found))

    page.route("**/v1/budgets?*", answer)


def usd(dollars: float) -> dict[str, Any]:
    return {"amount_micro": round(dollars * 1_000_000), "currency": "USD"}


def test_an_admin_sees_what_was_used_by_agent_and_model_and_narrows_it(house: House, visit: Opened) -> None:
    spent(house, "used")
    page = visit(house, "/activity")
    page.get_by_role("link", name="Usage", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Usage")
    expect(page.get_by_role("region", name="This month")).to_contain_text("spent")
    expect(page.get_by_role("table", name="Cost by day")).to_have_count(1)
    table(page, "agent").get_by_role("link", name="Assistant").click()
    expect(page).to_have_url(re.compile(rf"agent_id={house.assistant}.*by=model|by=model.*agent_id={house.assistant}"))
    row = table(page, "model").get_by_role("row").filter(has_text="gpt-4o-mini")
    expect(row).to_contain_text("$")
    page.get_by_role("button", name="Remove the filter agent").click()
    expect(page).not_to_have_url(re.compile("agent_id"))
    page.get_by_label("Told apart by").get_by_text("Person").click()
    expect(table(page, "person")).to_be_visible()
    page.go_back()
    page.goto("/usage?by=tool&span=last")
    expect(page.get_by_role("main")).to_contain_text("Nothing was used in these days.")
    expect(page.get_by_label("Days")).to_have_value("last")


def test_the_shown_totals_are_taken_along_as_csv(house: House, visit: Opened) -> None:
    spent(house, "exported")
    page = visit(house, f"/usage?by=model&agent_id={house.assistant}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert rows
    assert set(rows[0]) >= {"day", "model", "cost", "unpriced"}


def test_prices_that_nobody_knows_are_said_and_not_taken_for_nothing(house: House, visit: Opened) -> None:
    spent(house, "unpriced")
    page = visit(house, "/channels")

    def unknown(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, json=response.json() | {"unpriced": 3})

    page.route("**/v1/usage/forecast?*", unknown)
    page.goto("/usage")
    month = page.get_by_role("region", name="This month")
    expect(month).to_contain_text("3 calls have no known price: what they cost is in none of these sums.")
    expect(month).to_contain_text("≥")


def test_an_admin_makes_a_budget_and_raises_it(own_house: House, visit: Opened) -> None:
    house = own_house
    spent(house, "bounded")
    page = visit(house, "/usage")
    expect(budgets(page)).to_contain_text("None yet")
    budgets(page).get_by_role("link", name="New budget").click()
    panel = page.get_by_role("complementary", name="New budget")
    expect(panel.get_by_label("Name")).to_be_focused()
    panel.get_by_role("button", name="Make budget").click()
    expect(panel).to_contain_text("Use an amount in dollars")
    panel.get_by_label("Name").fill("Company")
    panel.get_by_label("At most").fill("50")
    panel.get_by_role("button", name="Make budget").click()
    expect(panel).to_have_count(0)
    expect(budgets(page)).to_contain_text(re.compile(r"of \$50\.00 this month; at this pace <?\$"))
    budgets(page).get_by_role("link", name="Company").click()
    panel = page.get_by_role("complementary", name="Company")
    panel.get_by_label("At most").fill("80")
    panel.get_by_role("button", name="Save").click()
    expect(panel).to_have_count(0)
    expect(budgets(page)).to_contain_text("of $80.00 this month")
    policy = house.api("GET", "/v1/policies?type=cost_limit")["data"][0]
    assert policy["rule"]["limit_micro"] == 80_000_000
    assert policy["rule"]["warn_at"] == [80]
    expect(budgets(page).get_by_role("link", name="All policies")).to_have_attribute("href", "/policies")


@pytest.mark.requirement("GOV-08")
def test_a_lead_keeps_the_teams_budget_and_learns_of_the_ceiling_it_meets(own_house: House, visit: Opened) -> None:
    house = own_house
    lead = house.user("Lea Lead")
    team = house.api("POST", "/v1/teams", {"name": "Sales", "slug": "sales"})["id"]
    house.api("POST", f"/v1/teams/{team}/members", {"user_id": lead, "role": "lead"})
    company = limit(house, "Each team", 20, "team")
    page = visit(house, "/usage?budget=new", user=lead)
    panel = page.get_by_role("complementary", name="New budget")
    expect(panel.get_by_label("For", exact=True)).to_have_value(team)
    panel.get_by_label("Name").fill("Sales")
    panel.get_by_label("At most").fill("30")
    panel.get_by_role("button", name="Make budget").click()
    expect(panel.get_by_role("alert")).to_contain_text("Saved; something to know")
    expect(panel.get_by_role("alert")).to_contain_text("Each team")
    panel.get_by_role("button", name="Done").click()
    expect(panel).to_have_count(0)
    expect(budgets(page)).to_contain_text("of $30.00 this month")
    page.goto(f"/usage?budget={company}")
    expect(page.get_by_role("complementary", name="Each team")).to_contain_text("Admins set this budget.")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)


def test_a_change_somebody_else_was_quicker_with_is_not_lost_in_silence(own_house: House, visit: Opened) -> None:
    house = own_house
    policy = limit(house, "Company", 10)
    page = visit(house, f"/usage?budget={policy}")
    panel = page.get_by_role("complementary", name="Company")
    panel.get_by_label("At most").fill("11")
    house.api("PATCH", f"/v1/policies/{policy}", {"name": "Everyone"})
    panel = page.locator("[data-panel]")
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_role("alert")).to_contain_text("has changed this policy")
    panel.get_by_role("button", name="Begin again from theirs").click()
    expect(panel.get_by_label("Name")).to_have_value("Everyone")
    panel.get_by_label("At most").fill("12")
    panel.get_by_role("button", name="Save").click()
    expect(budgets(page)).to_contain_text("of $12.00 this month")


def test_a_budget_near_its_limit_and_one_that_is_used_up_say_so_in_words(own_house: House, visit: Opened) -> None:
    house = own_house
    limit(house, "Company", 50)
    page = visit(house, "/channels")
    said(page, spent=usd(42), reserved=usd(0.5), forecast=usd(61))
    page.goto("/usage")
    expect(budgets(page)).to_contain_text("$42.00 of $50.00 this month; at this pace $61.00; $0.50 held")
    expect(budgets(page)).to_contain_text(re.compile("Near its limit: 84% used, likely used up around "))
    page.unroute_all()
    said(page, spent=usd(50.2), reserved=usd(0), forecast=usd(70))
    page.reload()
    expect(budgets(page)).to_contain_text(re.compile("Used up: what costs is refused until "))


@pytest.mark.requirement("COST-17")
def test_a_member_sees_what_was_used_on_their_behalf_and_their_own_budgets_alone(house: House, visit: Opened) -> None:
    spent(house, "of the owner")
    member = house.user("Uma Usage")
    page = visit(house, "/usage?by=user", user=member)
    expect(page.get_by_role("main")).to_contain_text("on your behalf")
    expect(page.get_by_role("main")).to_contain_text("Nothing was used in these days.")
    expect(page.get_by_role("button", name="Filter by person")).to_have_count(0)
    expect(page.get_by_label("Told apart by").get_by_text("Person")).to_have_count(0)
    budgets(page).get_by_role("link", name="New budget").click()
    expect(page.get_by_label("For", exact=True).get_by_role("option")).to_have_text(["What is done for me"])


def test_usage_that_cannot_be_loaded_is_no_empty_page(house: House, visit: Opened) -> None:
    page = visit(house, "/channels")
    page.route("**/v1/usage?*", lambda route: route.fulfill(status=403, json={"code": "forbidden", "detail": "No."}))
    page.route("**/v1/budgets?*", lambda route: route.fulfill(status=403, json={"code": "forbidden", "detail": "No."}))
    page.goto("/usage")
    expect(page.get_by_role("region", name="Usage by day").get_by_role("alert")).to_contain_text("the usage")
    expect(budgets(page).get_by_role("alert")).to_contain_text("the budgets")


def test_nothing_of_usage_is_wider_than_a_phone(house: House, visit: Opened) -> None:
    spent(house, "narrow")
    page = visit(house, "/usage", viewport={"width": 360, "height": 760}, is_mobile=True, has_touch=True)
    expect(table(page, "agent")).to_be_visible()
    for place in ("/usage", "/usage?by=model&span=90d", "/usage?from=2026-01-01&to=2026-01-31", "/usage?budget=new"):
        page.goto(place)
        expect(page.get_by_role("region", name="This month").get_by_text("spent")).to_be_attached()
        wide = """[document.documentElement, ...document.querySelectorAll('main div')].filter(one =>
            one.scrollWidth > one.clientWidth
            && (one.localName === 'html' || getComputedStyle(one).overflowY === 'auto')
            && !one.matches('[role=group]')).map(one => one.className)"""
        assert page.evaluate(wide) == [], place

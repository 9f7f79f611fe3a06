"""The record of who did what, as admins read it: filtered, opened, verified, exported."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
from playwright.sync_api import Locator, Page, expect

from retinue.domain import ids, verifying
from retinue.store.seals import signed
from tests.web.conftest import Opened
from tests.web.house import House


def rows(page: Page) -> Locator:
    return page.get_by_role("grid", name="Lines of the record").get_by_role("row")


def sealed(page: Page) -> None:
    """Until every line has its seal."""
    expect(page.get_by_role("region", name="Seals")).to_contain_text(re.compile(r"Sealed until .* no line waiting"))


def tamper(house: House, line: str) -> None:
    """As whoever owns the database could."""

    async def run() -> None:
        connection = await asyncpg.connect(house.url)
        await connection.execute("set search_path = retinue; set session_replication_role = replica")
        done = await connection.execute(
            'update audit_event set detail = detail || \'{"name": "Nobody"}\' where id = $1', ids.decode("aud", line)
        )
        await connection.close()
        assert done == "UPDATE 1"

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, run()).result()


@pytest.mark.requirement("AUD-03")
def test_an_admin_sees_what_was_done_and_finds_it_by_event_person_and_turn(house: House, visit: Opened) -> None:
    channel = house.channel("audited")
    turn = house.post(channel, "what time is it?")["interactions"][0]["id"]
    house.settled(channel)
    page = visit(house, "/activity")
    page.get_by_role("link", name="Audit", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit")
    expect(rows(page).filter(has_text="tool.call").first).to_contain_text("current_time")
    page.get_by_role("button", name="Filter by event").click()
    page.get_by_label("Find event").fill("channel created")
    page.get_by_role("option", name="Channel created").click()
    expect(page).to_have_url(re.compile(r"event=channel\.create"))
    row = rows(page).filter(has_text="audited").first
    expect(row).to_contain_text("Channel created")
    expect(rows(page).filter(has_text="tool.call")).to_have_count(0)
    row.get_by_text("Channel created").click()
    panel = page.get_by_role("complementary", name="Channel created")
    expect(panel.get_by_role("region", name="All of the line")).to_contain_text(channel)
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.goto(f"/audit?interaction_id={turn}")
    expect(rows(page).filter(has_text="Turn ended")).to_have_count(1)
    rows(page).filter(has_text="Tool called").get_by_role("link", name=re.compile("^step")).click()
    expect(page).to_have_url(re.compile(f"/activity/{turn}"))


def test_new_lines_wait_until_they_are_asked_for(own_house: House, visit: Opened) -> None:
    house = own_house
    page = visit(house, "/audit?event=team.create")
    expect(page.get_by_role("main")).to_contain_text("No line fits these filters.")
    house.api("POST", "/v1/teams", {"name": "First Audited", "slug": "first-audited"})
    expect(rows(page).filter(has_text="First Audited")).to_have_count(1)  # an empty table takes it at once
    house.api("POST", "/v1/teams", {"name": "Second Audited", "slug": "second-audited"})
    page.get_by_role("button", name="1 new").click()
    expect(rows(page).nth(1)).to_contain_text("Second Audited")


@pytest.mark.requirement("AUD-03")
def test_the_record_is_exported_and_whoever_has_the_file_can_check_it(
    house: House, visit: Opened, tmp_path: Path
) -> None:
    page = visit(house, "/audit")
    sealed(page)
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("retinue audit verify audit.jsonl --key ")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download audit.jsonl").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    report = verifying.verify(path.read_bytes().splitlines(), signed)
    assert report.ok
    assert report.lines > 0


@pytest.mark.requirement("AUD-03")
def test_verify_calls_the_record_whole_and_names_the_line_that_its_owner_changed(
    own_house: House, visit: Opened
) -> None:
    house = own_house
    house.channel("sealed", agent=False)
    line = house.api("GET", "/v1/audit?event=channel.create&limit=1")["data"][0]["id"]
    page = visit(house, "/audit")
    sealed(page)
    verify = page.get_by_role("button", name="Verify")
    verify.click()
    status = page.get_by_role("region", name="Seals").get_by_role("status")
    expect(status).to_have_text(re.compile(r"Whole: \d+ lines? under \d+ seals?\."))
    tamper(house, line)
    verify.click()
    expect(status).to_contain_text("1 finding in")
    expect(status).to_contain_text("is not as it was sealed")
    status.get_by_role("link").click()
    expect(page).to_have_url(re.compile(line))
    panel = page.get_by_role("complementary", name="Channel created")
    expect(panel.get_by_role("region", name="All of the line")).to_contain_text("Nobody")


def test_a_member_sees_no_way_to_the_record_and_a_direct_link_says_whose_it_is(house: House, visit: Opened) -> None:
    member = house.user("Mina Member")
    page = visit(house, "/activity", user=member)
    expect(page.get_by_role("heading", level=1)).to_have_text("Activity")
    expect(page.get_by_role("link", name="Audit", exact=True)).to_have_count(0)
    page.keyboard.press("Control+k")
    page.get_by_label("Go to, do, or search messages").fill("audit")
    expect(page.get_by_role("dialog").get_by_text("Audit", exact=True)).to_have_count(0)
    page.goto("/audit")
    expect(page.get_by_role("main")).to_contain_text("Audit is read by admins.")
    expect(page.get_by_role("button", name="Verify")).to_have_count(0)

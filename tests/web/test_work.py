"""Looking at what agents did, and arranging who works where: activity, agents, channels, settings."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.web.conftest import Opened
from tests.web.house import House
from tests.web.talk import reply, write


@pytest.mark.requirement("AGT-24")
def test_a_turn_opens_to_a_timeline_whose_steps_show_what_went_in_and_out_and_the_exact_prompt(
    house: House, visit: Opened
) -> None:
    channel = house.channel("timeline")
    told = house.post(channel, "what time is it?")
    house.settled(channel)
    page = visit(house, "/activity")
    row = page.get_by_role("row").filter(has_text="timeline")
    expect(row).to_contain_text("Assistant")
    row.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(told["interactions"][0]["id"]))
    expect(page.get_by_role("heading", level=1)).to_have_text("Assistant’s turn")
    steps = page.get_by_role("region", name="Steps")
    steps.get_by_role("button", name=re.compile("current time", re.IGNORECASE)).click()
    expect(page.get_by_role("region", name="Arguments")).to_contain_text("Europe/Lisbon")
    expect(page.get_by_role("region", name="Result")).to_contain_text("time")
    page.keyboard.press("Escape")
    steps.get_by_text("Table", exact=True).click()
    expect(steps.get_by_role("row").nth(3)).to_be_visible()
    page.goto(f"{page.url.split('?')[0]}?step=1")
    page.get_by_role("button", name="Show the exact prompt").click()
    expect(page.get_by_text("what time is it?").last).to_be_visible()


@pytest.mark.requirement("VIEW-26")
def test_the_table_of_turns_is_live_and_its_filter_is_in_the_address(house: House, visit: Opened) -> None:
    channel, other = house.channel("live one"), house.channel("live other")
    page = visit(house, f"/activity?channel_id={channel}")
    expect(page.get_by_role("main")).to_contain_text(re.compile("no turn", re.IGNORECASE))
    house.post(channel, "say it slowly")
    house.post(other, "hello")
    row = page.get_by_role("row").filter(has_text="live one")
    expect(row).to_contain_text("Working")
    expect(row).to_contain_text("Done")
    expect(page.get_by_role("row").filter(has_text="live other")).to_have_count(0)


def test_a_turn_shows_how_its_configuration_differs_from_the_present_one(house: House, visit: Opened) -> None:
    agent = house.api("POST", "/v1/agents", {"name": "Changer", "slug": "changer", "system_prompt": "Be brief."})
    channel = house.channel("config", agent=False)
    house.api("POST", f"/v1/channels/{channel}/members", {"agent_id": agent["id"], "trigger_mode": "proactive"})
    told = house.post(channel, "hello")
    house.settled(channel)
    house.api("PATCH", f"/v1/agents/{agent['id']}", {"system_prompt": "Be thorough."})
    page = visit(house, f"/activity/{told['interactions'][0]['id']}")
    page.get_by_role("button", name="Compare with now").click()
    expect(page.get_by_text("Be brief.")).to_be_visible()
    expect(page.get_by_text("Be thorough.")).to_be_visible()


def test_an_agent_is_tried_before_it_is_created_and_bad_input_loses_nothing(house: House, visit: Opened) -> None:
    page = visit(house, "/agents/new")
    page.get_by_role("textbox", name="Prompt").fill("You are a pirate.")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value("You are a pirate.")
    page.get_by_role("textbox", name="Name").fill("Blackbeard")
    page.get_by_role("button", name="Try it").click()
    page.get_by_label(re.compile("^Message to")).fill("hello")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log", name="Trial")).to_contain_text("Arr, matey.")
    page.get_by_role("button", name="Create").click()
    expect(page).to_have_url(re.compile(r"/agents/agt_\w+$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Blackbeard")
    assert [one["slug"] for one in house.api("GET", "/v1/agents")["data"]].count("blackbeard") == 1


def test_a_channel_is_made_an_agent_joins_it_and_it_is_archived_and_brought_back(house: House, visit: Opened) -> None:
    page = visit(house, "/channels")
    page.get_by_role("main").get_by_role("button", name="New channel").click()
    form = page.get_by_role("dialog", name="New channel")
    form.get_by_label("Name").fill("Harvest")
    form.get_by_role("button", name="Make channel").click()
    expect(page).to_have_url(re.compile("/channels/ch_"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Harvest")
    page.goto(f"{page.url}?panel=members")
    page.get_by_role("button", name="Add people or agents").click()
    page.get_by_role("combobox", name="Person or agent").fill("Assist")
    page.get_by_role("option", name="Assistant").click()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("combobox", name=re.compile("^When Assistant"))).to_be_visible()
    write(page, "@Assistant hello")
    reply(page, "Understood.")
    page.goto(f"{page.url.split('?')[0]}?panel=details")
    page.get_by_role("button", name=re.compile("^Archive")).click()
    expect(page.get_by_text("This channel is archived")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-composer]")).to_be_visible()


@pytest.mark.requirement("CHN-04")
def test_a_mention_is_completed_from_the_keyboard_and_wakes_the_agent(house: House, visit: Opened) -> None:
    channel = house.channel("mentions", agent=False)
    wanted = {"agent_id": house.assistant, "trigger_mode": "mention"}
    house.api("POST", f"/v1/channels/{channel}/members", wanted)
    page = visit(house, f"/channels/{channel}")
    box = page.locator("[data-composer]")
    box.press_sequentially("@ass")
    expect(page.get_by_role("listbox", name="People and agents")).to_be_visible()
    box.press("Enter")
    box.press_sequentially("are you there?")
    box.press("Enter")
    reply(page, "Understood.")


@pytest.mark.requirement("ATT-45")
@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("/activity?q=nothingofthiskind", "No turn"),
        ("/channels/{channel}", "is ready"),
        ("/settings/keys", "No program"),
    ],
)
def test_an_empty_place_says_so_in_one_line_and_not_as_an_error(
    house: House, visit: Opened, place: str, words: str
) -> None:
    newcomer = house.user(f"Nora Newcomer {place[1:4]}")
    channel = house.channel("empty place", newcomer, agent=False)
    page = visit(house, place.format(channel=channel), user=newcomer)
    expect(page.get_by_role("main")).to_contain_text(words)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_draft_is_kept_for_its_channel_and_sent_messages_leave_none(house: House, visit: Opened) -> None:
    first, second = house.channel("draft one", agent=False), house.channel("draft two", agent=False)
    page = visit(house, f"/channels/{first}")
    page.locator("[data-composer]").fill("half a thought")
    page.get_by_role("link", name="draft two").click()
    expect(page.get_by_label("Message draft two")).to_have_value("")
    page.goto(f"/channels/{first}")
    expect(page.get_by_label("Message draft one")).to_have_value("half a thought")
    page.locator("[data-composer]").press("Enter")
    reply(page, "half a thought")
    page.goto(f"/channels/{second}")
    page.goto(f"/channels/{first}")
    expect(page.get_by_label("Message draft one")).to_have_value("")


def test_unread_messages_are_marked_until_they_have_been_seen(house: House, visit: Opened) -> None:
    other = house.user("Una Reader")
    quiet, busy = house.channel("quiet", other, agent=False), house.channel("busy", other, agent=False)
    page = visit(house, f"/channels/{quiet}", user=other)
    link = page.get_by_role("navigation", name="Main").get_by_role("link", name=re.compile("busy"))
    expect(link).to_have_accessible_name("busy")
    house.post(busy, "news")
    expect(link).to_have_accessible_name(re.compile("unread", re.IGNORECASE))
    link.click()
    expect(page.get_by_role("feed").get_by_text("New", exact=True)).to_be_visible()
    expect(link).to_have_accessible_name("busy")


def test_a_deleted_message_comes_back_by_undo(house: House, visit: Opened) -> None:
    channel = house.channel("undo", agent=False)
    house.post(channel, "a slip of the tongue")
    page = visit(house, f"/channels/{channel}")
    page.get_by_text("a slip of the tongue").hover()
    page.get_by_role("button", name="Delete").click()
    reply(page, "This message was deleted.")
    page.get_by_role("button", name="Undo").click()
    reply(page, "a slip of the tongue")


def test_a_channel_is_exported_as_json_and_as_markdown(house: House, visit: Opened, tmp_path: Path) -> None:
    channel = house.channel("export", agent=False)
    house.post(channel, "to be kept")
    page = visit(house, f"/channels/{channel}?panel=details")
    texts: dict[str, str] = {}
    for name in ("JSON", "Markdown"):
        with page.expect_download() as download:
            page.get_by_role("link", name=re.compile(name)).click()
        download.value.save_as(tmp_path / name)
        texts[name] = (tmp_path / name).read_text()
    assert "to be kept" in json.dumps(json.loads(texts["JSON"]))
    assert "to be kept" in texts["Markdown"]


def test_a_thread_is_exported_by_itself(house: House, visit: Opened) -> None:
    channel = house.channel("export thread", agent=False)
    root = house.post(channel, "the root")["message"]["id"]
    house.post(channel, "a reply", reply_to=root)
    house.post(channel, "something else")
    page = visit(house, f"/channels/{channel}?thread={root}")
    page.get_by_role("button", name="Export this thread").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Markdown").click()
    text = download.value.path().read_text()
    assert "a reply" in text
    assert "something else" not in text


def test_an_api_key_is_shown_once_and_works(house: House, visit: Opened) -> None:
    page = visit(house, "/settings/keys")
    page.get_by_role("button", name=re.compile("New key|Make a key|key", re.IGNORECASE)).first.click()
    page.get_by_label("Name", exact=True).fill("a script")
    page.get_by_role("form", name="New API key").get_by_role("button").first.click()
    shown = page.get_by_role("region", name="The key a script")
    secret = re.search(r"rtn_[\w-]+", shown.inner_text())
    assert secret, shown.inner_text()
    assert house.api("GET", "/v1/me", key=secret.group())["user"]["id"] == house.owner
    page.reload()
    expect(page.get_by_text("a script")).to_be_visible()
    assert secret.group() not in page.content()


def test_a_person_who_is_invited_signs_in_by_the_link_that_is_shown(house: House, visit: Opened) -> None:
    page = visit(house, "/settings/people")
    page.get_by_role("button", name=re.compile("Invite")).click()
    form = page.get_by_role("form", name="Invite someone")
    form.get_by_label("Name").fill("Grace Newcomer")
    form.get_by_label("E-mail").fill("grace@example.org")
    form.get_by_role("button").first.click()
    shown = page.get_by_role("region", name="Link for Grace Newcomer")
    link = re.search(r"http\S+/sign-in\?token=\S+", shown.inner_text())
    assert link, shown.inner_text()
    theirs = visit(house, link.group(), user=None)
    theirs.get_by_role("button", name="Sign in").click()
    expect(theirs.get_by_text("Grace Newcomer").first).to_be_visible()


def test_dark_and_compact_are_there_from_the_first_paint_of_the_next_visit(house: House, visit: Opened) -> None:
    page = visit(house, "/settings/appearance")
    page.get_by_text("Dark", exact=True).click()
    page.get_by_label(re.compile("^Compact")).check()
    page.reload(wait_until="commit")
    page.wait_for_selector("html[data-mantine-color-scheme=dark]", state="attached")
    expect(page.get_by_label(re.compile("^Compact"))).to_be_checked()


def test_a_model_provider_is_tested_with_the_real_error(house: House, visit: Opened) -> None:
    page = visit(house, "/settings/models")
    page.get_by_role("combobox", name="Model id").fill("openai/gpt-4o-mini")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("openai/gpt-4o-mini answered after")).to_be_visible()
    page.get_by_role("combobox", name="Model id").fill("nowhere/none")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("nowhere/none failed after")).to_be_visible()

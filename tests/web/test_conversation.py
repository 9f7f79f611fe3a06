"""Talking with an agent in a browser: asking, reading along, looking inside, stopping, trying again."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.web.conftest import Opened
from tests.web.house import House
from tests.web.talk import reply, write


def test_a_newcomer_signs_in_by_the_printed_link_and_has_an_answer_with_one_more_click(
    own_house: House, visit: Opened
) -> None:
    page = visit(own_house, f"/sign-in?token={own_house.link(own_house.owner)}", user=None)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Welcome, Owner")).to_be_visible()
    expect(page.get_by_label("Language model")).to_contain_text("Connected")
    page.get_by_text("What time is it in Lisbon and in Tokyo?").click()
    expect(page).to_have_url(re.compile("/channels/ch_"))
    reply(page, "It is what the tool says.")


@pytest.mark.requirement("TRG-18")
def test_that_an_agent_thinks_is_said_before_the_server_has_answered(house: House, visit: Opened) -> None:
    page = visit(house, f"/channels/{house.channel('thinking')}")
    expect(page.locator("[data-composer]")).to_be_visible()
    page.wait_for_load_state("networkidle")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/messages", hold)
    write(page, "hello")
    expect(page.get_by_role("feed").get_by_text("Thinking")).to_be_visible()
    assert len(held) == 1, "the message has not reached the server yet"
    held[0].continue_()
    reply(page, "Understood.")


@pytest.mark.requirement("AGT-24")
def test_a_tool_call_is_a_line_that_opens_in_place_and_leads_to_the_timeline(house: House, visit: Opened) -> None:
    page = visit(house, f"/channels/{house.channel('tools')}")
    write(page, "what time is it?")
    reply(page, "It is what the tool says.")
    card = page.get_by_role("button", name=re.compile("current time", re.IGNORECASE))
    expect(card).to_have_attribute("aria-expanded", "false")
    card.click()
    expect(page.get_by_role("region", name="arguments")).to_contain_text("Europe/Lisbon")
    expect(page.get_by_role("region", name="result")).to_contain_text("20")
    page.get_by_role("link", name="Open in the timeline").click()
    expect(page).to_have_url(re.compile(r"/activity/int_\w+\?step="))
    expect(page.get_by_text("Europe/Lisbon").first).to_be_visible()


def test_a_tool_call_opened_while_the_reply_streams_stays_open_when_it_has_ended(house: House, visit: Opened) -> None:
    page = visit(house, f"/channels/{house.channel('open card')}")
    write(page, "and in Tokyo?")
    card = page.get_by_role("button", name=re.compile("current time", re.IGNORECASE))
    card.click()
    reply(page, re.compile("word80 the end."))
    expect(page.get_by_role("link", name="Details of this turn")).to_be_visible()
    expect(card).to_have_attribute("aria-expanded", "true")
    expect(card).to_be_focused()


@pytest.mark.requirement("AGT-25")
def test_a_reply_that_streams_is_whole_after_the_page_is_loaded_again_in_its_middle(
    house: House, visit: Opened
) -> None:
    page = visit(house, f"/channels/{house.channel('reload')}")
    write(page, "say it slowly")
    reply(page, re.compile("word7 "))
    assert "the end." not in page.get_by_role("feed").inner_text()
    page.reload()
    reply(page, re.compile("word9 "))
    reply(page, re.compile("word80 the end."))
    assert page.get_by_role("feed").inner_text().count("word41 ") == 1


@pytest.mark.requirement("CHN-09")
def test_what_one_writes_the_other_reads_and_both_read_the_reply_as_it_comes(house: House, visit: Opened) -> None:
    other = house.user("Ada Reader")
    place = f"/channels/{house.channel('together', other)}"
    one, two = visit(house, place), visit(house, place, user=other)
    expect(two.locator("[data-composer]")).to_be_visible()
    one.locator("[data-composer]").press_sequentially("say it")
    expect(two.get_by_text("is typing")).to_be_visible()
    write(one, "say it slowly, please")
    reply(two, "say it slowly, please")
    for page in (one, two):
        reply(page, re.compile("word7 "))
    for page in (one, two):
        reply(page, re.compile("the end."))


@pytest.mark.requirement("AGT-25")
def test_a_server_killed_in_mid_answer_and_started_again_completes_the_reply_on_the_open_page(
    own_house: House, visit: Opened
) -> None:
    page = visit(own_house, f"/channels/{own_house.channel('killed')}")
    page.evaluate("window.untouched = true")
    write(page, "say it slowly")
    reply(page, re.compile("word7 "))
    own_house.kill()
    own_house.start()
    expect(page.get_by_role("feed").get_by_text(re.compile("the end."))).to_be_visible(timeout=60_000)
    assert page.evaluate("window.untouched"), "nobody loaded the page again"
    text = page.get_by_role("feed").inner_text()
    assert (text.count("word41 "), text.count("the end.")) == (1, 1)
    expect(page.get_by_role("status").filter(has_text="Reconnecting")).to_have_count(0)


def test_stop_ends_the_turn_and_says_so_quietly(house: House, visit: Opened) -> None:
    page = visit(house, f"/channels/{house.channel('stop')}")
    write(page, "say it slowly")
    reply(page, re.compile("word3 "))
    page.get_by_role("button", name="Stop", exact=True).click()
    reply(page, "Stopped.")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_failed_turn_says_what_happened_and_works_when_tried_again(house: House, visit: Opened) -> None:
    page = visit(house, f"/channels/{house.channel('fails')}")
    write(page, "break once")
    failed = page.get_by_role("group", name="Failed turn")
    expect(failed).to_be_visible()
    expect(failed).not_to_contain_text("Traceback")
    failed.get_by_role("button", name="Try again").click()
    reply(page, "It works now.")


def test_a_picture_is_uploaded_shown_and_kept(house: House, visit: Opened) -> None:
    page = visit(house, f"/channels/{house.channel('files', agent=False)}")
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Add files").click()
    chosen.value.set_files(
        [
            {"name": "point.png", "mimeType": "image/png", "buffer": PICTURE},
            {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"some notes"},
        ]
    )
    expect(page.get_by_label("Files of this message")).to_contain_text("notes.txt")
    page.locator("[data-composer]").fill("here they are")
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    write(page, "here they are")
    for _ in range(2):
        files = page.get_by_role("feed").get_by_label("Files")
        expect(files.get_by_role("img")).to_have_js_property("naturalWidth", 8)
        expect(files).to_contain_text("notes.txt")
        page.reload()


def test_a_message_is_edited_and_taken_back_and_a_reaction_is_seen_by_others(house: House, visit: Opened) -> None:
    other = house.user("Bob Reader")
    channel = house.channel("edits", other, agent=False)
    house.post(channel, "first words")
    one, two = visit(house, f"/channels/{channel}"), visit(house, f"/channels/{channel}", user=other)
    reply(two, "first words")
    box = one.locator("[data-composer]").first
    box.press("ArrowUp")
    edit = one.get_by_label("Edit your message")
    edit.fill("better words")
    edit.press("Enter")
    reply(two, "better words")
    two.get_by_text("better words").hover()
    two.get_by_role("button", name="Add a reaction").click()
    two.get_by_role("button", name="Heart").click()
    expect(one.get_by_role("group", name="Reactions").get_by_role("button").first).to_contain_text("1")


@pytest.mark.requirement("CHN-10")
def test_a_question_in_a_thread_is_answered_in_the_thread(house: House, visit: Opened) -> None:
    channel = house.channel("threads")
    told = house.post(channel, "hello")["message"]["id"]
    house.settled(channel)
    page = visit(house, f"/channels/{channel}?thread={told}")
    panel = page.get_by_role("region", name="Messages of this thread")
    expect(panel).to_be_visible()
    box = page.get_by_label("Reply in this thread")
    box.fill("say it with markdown")
    box.press("Enter")
    expect(panel.get_by_role("cell", name="2")).to_be_visible()
    expect(page.get_by_role("feed").first.get_by_role("cell", name="2")).to_have_count(0)


@pytest.mark.requirement("AGT-19")
def test_an_edit_of_an_agent_counts_from_its_next_turn(house: House, visit: Opened) -> None:
    agent = house.api("POST", "/v1/agents", {"name": "Sailor", "slug": "sailor", "system_prompt": "You are plain."})
    channel = house.channel("sailor", agent=False)
    house.api("POST", f"/v1/channels/{channel}/members", {"agent_id": agent["id"], "trigger_mode": "proactive"})
    page = visit(house, f"/channels/{channel}")
    write(page, "hello")
    reply(page, "Understood.")
    page.goto(f"/agents/{agent['id']}/edit")
    page.get_by_role("textbox", name="Prompt").fill("You are a pirate.")
    page.get_by_role("button", name=re.compile("^Save")).click()
    expect(page).to_have_url(re.compile(f"/agents/{agent['id']}$"))
    page.goto(f"/channels/{channel}")
    write(page, "hello again")
    reply(page, "Arr, matey.")


@pytest.mark.parametrize("width", [360, 390])
def test_on_a_phone_one_finds_a_channel_asks_and_reads_without_scrolling_sideways(
    house: House, visit: Opened, width: int
) -> None:
    channel = house.channel(f"phone {width}")
    page = visit(house, "/agents", viewport={"width": width, "height": 740}, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="Open sidebar").click()
    page.get_by_role("link", name=f"phone {width}").click()
    expect(page).to_have_url(re.compile(channel))
    write(page, "show markdown")
    expect(page.get_by_role("feed").get_by_role("cell", name="2")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000080000000808020000004b6d29dc0000001149444154789c63304e9b891531"
    "0c2d0900cafb4c8100e227ab0000000049454e44ae426082"
)
"""Eight pixels square."""

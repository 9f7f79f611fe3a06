"""What people, models and files say is text: nothing of it runs, loads or leads where it does not say."""

import re

from playwright.sync_api import Page, Request, expect

from tests.web.conftest import Opened
from tests.web.house import House
from tests.web.vectors import VECTORS

WATCH = """
window.ran = [];
for (const name of ['alert', 'prompt', 'confirm', 'print']) window[name] = (...words) => ran.push([name, ...words]);
document.addEventListener('securitypolicyviolation', event =>
    ran.push(['csp', event.violatedDirective, event.blockedURI]));
"""
HANDLERS = """() => [...document.querySelectorAll('main *')].flatMap(one => [...one.attributes]
    .filter(({name, value}) => name.startsWith('on') || name === 'srcdoc'
        || (/^(href|src|xlink:href|action|formaction|data)$/.test(name)
            && /^\\s*(javascript|vbscript|data:text)/i.test(value)))
    .map(({name, value}) => `${one.tagName} ${name}=${value}`))"""
FORBIDDEN = (
    "main :is(script, iframe, object, embed, base, meta, link, form[action], style, foreignObject, animate, set)"
)


def watched(house: House, visit: Opened, path: str, outside: list[str]) -> Page:
    page = visit(house, "/agents")
    page.context.add_init_script(WATCH)

    def saw(request: Request) -> None:
        if not request.url.startswith((house.base, "data:", "blob:")):
            outside.append(request.url)

    page.on("request", saw)
    page.goto(path)
    return page


def test_no_vector_of_the_corpus_runs_loads_or_navigates(house: House, visit: Opened) -> None:
    channel = house.channel("hostile", agent=False)
    for vector in VECTORS:
        house.post(channel, vector)
    house.post(channel, "the last one")
    outside: list[str] = []
    page = watched(house, visit, f"/channels/{channel}", outside)
    feed = page.get_by_role("feed")
    expect(feed.get_by_text("the last one")).to_be_visible()
    seen = 0
    for _ in range(200):
        seen = max(seen, feed.locator("article").count())
        assert page.evaluate(HANDLERS) == []
        expect(page.locator(FORBIDDEN)).to_have_count(0)
        for target, relation in page.evaluate(LINKS):
            assert re.match(r"(https?://|mailto:|/|#)", target), target
            assert "noopener" in relation or not target.startswith("http"), target
        if not page.evaluate(SCROLL_UP):
            break
        page.wait_for_timeout(30)
    assert seen > 1
    assert page.evaluate("ran") == []
    assert outside == []
    assert page.url.startswith(f"{house.base}/channels/{channel}")


LINKS = """() => [...document.querySelectorAll('[role=feed] a')]
    .map(one => [one.getAttribute('href') || '', one.getAttribute('rel') || ''])"""
"""All at one moment: the list lets rows go while it is read."""
SCROLL_UP = """() => { const box = [...document.querySelectorAll('main *')]
    .filter(one => one.scrollHeight > one.clientHeight + 50 && /auto|scroll/.test(getComputedStyle(one).overflowY))
    .sort((a, b) => b.clientHeight - a.clientHeight)[0];
    if (!box || box.scrollTop <= 0) return false;
    box.scrollTop -= box.clientHeight / 2;
    return true; }"""


def test_a_model_that_answers_with_the_corpus_runs_nothing_either(house: House, visit: Opened) -> None:
    channel = house.channel("hostile model")
    outside: list[str] = []
    page = watched(house, visit, f"/channels/{channel}", outside)
    page.locator("[data-composer]").fill("answer hostile")
    page.keyboard.press("Enter")
    expect(page.get_by_role("feed").get_by_text("the corpus ends")).to_be_visible()
    assert page.evaluate(HANDLERS) == []
    expect(page.locator(FORBIDDEN)).to_have_count(0)
    assert (page.evaluate("ran"), outside) == ([], [])


def test_names_of_channels_agents_people_and_files_are_text(house: House, visit: Opened) -> None:
    name = "<img src=x onerror=alert(1)>"
    person = house.user("<svg onload=alert(2)>")
    agent = house.api(
        "POST", "/v1/agents", {"name": name, "slug": "hostile-name", "description": "<script>alert(3)</script>"}
    )
    channel = house.channel(name, person, agent=False)
    house.api("POST", f"/v1/channels/{channel}/members", {"agent_id": agent["id"], "trigger_mode": "mention"})
    outside: list[str] = []
    page = watched(house, visit, f"/channels/{channel}?panel=members", outside)
    for place in (
        f"/channels/{channel}?panel=members",
        "/agents",
        f"/agents/{agent['id']}",
        "/settings/people",
        "/channels",
    ):
        page.goto(place)
        expect(page.get_by_text(re.compile(r"<(img|svg|script)")).first).to_be_visible()
        assert page.evaluate(HANDLERS) == []
        assert page.evaluate("ran") == []
    assert outside == []


def test_the_policy_of_the_page_would_stop_a_script_that_got_in(house: House, visit: Opened) -> None:
    page = visit(house, "/agents", console=False)
    page.evaluate(
        """() => new Promise(done => {
        document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.ran = 1">');
        document.body.lastChild.addEventListener('error', done, {once: true}); })"""
    )
    page.evaluate(
        """() => { const made = document.createElement('script'); made.textContent = 'window.ran = 2';
        document.body.append(made) }"""
    )
    assert page.evaluate("window.ran === undefined")
    policy = page.request.get(f"{house.base}/agents", headers={"accept": "text/html"}).headers[
        "content-security-policy"
    ]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert scripts == "script-src 'self'"
    assert "frame-ancestors 'none'" in policy


def test_a_hostile_file_is_downloaded_never_shown(house: House, visit: Opened) -> None:
    channel = house.channel("hostile files", agent=False)
    page = visit(house, f"/channels/{channel}")
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Add files").click()
    drawing = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(2)</script></svg>"
    chosen.value.set_files([{"name": "drawing.svg", "mimeType": "image/svg+xml", "buffer": drawing}])
    tray = page.get_by_label("Files of this message").or_(page.get_by_role("alert")).first
    expect(tray).to_be_visible()
    if page.get_by_role("alert").count():
        return  # this kind is refused
    page.locator("[data-composer]").fill("look")
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    page.locator("[data-composer]").press("Enter")
    file = page.get_by_role("feed").get_by_label("Files").get_by_role("link").first
    answer = page.request.get(house.base + (file.get_attribute("href") or ""))
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]

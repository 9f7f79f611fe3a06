"""Take the pictures of docs/screens: every page of the web app on a real server, wide and on a phone, light and dark.

``python tools/screens.py`` takes all of them; words given after it choose those whose names contain one. Needs the
built app (``make setup``) and Chromium. The organisation shown is that of tools/screens.yaml, on a day that never ends:
a second run takes the same pictures, so that a changed file is a changed page.
"""

import asyncio
import itertools
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from screens_png import small  # noqa: E402
from screens_world import ACCOUNT, LOCALE, NOW, WORLD, Studio, World, models, tools  # noqa: E402

from bench import chromium  # noqa: E402
from bench.harness import Server  # noqa: E402
from retinue.db import migrate  # noqa: E402
from tests.conftest import SECRET  # noqa: E402
from tests.web.conftest import browser_path  # noqa: E402

SCREENS = ROOT / "docs" / "screens"
FORMS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "tablet": {"viewport": {"width": 1024, "height": 768}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
SCHEMES = {"desktop": ("light", "dark"), "tablet": ("light",), "phone": ("light", "dark")}
BOTH, ALL = ("desktop", "phone"), ("desktop", "tablet", "phone")
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
%s</fontconfig>
"""
"""Stands in for the system font of a desk: what servers have instead is wider than what people read."""
FAMILIES = [("system-ui", "Inter"), ("sans", "Inter"), ("sans-serif", "Inter"), ("monospace", "Liberation Mono")]
FONT = (
    '<match target="pattern"><test name="family"><string>{0}</string></test><edit name="family" mode="prepend" '
    'binding="strong"><string>{1}</string></edit></match>'
)

Act = Callable[[Page], Any]


@dataclass(frozen=True)
class Shot:
    """One page in one state: its address, and what is done there before the picture is taken."""

    name: str
    path: str
    what: str
    act: Act | None = None
    before: Act | None = None
    """Before the page is opened: what the network does."""
    signed_in: bool = True
    forms: tuple[str, ...] = BOTH
    live: bool = False
    """Taken first, while an agent works: a model is not waited for without end."""


# ── what is done on a page ───────────────────────────────────────────────────────────────────────────────────────


def refused(path: str | re.Pattern[str]) -> Act:
    """The server cannot answer these requests."""
    body = {"title": "Unavailable", "status": 503, "code": "unavailable", "detail": "The database is away."}
    return lambda page: page.route(path, lambda route: route.fulfill(status=503, json=body))


def hanging(path: str | re.Pattern[str]) -> Act:
    """The server takes its time with these requests."""
    return lambda page: page.route(path, lambda _: None)


def open_card(page: Page) -> None:
    card = page.get_by_role("button", name=re.compile("stock level", re.IGNORECASE)).first
    card.scroll_into_view_if_needed()
    card.click()
    expect(page.get_by_role("region", name="result")).to_be_visible()


def palette(page: Page) -> None:
    page.locator("body").press("Control+k")
    box = page.get_by_label("Go to, do, or search messages")
    box.press_sequentially("guji")
    expect(page.get_by_role("dialog").get_by_text("kg of Guji").first).to_be_visible()


def mention(page: Page) -> None:
    page.locator("[data-composer]").first.press_sequentially("@")
    expect(page.get_by_role("listbox", name="People and agents")).to_be_visible()


def sidebar(page: Page) -> None:
    page.get_by_role("button", name="Open sidebar").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def try_out(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Try")).first.click()
    box = page.get_by_role("textbox", name=re.compile("^(Say|Ask|Message|Try)")).last
    box.fill("How many cups does one bag make?")
    box.press("Enter")
    expect(page.get_by_text("about 15 cups")).to_be_visible()


def timed(page: Page) -> None:
    """What the scripted model answers at once took 2.4 s."""

    def answer(route: Route) -> None:
        response = route.fetch()
        turn = response.json()
        if turn["ended_at"]:
            began = datetime.fromisoformat(turn["started_at"])
            turn["ended_at"] = (began + timedelta(seconds=2.4)).isoformat()
        route.fulfill(response=response, json=turn)

    page.route(re.compile(r"/v1/interactions/int_[a-z0-9]+$"), answer)


def tab(name: str) -> Act:
    return lambda page: page.get_by_role("tab", name=re.compile(name)).first.click()


def catalogue(page: Page) -> None:
    page.get_by_text("Catalogue", exact=True).click()


def press(name: str) -> Act:
    return lambda page: page.get_by_role("button", name=re.compile(name)).first.click()


def sealed(page: Page) -> None:
    """The last seal was made four seconds ago, and nothing is seen of the verifications of other pictures."""

    def answer(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, json=response.json() | {"sealed_at": (NOW - timedelta(seconds=4)).isoformat()})

    def without(route: Route) -> None:
        response = route.fetch()
        lines = response.json()
        lines["data"] = [line for line in lines["data"] if line["event"] != "audit.verify"]
        route.fulfill(response=response, json=lines)

    page.route("**/v1/audit/seal", answer)
    page.route("**/v1/audit?*", without)


def verified(page: Page) -> None:
    expect(page.get_by_role("region", name="Seals")).to_contain_text("no line waiting")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("region", name="Seals").get_by_role("status")).to_contain_text("Whole")


def open_line(page: Page) -> None:
    page.get_by_role("row").filter(has_text="Tool called").first.click()
    expect(page.get_by_role("region", name="All of the line")).to_be_visible()


SECTIONS = ("profile", "security", "keys", "appearance", "account", "people", "teams", "models", "storage")
MESSAGES = re.compile(r"/v1/channels/[^/]+/messages\?")
SHOTS = (
    Shot("sign-in", "/sign-in", "Signing in", signed_in=False),
    Shot("welcome", "/welcome", "The first page of a new installation"),
    Shot("conversation", "/channels/{website}", "A channel of people and agents, at its end", forms=ALL),
    Shot("conversation-markdown", "/channels/{website}?message={prices}", "Code, a table, a thread, reactions"),
    Shot("conversation-tools", "/channels/{website}?message={margin}", "A tool call opened in place", open_card),
    Shot("conversation-failed", "/channels/{website}?message={fails}", "A turn that failed, one that was stopped"),
    Shot("conversation-empty", "/channels/{quiet}", "A channel in which nothing was said yet"),
    Shot("conversation-loading", "/channels/{website}", "While messages are on their way", before=hanging(MESSAGES)),
    Shot("conversation-error", "/channels/{website}", "Messages that could not be loaded", before=refused(MESSAGES)),
    Shot("conversation-streaming", "/channels/{stream}", "A reply as it comes", live=True),
    Shot("conversation-thread", "/channels/{website}?thread={prices}", "A thread beside its channel", forms=ALL),
    Shot("conversation-details", "/channels/{website}?panel=details", "A channel, and how agents answer", forms=ALL),
    Shot("conversation-members", "/channels/{website}?panel=members", "Who is in a channel"),
    Shot("conversation-mention", "/channels/{website}", "Whom to mention", mention),
    Shot("palette", "/channels/{website}", "Go to anything, do anything", palette, forms=("desktop", "tablet")),
    Shot("sidebar", "/channels/{website}", "The sidebar on a phone", sidebar, forms=("phone",)),
    Shot("channels", "/channels", "All channels one can see"),
    Shot("channel-new", "/channels?new=true", "A new channel"),
    Shot("activity", "/activity", "Every turn of every agent", live=True, forms=ALL),
    Shot("activity-filtered", "/activity?state=failed", "Turns that failed"),
    Shot("activity-error", "/activity", "Turns that could not be loaded", before=refused("**/v1/interactions?*")),
    Shot("interaction", "/activity/{margin_turn}", "One turn on a time axis"),
    Shot("interaction-step", "/activity/{margin_turn}?step=2", "A step of it: what went in, what came out", forms=ALL),
    Shot("interaction-prompt", "/activity/{margin_turn}?step=1", "The prompt, as the model had it", press("prompt")),
    Shot("interaction-config", "/activity/{margin_turn}", "What changed in the agent since", press("Compare with now")),
    Shot("audit", "/audit", "Who did what, in a record that is sealed", before=sealed, forms=ALL),
    Shot("audit-line", "/audit?event=tool.call", "A line of it, opened", open_line, sealed, forms=ALL),
    Shot("audit-verified", "/audit", "Every line compared with its seal", verified, sealed),
    Shot("audit-empty", "/audit?event=secret.delete", "No line fits the filters", before=sealed),
    Shot("agents", "/agents", "All agents", live=True, forms=ALL),
    Shot("agents-catalogue", "/agents", "Agents to install", catalogue),
    Shot("agent", "/agents/{ledger}", "One agent: what it does, where, and what it costs", forms=ALL),
    Shot("agent-you", "/agents/{ledger}", "What one sets about an agent for oneself", tab("For you")),
    Shot("agent-form", "/agents/{ledger}/edit", "Changing an agent"),
    Shot("agent-try", "/agents/{ledger}/edit", "Trying it before it is saved", try_out, timed, forms=ALL),
    *(
        Shot(f"settings-{name}", f"/settings/{name}", f"Settings: {name}", forms=ALL if name == "people" else BOTH)
        for name in SECTIONS
    ),
    Shot("not-found", "/nowhere", "An address that leads nowhere"),
)  # fmt: skip


# ── taking pictures ──────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def opened() -> Iterator[World]:
    """A server on a database of its own in which the organisation has lived for a month."""
    folder = Path(tempfile.mkdtemp(prefix="retinue-screens-"))
    played = models()
    played.start()
    with Server() as server, tools() as port:
        house = Studio(asyncio.run(prepared(server)), folder, played)
        house.tools_port = port
        try:
            house.init()
            house.start()
            world = World(house)
            world.found()
            world.live()
            world.stream()
            world.date()
            yield world
        finally:
            house.kill()
            played.stop()
            shutil.rmtree(folder, ignore_errors=True)


async def prepared(server: Server) -> str:
    """A migrated database on the day of the pictures."""
    url = await server.create("screens")
    await migrate.migrate(url, SECRET)
    connection = await asyncpg.connect(url)
    seconds = await connection.fetchval("select extract(epoch from $1::timestamptz - now())", NOW)
    await connection.execute(f"alter database screens set retinue.clock_offset = '{seconds} seconds'")
    await connection.execute("insert into retinue.account (id, name, slug) values ($1, 'Home', 'home')", ACCOUNT)
    await connection.close()
    return url


def names(world: World) -> dict[str, str]:
    turns = {f"{name}_turn": turn for name, turn in world.turns.items()}
    return world.agents | world.channels | world.messages | turns


def take(context: BrowserContext, world: World, shot: Shot) -> bytes:
    """One picture, as PNG, by somebody who comes for the first time."""
    page = context.new_page()
    page.add_init_script("localStorage.clear()")
    page.clock.set_fixed_time(NOW)
    if shot.before:
        shot.before(page)
    page.goto(shot.path.format(**names(world)))
    settle(page, shot)
    if shot.act:
        shot.act(page)
        page.evaluate(QUIET)
    taken = page.screenshot(animations="disabled")
    page.unroute_all(behavior="ignoreErrors")
    page.close()
    return taken


@contextmanager
def looking(browser: Browser, world: World, form: str, scheme: str, signed_in: bool) -> Iterator[BrowserContext]:
    """A browser of this form and scheme."""
    context = browser.new_context(
        **FORMS[form], base_url=world.house.base, color_scheme=scheme, reduced_motion="reduce",  # type: ignore[arg-type]
        locale=LOCALE, timezone_id=WORLD["zone"],
    )  # fmt: skip
    if signed_in:
        context.add_cookies(COOKIES)
    yield context
    context.close()


def sign_in(browser: Browser, world: World) -> None:
    """As the owner, in this browser."""
    context = browser.new_context(base_url=world.house.base)
    page = context.new_page()
    page.goto(f"/sign-in?token={world.house.link(world.house.owner)}")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    COOKIES[:] = context.cookies()
    context.close()
    world.date()


COOKIES: list[Any] = []


def settle(page: Page, shot: Shot) -> None:
    """Until the page shows what it asked for."""
    expect(page.get_by_role("main").first).to_be_visible()
    if "error" in shot.name:
        expect(page.get_by_role("alert")).to_be_visible(timeout=30_000)
    elif "loading" not in shot.name:
        expect(page.locator("[role=status][aria-label^='Loading']")).to_have_count(0, timeout=20_000)
    page.evaluate(QUIET)
    page.evaluate("() => document.querySelector('[data-pointed]')?.scrollIntoView({block: 'center'})")


QUIET = """() => new Promise(done => {
  let timer = setTimeout(done, 1000);
  const again = () => { clearTimeout(timer); timer = setTimeout(done, 1000); };
  new MutationObserver(again).observe(document.body, {subtree: true, childList: true, attributes: true});
  setTimeout(done, 8000);
})"""
"""Until nothing has changed on the page for a second."""


def readme() -> str:
    lines = [
        "# Screens\n",
        "Every page of the web app, taken by `.venv/bin/python tools/screens.py` from a real server with a scripted",
        "model and the small organisation of `tools/screens.yaml`. 1440 and 390 pixels wide, light and dark, and",
        "the main ones 1024 pixels wide. The letters are Inter and Noto Color Emoji, where these are installed.\n",
        "| what | desktop | tablet | phone |\n|---|---|---|---|",
    ]
    for shot in SHOTS:
        cells = [
            " · ".join(f"[{scheme}]({shot.name}-{form}-{scheme}.png)" for scheme in SCHEMES[form])
            if form in shot.forms
            else ""
            for form in FORMS
        ]
        lines.append(f"| {shot.what} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


@contextmanager
def browser(playwright: Playwright, folder: Path) -> Iterator[Browser]:
    """Chromium with the fonts of a desk."""
    fonts = folder / "fonts.conf"
    fonts.write_text(FONTS % "".join(FONT.format(*pair) for pair in FAMILIES))
    environment: dict[str, str | float | bool] = {**os.environ, "FONTCONFIG_FILE": str(fonts)}
    launched = playwright.chromium.launch(executable_path=browser_path(), args=chromium.FLAGS, env=environment)
    yield launched
    launched.close()


def shoot(chromium: Browser, world: World, shots: Sequence[Shot]) -> int:
    """These pages in all forms and schemes; returns how many pictures failed."""
    failed = 0
    kinds = ((form, scheme) for form, schemes in SCHEMES.items() for scheme in schemes)
    for (form, scheme), signed_in in itertools.product(kinds, (True, False)):
        chosen = [shot for shot in shots if shot.signed_in == signed_in and form in shot.forms]
        with looking(chromium, world, form, scheme, signed_in) as context:
            for shot in chosen:
                name = f"{shot.name}-{form}-{scheme}.png"
                try:
                    (SCREENS / name).write_bytes(small(take(context, world, shot)))
                except (PlaywrightError, AssertionError) as error:
                    failed += 1
                    sys.stderr.write(f"{name}: {error}\n")
    return failed


def main() -> None:
    wanted = [shot for shot in SHOTS if not sys.argv[1:] or any(word in shot.name for word in sys.argv[1:])]
    SCREENS.mkdir(parents=True, exist_ok=True)
    with opened() as world, sync_playwright() as playwright, browser(playwright, world.house.folder) as chromium:
        sign_in(chromium, world)
        failed = shoot(chromium, world, [shot for shot in wanted if shot.live])
        world.hush()
        failed += shoot(chromium, world, [shot for shot in wanted if not shot.live])
    (SCREENS / "README.md").write_text(readme())
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

"""Stories in a real browser against a real server. Without a browser they are skipped, in CI they fail then."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from bench import chromium
from retinue.db import migrate
from retinue.testing.models import ScriptedModels
from tests.conftest import TEMPLATE, named
from tests.web.house import House, script

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "src" / "retinue" / "web" / "index.html"
EXPECTED = ("Failed to load resource", "net::ERR_", "EventSource")
"""What a browser logs by itself when a server is away or answers with an error that the page then shows."""
expect.set_options(timeout=15_000)


def browser_path() -> str:
    """The browser of this machine. Skips the test where there is none, and fails it in CI."""
    found = chromium.installed()
    if found is not None:
        return found
    if os.environ.get("RETINUE_REQUIRE_BROWSER"):
        pytest.fail("No browser is installed (chromium), and CI must not skip its stories.")
    # allow no-skip: a machine without a browser says so; CI installs one and fails above
    pytest.skip("No browser is installed: apt-get install chromium runs these stories.")


@pytest.fixture(scope="session")
def built() -> None:
    """The web app as `make setup` builds it."""
    assert BUILT.exists(), "The web app is not built: make setup builds it."


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Each story's own: Playwright's loop must not run on under the asynchronous tests of the same process."""
    path = browser_path()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=chromium.FLAGS)
        yield opened
        opened.close()


def _sql(url: str, sql: str) -> None:
    """In a thread of its own, because Playwright may hold this one's loop."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(sql)
        await connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, run()).result()


def _database(server_url: str, name: str) -> str:
    _sql(server_url, f"create database {name} template {TEMPLATE}")
    _sql(server_url, "; ".join(migrate.role_settings(name)))
    return named(server_url, name)


@contextmanager
def opened(server_url: str, name: str, **extra: str) -> Iterator[House]:
    """A house of its own; ``extra`` is more of its server's environment."""
    folder = Path(tempfile.mkdtemp(prefix="retinue-web-"))
    models = ScriptedModels(script())
    models.start()
    house = House(_database(server_url, name), folder, models, extra=extra)
    try:
        house.init()
        house.start()
        yield house
    finally:
        house.kill()
        models.stop()
        _sql(server_url, f"drop database if exists {name} with (force)")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def house(server_url: str, built: None) -> Iterator[House]:
    """One server for all stories that leave it standing; each makes its own channels."""
    browser_path()
    with opened(server_url, f"web_{os.getpid()}") as house:
        yield house


@pytest.fixture
def own_house(server_url: str, built: None) -> Iterator[House]:
    """A fresh server of this story's own."""
    browser_path()
    with opened(server_url, f"web_own_{os.getpid()}") as house:
        yield house


Opened = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Opened]:
    """Open a page as a signed-in user in a browser of its own. What its console calls an error fails the test."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(words in message.text for words in EXPECTED):
            wrong.append(message.text)

    def go(house: House, path: str = "/", user: str | None = "", *, console: bool = True, **options: Any) -> Page:
        options = {"viewport": {"width": 1280, "height": 800}, "base_url": house.base} | options
        context = browser.new_context(**options)
        contexts.append(context)
        if user is not None:
            context.add_cookies(house.cookies(user or house.owner))  # type: ignore[arg-type]
        page = context.new_page()
        if console:
            page.on("console", hear)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(path)
        return page

    yield go
    for number, context in enumerate(contexts):
        for page in context.pages:
            page.screenshot(path=tmp_path / f"{request.node.name[:40]}-{number}.png")
        context.close()
    assert wrong == []

"""The built web app: its files, its page at every address, and what is shown where it is not built."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from retinue.api import routes, security, web
from retinue.api.deps import AppState
from tests.api.conftest import as_client, problem

PAGE = f"<!doctype html><title>Retinue</title>{web.ROOT}"
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SCRIPT = b"console.log('hello');" * 50


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A build as Vite leaves it."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / "notes.py").write_text("secret")
    script = tmp_path / "assets" / "index-B4x_9-a.js"
    script.write_bytes(SCRIPT)
    script.with_name(script.name + ".gz").write_bytes(gzip.compress(SCRIPT))
    return tmp_path


@pytest.fixture
async def browser(state: AppState, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(web, "FOLDER", folder)
    async with as_client(routes.create(state), None) as opened:
        opened.headers.update(BROWSER)
        yield opened


@pytest.fixture
async def unbuilt(state: AppState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(web, "FOLDER", tmp_path / "nothing")
    async with as_client(routes.create(state), None) as opened:
        opened.headers.update(BROWSER)
        yield opened


@pytest.mark.parametrize("path", ["/", "/channels/ch_1?thread=msg_1", "/activity/int_1", "/settings/profile", "/v1x"])
async def test_every_address_of_the_app_gives_its_page_so_that_deep_links_work(
    browser: httpx.AsyncClient, path: str
) -> None:
    answer = await browser.get(path)
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["cache-control"] == "no-cache", "a new build counts at the next load"
    assert answer.headers["content-security-policy"] == security.PAGE_POLICY
    scripts = next(part for part in security.PAGE_POLICY.split("; ") if part.startswith("script-src"))
    assert scripts == "script-src 'self'", "no inline script, no eval, no other site"


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/nothing", "/v1/channels/x/y/z", "/assets/gone-1.js", "/assets/", "/healthz/x"]
)
async def test_addresses_of_the_api_and_of_missing_files_stay_problems(browser: httpx.AsyncClient, path: str) -> None:
    problem(await browser.get(path), 404, "not_found")


async def test_what_is_no_page_load_is_not_answered_with_the_page(browser: httpx.AsyncClient) -> None:
    problem(await browser.get("/channels/ch_1", headers={"accept": "application/json"}), 404, "not_found")
    problem(await browser.post("/channels/ch_1"), 404, "not_found")
    assert (await browser.get("/healthz")).json() == {"status": "ok"}
    assert (await browser.get("/openapi.json")).json()["info"]["title"] == "Retinue"


async def test_hashed_files_are_kept_for_ever_and_sent_packed_to_who_takes_it(browser: httpx.AsyncClient) -> None:
    for accepted, encoding in (("gzip, br", "gzip"), ("br", None), ("identity", None)):
        answer = await browser.get("/assets/index-B4x_9-a.js", headers={"accept-encoding": accepted})
        assert answer.status_code == 200 and answer.content == SCRIPT
        assert answer.headers.get("content-encoding") == encoding
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["vary"] == "accept-encoding"
    icon = await browser.get("/favicon.svg")
    assert (icon.headers["content-type"], icon.headers["cache-control"]) == ("image/svg+xml", "no-cache")
    assert (await browser.head("/favicon.svg")).status_code == 200


async def test_nothing_but_files_of_the_build_is_served(browser: httpx.AsyncClient, folder: Path) -> None:
    (folder.parent / "outside.js").write_text("secret")
    for path in ("/notes.py", "/assets/..%2f..%2foutside.js", "/..%2foutside.js", "/assets/%2e%2e/%2e%2e/outside.js"):
        answer = await browser.get(path)
        assert "secret" not in answer.text, path


async def test_a_link_page_signs_in_without_script_too_and_repeats_no_markup(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/sign-in", params={"token": '"><script>alert(1)</script>'})
    assert web.ROOT in answer.text and "<noscript>" in answer.text and "<script>" not in answer.text
    assert "set-cookie" not in answer.headers and answer.headers["cache-control"] == "no-store"
    assert "<form" not in (await browser.get("/sign-in")).text


async def test_without_a_build_the_plain_page_says_so(unbuilt: httpx.AsyncClient) -> None:
    page = await unbuilt.get("/")
    assert page.status_code == 200 and "not built" in page.text and "make run" in page.text
    assert 'action="/sign-in"' in (await unbuilt.get("/sign-in?token=rtl_x")).text
    problem(await unbuilt.get("/channels/ch_1"), 404, "not_found")

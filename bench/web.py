"""The web app in Chromium, on one machine with its server, the database and the model: how soon, how light, how steady.

Loads are cold: a browser context without cache each time. What a person waits for is measured inside the page, from the
navigation, the click or the key to the frame that shows it.
"""

import asyncio
import gzip
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, async_playwright

from bench import harness, model, node, world
from bench.chromium import FLAGS, installed
from bench.harness import Metric, Report, Server
from bench.model import Script
from bench.stream import FREELY, ask
from bench.wire import Connection
from retinue.api.auth import COOKIE
from retinue.domain import ids
from retinue.store import sessions

NAME = "web"
MESSAGES, OTHERS, OTHER_MESSAGES = 10_000, 12, 500
LOADS, QUICK_LOADS = 15, 5
STREAM_SECONDS, QUICK_STREAM_SECONDS = 3600, 20
WARM_SECONDS, QUICK_WARM_SECONDS = 180, 60
"""Replies and typing, before the heap is measured first: what is fetched and compiled once is there then, and what is
kept only up to a bound (rows, long messages, ended turns) has come near it. Quick: three replies."""
SAMPLES = 6
"""So often the heap is measured while replies stream, in the details: a leak is a slope, not a step."""
COLLECTIONS = 8
ELSEWHERE = frozenset({"code", "native"})
"""Kinds that are not the page's data: compiled code, and what the browser keeps outside of JavaScript's heap (of which
the greater part is the record of requests that its driver asks for)."""
KEYS, KEY_SECONDS = 150, 0.1
GAP = 0.005
"""Two hundred tokens a second."""
REPLY_SECONDS = 20
BUILT = harness.REPOSITORY / "src" / "retinue" / "web"

PAINTED = """
window.frame = () => new Promise(done => requestAnimationFrame(() => {
  const port = new MessageChannel();
  port.port1.onmessage = () => done(performance.now());
  port.port2.postMessage(0);
}));
window.painted = found => new Promise(done => {
  const look = () => { if (found()) frame().then(done); else requestAnimationFrame(look); };
  look();
});
window.shows = (place, words) => () => {
  const box = document.querySelector('[data-composer]'), feed = document.querySelector('[role=feed]');
  return box?.getAttribute('aria-label') === place && feed?.textContent.includes(words);
};
"""
"""``painted(found)``: the time (ms since navigation) of the first frame after ``found`` was true."""
KEY_TIMES = """() => {
  window.keys = [];
  document.addEventListener('keydown', event => frame().then(at => keys.push(at - event.timeStamp)), true);
}"""
SWITCH = """([address, place, words]) => new Promise(done => {
  const link = document.querySelector(`nav a[href="${address}"]`);
  const time = event => painted(shows(place, words)).then(at => done(at - event.timeStamp));
  link.addEventListener('click', time, {once: true});
  link.click();
})"""


async def run(quick: bool) -> Report:
    """See the module. Raises RuntimeError where no browser is installed or the app is not built."""
    path = installed()
    if path is None or not BUILT.exists():
        raise RuntimeError("bench web needs Chromium and the built app: apt-get install chromium, make setup")
    with Server() as server:
        url = await server.retinue()
        async with harness.owner(url) as connection:
            made = await world.make(connection)
            channels = await world.add_channels(connection, made, 1 + OTHERS)
            for channel, messages in zip(channels, (MESSAGES, *[OTHER_MESSAGES] * OTHERS), strict=True):
                await world.add_history(connection, made, channel, messages)
            key = await world.add_key(connection, made)
            _, token = await sessions.create(connection, made.account_id, made.user_id, 1)
            await world.settle(connection)
        async with (
            model.started(harness.environment(server.home, **FREELY), server.home) as env,
            node.serving(url, env, server.home) as (base, _process),
            browser(path) as chromium,
        ):
            place = Place(chromium, base, token, key, channels)
            loads, kilobytes = await place.loads(QUICK_LOADS if quick else LOADS)
            switches = await place.switches()
            steady = await place.stream(
                *((QUICK_WARM_SECONDS, QUICK_STREAM_SECONDS) if quick else (WARM_SECONDS, STREAM_SECONDS))
            )
        details = {
            "interactive_ms": harness.summary(loads),
            "switch_ms": harness.summary(switches),
            "server": await server.settings(),
            "browser": chromium.version,
        } | steady
    return Report(
        NAME,
        [
            Metric("interactive_s", round(max(loads) / 1000, 3), "s", "lower", 1.5),
            Metric("initial_js_kb", round(kilobytes, 1), "kB", "lower", 300.0),
            Metric("switch_ms", round(max(switches), 1), "ms", "lower", 200.0),
            Metric("keypress_ms", steady["keypress"]["p99"], "ms", "lower", 50.0),
            Metric("heap_growth_percent", steady["heap_growth_percent"], "%", "lower", 10.0),
        ],
        details,
    )


@asynccontextmanager
async def browser(path: str) -> AsyncIterator[Browser]:
    """A Chromium without a window."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        await chromium.close()


class Place:
    """A browser, the server it looks at, the session it is signed in with, the channels: the first is the long one."""

    def __init__(self, chromium: Browser, base: str, token: str, key: str, channels: list[UUID]) -> None:
        self.chromium, self.base, self.token, self.key, self.channels = chromium, base, token, key, channels

    def address(self, number: int) -> str:
        return f"/channels/{ids.encode('ch', self.channels[number])}"

    async def context(self) -> BrowserContext:
        """A person who comes for the first time, signed in."""
        context = await self.chromium.new_context(base_url=self.base, viewport={"width": 1280, "height": 800})
        await context.add_cookies([{"name": COOKIE, "value": self.token, "url": self.base}])
        await context.add_init_script(PAINTED)
        return context

    async def opened(self, context: BrowserContext) -> tuple[Page, float]:
        """The long channel, and the milliseconds from navigation to the frame that shows its end and the composer."""
        page = await context.new_page()
        await page.goto(self.address(0), wait_until="commit")
        words = f"Message {MESSAGES} of a long"
        return page, float(await page.evaluate("words => painted(shows('Message Chat 1', words))", words))

    async def loads(self, times: int) -> tuple[list[float], float]:
        """Milliseconds of each cold load; kilobytes of JavaScript, gzipped, that the first one fetched."""
        found: list[float] = []
        kilobytes = 0.0
        for number in range(times):
            context = await self.context()
            page, taken = await self.opened(context)
            found.append(taken)
            if number == 0:
                await page.wait_for_load_state("networkidle")
                kilobytes = sum(map(packed, await page.evaluate(SCRIPTS))) / 1000
            await context.close()
        return found, kilobytes

    async def switches(self) -> list[float]:
        """Milliseconds from the click on a channel, not opened before, to the frame that shows its end."""
        context = await self.context()
        page, _ = await self.opened(context)
        found: list[float] = []
        for number in range(1, len(self.channels)):
            wanted = [self.address(number), f"Message Chat {number + 1}", f"Message {OTHER_MESSAGES} of a long"]
            await page.wait_for_selector(f'nav a[href="{wanted[0]}"]')
            found.append(float(await page.evaluate(SWITCH, wanted)))
        await context.close()
        return found

    async def stream(self, warm: float, seconds: float) -> dict[str, Any]:
        """What keys cost while replies stream, and how the heap grows from the end of ``warm`` seconds on."""
        context = await self.context()
        page, _ = await self.opened(context)
        await page.evaluate(KEY_TIMES)
        session = await context.new_cdp_session(page)
        connection = Connection(self.base, self.key)
        typing = asyncio.create_task(type_keys(page))
        await self.replies(page, connection, warm)
        await typing
        await page.evaluate("keys.length = 0")
        heaps, begin = [await heap(session)], time.monotonic()
        typing = asyncio.create_task(type_keys(page))
        tokens, parts = 0, max(1, min(SAMPLES, round(seconds / REPLY_SECONDS)))
        for _ in range(parts):
            tokens += await self.replies(page, connection, seconds / parts)
            heaps.append(await heap(session))
        taken = time.monotonic() - begin
        await typing
        keys: list[float] = await page.evaluate("keys")
        connection.cut()
        await context.close()
        return {
            "keypress": harness.summary(keys),
            "heap_growth_percent": round((heaps[-1].data / heaps[0].data - 1) * 100, 1),
            "heap_data_mb": [round(each.data / 1e6, 2) for each in heaps],
            "heap_code_mb": [round(each.code / 1e6, 2) for each in heaps],
            "heap_used_mb": [round(each.used / 1e6, 2) for each in heaps],
            "tokens_per_second": round(tokens / taken, 1),
            "streamed_seconds": round(taken, 1),
        }

    async def replies(self, page: Page, connection: Connection, seconds: float) -> int:
        """Replies one after another for so long, each read to its end on the page; returns how many tokens came."""
        tokens, begin = 0, time.monotonic()
        while (left := seconds - (time.monotonic() - begin)) > 0.5:
            pieces = round(min(REPLY_SECONDS, left) / GAP)
            connection.cut()  # the server closes what has been idle as long as a reply
            await ask(connection, self.channels[0], Script(pieces=pieces, gap=GAP))
            end = f"{pieces - 2} {pieces - 1}"
            await page.wait_for_function(ENDED, arg=end, timeout=(REPLY_SECONDS * 3 + 30) * 1000, polling=250)
            tokens += pieces
        return tokens


SCRIPTS = """() => performance.getEntriesByType('resource').map(one => new URL(one.name).pathname)
    .filter(path => path.endsWith('.js'))"""
ENDED = """end => { const rows = document.querySelectorAll('[role=feed] article'); const last = rows[rows.length - 1];
    return last?.textContent.includes(end) && last.querySelector('[aria-label="Details of this turn"]') !== null }"""
"""Never an element: Playwright would hold on to what a page has given it."""


def packed(path: str) -> int:
    """Bytes of a script, gzipped, whether or not the server sends it so."""
    return len(gzip.compress((BUILT / path[1:]).read_bytes(), 9))


async def type_keys(page: Page) -> None:
    """A person who types into the composer."""
    await page.focus("[data-composer]")
    for number in range(KEYS):
        await page.keyboard.press("abcdefghij"[number % 10])
        await asyncio.sleep(KEY_SECONDS)


@dataclass(frozen=True)
class Heap:
    """JavaScript's heap after full collections, in bytes."""

    data: int
    """What the page keeps: strings, objects, arrays, closures and their like."""
    code: int
    """What V8 has compiled of the page's own code, which grows while functions are found to be busy and is dropped when
    they are not; it is bounded by the code that there is."""
    used: int
    """The whole, as V8 counts it, with what awaits the next collection."""


async def heap(session: CDPSession) -> Heap:
    """What is alive, by a snapshot, and the least of several readings of what is in use: the page works on between a
    collection and its reading, and what it makes meanwhile counts as used."""
    found: list[int] = []
    for _ in range(COLLECTIONS):
        await session.send("HeapProfiler.collectGarbage")
        found.append(int((await session.send("Runtime.getHeapUsage"))["usedSize"]))
        await asyncio.sleep(0.25)
    sizes = await snapshot(session)
    data = sum(size for kind, size in sizes.items() if kind not in ELSEWHERE)
    return Heap(data=data, code=sizes["code"], used=min(found))


async def snapshot(session: CDPSession) -> Counter[str]:
    """The bytes of what is alive, by V8's kinds."""
    chunks: list[str] = []

    def take(event: dict[str, Any]) -> None:
        chunks.append(event["chunk"])

    session.on("HeapProfiler.addHeapSnapshotChunk", take)
    await session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    session.remove_listener("HeapProfiler.addHeapSnapshotChunk", take)
    seen = json.loads("".join(chunks))
    meta, nodes = seen["snapshot"]["meta"], seen["nodes"]
    fields, kinds = meta["node_fields"], meta["node_types"][0]
    kind, size = fields.index("type"), fields.index("self_size")
    sizes: Counter[str] = Counter()
    for start in range(0, len(nodes), len(fields)):
        sizes[kinds[nodes[start + kind]]] += nodes[start + size]
    return sizes

"""The organisation of tools/screens.yaml, lived through on a real server: every reply, tool call and failure is the
engine's own, with a scripted model. Only the times are set afterwards, so that a month fits into a minute.
"""

import asyncio
import io
import json
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import yaml
from PIL import Image, ImageDraw

from retinue.domain import ids
from retinue.testing import scripts
from retinue.testing.models import ScriptedModels
from tests.servers import SOURCE
from tests.web.house import House

WORLD = yaml.safe_load(Path(__file__).with_name("screens.yaml").read_text("utf-8"))
NOW = datetime.fromisoformat(WORLD["now"])
LOCALE = "en-GB"
ACCOUNT = UUID("0195a2f0-5c4e-7d1b-8a36-2f94c07be51d")
"""The account, by the same id in every run: it is in a picture."""
ROUTINE_DAYS = 30
SHIFTED = (
    "import os; from datetime import timedelta; from retinue import cli, telemetry; "
    "telemetry.clock.allow_shift(); telemetry.clock.shift(timedelta(seconds=float(os.environ['SHIFT']))); cli.main()"
)
"""Retinue on the day of the pictures."""
STREAMED = (
    "Three farms are worth the long road from Addis:\n\n- **Uraga**, at 2,300 m, where the cherries dry on raised "
    "beds for three weeks\n- **Shakiso**, with the oldest trees of the zone\n- **Hambela**, whose washing station "
    "belongs to the families who grow the coffee"
)


class Studio(House):
    """A house whose clock stands at the day of the pictures, and whose tools are answered here."""

    tools_port: int = 0

    def env(self) -> dict[str, str]:
        shift = (NOW - datetime.now(NOW.tzinfo)).total_seconds()
        return super().env() | {
            "PYTHONPATH": str(self.copied()),
            "SHIFT": str(shift),
            "RETINUE_EGRESS_ALLOW": f"127.0.0.1:{self.tools_port}",
            "RETINUE_SEAL_SECONDS": "1",
        }

    def copied(self) -> Path:
        """A copy of the source tree and the built app: what changes there meanwhile is not in the pictures."""
        copy = self.folder / "src"
        if not copy.exists():
            shutil.copytree(SOURCE / "retinue", copy / "retinue", ignore=shutil.ignore_patterns("__pycache__"))
        return copy

    def command(self, *arguments: str) -> list[str]:
        return [super().command()[0], "-c", SHIFTED, *arguments]


@contextmanager
def tools() -> Iterator[int]:
    """The external tools of the organisation; yields their port."""
    answers = {f"/{tool['slug']}": tool["answer"] for tool in WORLD["tools"]}

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["input"]["parameters"]
            answer = answers[self.path]
            if answer is None:
                return  # hang up
            result = answer | {"content": answer["content"].format(**asked)}
            body = json.dumps({"result": result}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()


def models() -> ScriptedModels:
    """The model: each request takes the next line of what is said. Trials get an answer of their own."""
    lines = [step for said in spoken() for step in said.get("model", ())]
    lines.append({"text": STREAMED, "piece": 12, "hold": "stream", "hold_after": 17})
    trial = "A bag of 250 g makes about 15 cups: 16 g for each, and a little for the barista."
    return ScriptedModels(scripts.of(
        scripts.Step(match=scripts.Match(contains="how many cups"), text=trial, times=None),
        *(scripts.Step.model_validate(line) for line in lines), default="Understood.",
    ))  # fmt: skip


def spoken() -> list[dict[str, Any]]:
    """All that is said, oldest first: the routine of a month, then the conversations."""
    found: list[dict[str, Any]] = []
    customers = WORLD["routine"]["customers"]
    for day in range(ROUTINE_DAYS, -1, -1):
        for turn in range(busy(day)):
            place = "news" if (day + turn) % 4 == 3 else "orders"
            asked = WORLD["routine"][place]
            number = day * 7 + turn * 3
            line = asked[number % len(asked)]
            model = [dict(step) for step in line["model"]]
            for step in model:
                step["tokens"] = {name: count * (60 + number % 83) // 100 for name, count in step["tokens"].items()}
            text = line["ask"].format(who=customers[number % len(customers)], n=12 + number % 37)
            who = ("tom", "amara")[turn % 2] if place == "orders" else "yuki"
            at = f"-{day} {8 + turn:02}:{10 + number % 47:02}" if day else f"0 08:{10 + turn * 9:02}"
            found.append({"in": place, "at": at, "who": who, "text": text, "seconds": 2 + number % 13, "model": model})
    return sorted([*found, *WORLD["said"]], key=lambda said: moment(str(said["at"])))


def busy(day: int) -> int:
    """How many routine questions a day has: none at weekends."""
    weekday = (NOW - timedelta(days=day)).weekday()
    return 0 if weekday >= 5 else (2, 4, 3, 5, 3)[weekday]


def moment(at: str) -> datetime:
    """``-3 09:12``: that time three days before the pictures."""
    days, _, clock = at.partition(" ")
    hours, minutes = clock.split(":")
    return (NOW + timedelta(days=int(days))).replace(hour=int(hours), minute=int(minutes))


class World:
    """Who and what there is on one server, by the names of the file."""

    def __init__(self, house: Studio) -> None:
        self.house = house
        self.people: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        self.agents: dict[str, str] = {"assistant": house.assistant}
        self.channels: dict[str, str] = {}
        self.messages: dict[str, str] = {}
        self.turns: dict[str, str] = {}
        self.streaming = ("", "")
        self.told: list[tuple[dict[str, Any], str, str | None]] = []

    # ── who is there ─────────────────────────────────────────────────────────────────────────────────────────────

    def found(self) -> None:
        """Make the people, teams, tools, agents and channels."""
        api = self.house.api
        api("PATCH", "/v1/accounts/current", {"name": WORLD["account"]})
        for name, person in WORLD["people"].items():
            if person.get("role") == "owner":
                self.people[name] = self.house.owner
                changed = {
                    "name": person["name"],
                    "email": person["email"],
                    "time_zone": WORLD["zone"],
                    "locale": LOCALE,
                }
                api("PATCH", f"/v1/users/{self.house.owner}", changed)
            else:
                self.people[name] = api("POST", "/v1/users", person | {"time_zone": WORLD["zone"], "locale": LOCALE})[
                    "id"
                ]
            key = {"name": "Pictures", "scopes": ["read", "write"], "user_id": self.people[name]}
            self.keys[name] = api("POST", "/v1/keys", key)["secret"]
        teams: dict[str, str] = {}
        for team in WORLD["teams"]:
            teams[team["slug"]] = api("POST", "/v1/teams", {"name": team["name"], "slug": team["slug"]})["id"]
            for name in team["people"]:
                api("POST", f"/v1/teams/{teams[team['slug']]}/members", {"user_id": self.people[name]})
        for tool in WORLD["tools"]:
            endpoint = f"http://127.0.0.1:{self.house.tools_port}/{tool['slug']}"
            api("POST", "/v1/tools", {k: v for k, v in tool.items() if k != "answer"} | {"endpoint": endpoint})
        for slug, agent in WORLD["agents"].items():
            chosen = [{"tool": tool} for tool in agent["tools"]]
            self.agents[slug] = api("POST", "/v1/agents", agent | {"slug": slug, "tools": chosen})["id"]
        for name, channel in WORLD["channels"].items():
            self._channel(name, channel, teams)

    def _channel(self, name: str, wanted: dict[str, Any], teams: dict[str, str]) -> None:
        api = self.house.api
        if kind := wanted.get("found"):
            listed = api("GET", "/v1/channels")["data"]
            made = next(one["id"] for one in listed if one["kind"] == kind)
        else:
            body = {"kind": wanted["kind"], "name": wanted["name"]}
            made = api("POST", "/v1/channels", body | ({"team_id": teams[wanted["team"]]} if "team" in wanted else {}))[
                "id"
            ]
        self.channels[name] = made
        for person in wanted.get("people", ()):
            self._join(made, {"user_id": self.people[person]})
        for agent, mode in wanted.get("agents", {}).items():
            self._join(made, {"agent_id": self.agents[agent], "trigger_mode": mode})
        if wanted.get("archived"):
            api("PATCH", f"/v1/channels/{made}", {"archived": True})

    def _join(self, channel: str, member: dict[str, str]) -> None:
        try:
            self.house.api("POST", f"/v1/channels/{channel}/members", member)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 409:
                raise

    # ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────

    def live(self) -> None:
        """Say everything, one thing after the other; each turn ends before the next begins."""
        for said in spoken():
            self._say(said)
        self.house.models.release("stop")
        changed = {
            "system_prompt": WORLD["agents"]["ledger"]["system_prompt"] + WORLD["added"],
            "limits": {"max_steps": 12},
        }
        self.house.api("PATCH", f"/v1/agents/{self.agents['ledger']}", changed)
        for agent, wishes in WORLD["wishes"].items():
            self.house.api("PUT", f"/v1/agents/{self.agents[agent]}/my-config", wishes, self.keys["ines"])
        listed = {one["id"]: one["last_seq"] for one in self.house.api("GET", "/v1/channels")["data"]}
        for name, channel in self.channels.items():
            if name not in WORLD["unread"] and listed.get(channel):
                self.house.api("PUT", f"/v1/channels/{channel}/read", {"seq": listed[channel]})

    def _say(self, said: dict[str, Any]) -> None:
        key, channel = self.keys[said["who"]], self.channels[said["in"]]
        body: dict[str, Any] = {"content": said["text"].strip()}
        if "under" in said:
            body["reply_to"] = self.messages[said["under"]]
        if "files" in said:
            body["files"] = [self._upload(name, key) for name in said["files"]]
        made = self.house.api("POST", f"/v1/channels/{channel}/messages", body, key)
        message, turns = made["message"]["id"], [turn["id"] for turn in made["interactions"]]
        if said.get("stop"):
            self._wait(lambda: "stop" in httpx.get(f"{self.house.models.base_url}/scripted/held").json())
            self.house.api("POST", f"/v1/interactions/{turns[0]}/cancel", {})
        if turns:
            self.house.settled(channel)
        for emoji, names in said.get("react", {}).items():
            for name in names:
                path = f"/v1/channels/{channel}/messages/{message}/reactions/{emoji}"
                self.house.api("PUT", path, key=self.keys[name])
        self.told.append((said, message, turns[0] if turns else None))
        if "as" in said:
            self.messages[said["as"]] = message
            self.turns[said["as"]] = turns[0]

    def stream(self) -> None:
        """Begin a reply that goes on while it is looked at."""
        made = self.house.post(self.channels["stream"], "Which farms should we see first?", self.keys["tom"])
        self._wait(lambda: "stream" in httpx.get(f"{self.house.models.base_url}/scripted/held").json())
        self.streaming = (made["message"]["id"], made["interactions"][0]["id"])
        self.told.append(({"at": "0 10:41"}, *self.streaming))

    def hush(self) -> None:
        """Let that reply end."""
        self.house.models.release("stream")
        self.house.settled(self.channels["stream"])
        self.told = [({"at": "0 10:41", "seconds": 6.2}, message, turn) for message, turn in [self.streaming]]
        self.date()

    def _wait(self, done: Any) -> None:
        end = time.monotonic() + 60
        while not done():
            if time.monotonic() > end:
                raise TimeoutError("the model was not asked")
            time.sleep(0.05)

    def _upload(self, name: str, key: str) -> str:
        content = picture() if name.endswith(".png") else b"bag,width mm,height mm\n250 g,130,220\n1 kg,180,340\n"
        answer = httpx.post(
            f"{self.house.base}/v1/files", files={"file": (name, content)}, headers={"authorization": f"Bearer {key}"}
        )
        answer.raise_for_status()
        return answer.json()["id"]

    # ── when it was said ─────────────────────────────────────────────────────────────────────────────────────────

    def date(self) -> None:
        """Give everything said so far the time it has in the file."""
        with ThreadPoolExecutor(1) as pool:  # Playwright may hold this thread's loop
            pool.submit(asyncio.run, self._date()).result()

    async def _date(self) -> None:
        connection = await asyncpg.connect(self.house.url)
        await connection.execute("set search_path = retinue, queue, public")
        await connection.execute("set session_replication_role = replica")  # audit is immutable, but not here
        for said, message, turn in self.told:
            at = moment(str(said["at"]))
            await connection.execute("update message set created_at = $2 where id = $1", ids.decode("msg", message), at)
            if turn is not None:
                await _date_turn(connection, ids.decode("int", turn), at, said)
        await connection.execute(COUNTERS)
        for table, column in BEGINNINGS:
            await connection.execute(f"update {table} set {column} = $1 where {column} > $1", moment("-30 08:00"))
        await connection.execute(KEYS)
        await connection.execute("update session set created_at = $1", moment("0 08:20"))
        await _seal_anew(connection)
        await connection.close()
        self.told.clear()


async def _seal_anew(connection: Any) -> None:
    """Date what was arranged, and have all lines sealed again as they are now: their old seals are of other times."""
    async with connection.transaction():
        await connection.execute("update audit_mark set upto = 0")
        await connection.execute("delete from audit_seal")
        for at, signing_in in (("-30 08:00", False), ("0 08:20", True)):
            await connection.execute(ARRANGED, moment(at), signing_in)


BEGINNINGS = (
    ("account", "created_at"), ("app_user", "created_at"), ("member", "created_at"), ("agent", "created_at"),
    ("agent", "updated_at"), ("tool", "created_at"), ("tool", "updated_at"), ("config_snapshot", "created_at"),
    ("channel", "created_at"), ("channel_member", "joined_at"), ("api_key", "created_at"), ("team", "created_at"),
    ("user_agent_config", "updated_at"),
)  # fmt: skip
COUNTERS = """
delete from usage_counter;
insert into usage_counter
    (account_id, day, agent_id, shard, interactions, model_calls, input_tokens, output_tokens, cost_micro)
select account_id, (created_at at time zone 'utc')::date, agent_id, 0, count(*), count(*), sum(input_tokens),
    sum(output_tokens), sum(cost_micro) from interaction group by 1, 2, 3
"""
KEYS = """
update api_key set last_used_at = null, prefix = left(prefix, 5) || left(md5(place::text), 4)
from (select id, row_number() over (order by id) as place from api_key) as placed where placed.id = api_key.id
"""
"""What is shown of a key's secret is the same in every run."""
ARRANGED = """
update audit_event set at = $1
where interaction_id is null and (event in ('session.start', 'sign_in_link.create')) = $2
"""
WEIGHTS = {"think": 5.0, "act": 1.4, "respond": 0.1, "triage": 0.2}


async def _date_turn(connection: Any, turn: Any, at: datetime, said: dict[str, Any]) -> None:
    """Lay the steps of a turn one after the other, calls of one thought side by side, over the seconds it took."""
    steps = await connection.fetch(
        "select seq, kind, state, parent_seq, ended_at from step where interaction_id = $1 order by seq", turn
    )
    spans: dict[int, tuple[float, float]] = {}
    ends = 0.1
    for step in steps:
        beside = [spans[one["seq"]] for one in steps if one["seq"] < step["seq"] and one["kind"] == "act"
                  and step["kind"] == "act" and one["parent_seq"] == step["parent_seq"]]  # fmt: skip
        start = beside[0][0] if beside else ends
        length = WEIGHTS[step["kind"]] * (1 + 0.35 * len(beside) + 0.1 * (step["seq"] % 3))
        spans[step["seq"]] = (start, start + length)
        ends = max(ends, start + length)
    scale = float(said.get("seconds", 4)) / (ends + 0.1)
    end = at + timedelta(seconds=float(said.get("seconds", 4)))
    for step in steps:
        first, last = (at + timedelta(seconds=second * scale) for second in spans[step["seq"]])
        await connection.execute(
            "update step set started_at = $3, ended_at = case when ended_at is not null then $4::timestamptz end "
            "where interaction_id = $1 and seq = $2", turn, step["seq"], first, last
        )  # fmt: skip
    await connection.execute(
        "update interaction set created_at = $2, started_at = $3, running_seconds = $4, "
        "running_since = case when running_since is not null then $3::timestamptz end, "
        "ended_at = case when ended_at is not null then $5::timestamptz end where id = $1",
        turn, at, at + timedelta(seconds=0.1 * scale), float(said.get("seconds", 4)), end,
    )  # fmt: skip
    for sql in (
        "update message set created_at = $2 where interaction_id = $1",
        "update thread_message set created_at = $2 where interaction_id = $1",
        "update token_event set created_at = $2 where interaction_id = $1",
        "update audit_event set at = $2 where interaction_id = $1",
        "update wait set created_at = $2, due_at = null where interaction_id = $1",
    ):
        await connection.execute(sql, turn, end)


def picture() -> bytes:
    """Two bags of coffee on a table, drawn."""
    image = Image.new("RGB", (960, 600), "#e9e2d6")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 440, 960, 600), fill="#cbbfae")
    for left, body, band in ((200, "#3d5a45", "#f2c879"), (520, "#7a3b2e", "#f4ead9")):
        draw.polygon([(left, 110), (left + 240, 110), (left + 255, 520), (left - 15, 520)], fill=body)
        draw.rectangle((left, 90, left + 240, 118), fill="#2b2b28")
        draw.rectangle((left + 30, 230, left + 210, 400), fill=band)
        draw.ellipse((left + 85, 265, left + 155, 365), fill=body)
        draw.line((left + 120, 268, left + 128, 362), fill=band, width=6)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()

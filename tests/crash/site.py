"""A place where real nodes run and die: processes of ``retinue``, a database, a scripted provider, an outside."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from retinue.db.pool import Database
from retinue.domain.accounts import Bootstrapped
from retinue.domain.events import Event
from retinue.domain.messages import ThreadMessage
from retinue.domain.turns import Interaction, Step
from retinue.domain.waits import Wait
from retinue.store import turns
from retinue.testing.models import ScriptedModels
from retinue.testing.scripts import Call, Match, Script
from retinue.testing.scripts import Step as Line
from retinue.turn import intake
from tests.crash.outside import Outside
from tests.servers import SOURCE, environment

PACKAGE = Path(__file__).parent / "package"
TOOLS = ("look", "note", "send_keyed", "send_once")
ENDED = ("succeeded", "failed", "cancelled")
CHANNELS = """
with made as (
    insert into channel (account_id, id, kind, name, created_by)
    select $1, new_id(), 'private', 'Chat ' || n, $2 from generate_series(1, $4::int) n returning id),
people as (
    insert into channel_member (account_id, channel_id, party_id, user_id, role)
    select $1, id, $2, $2, 'owner' from made),
agents as (
    insert into channel_member (account_id, channel_id, party_id, agent_id, trigger_mode)
    select $1, id, $3, $3, 'proactive' from made)
select id from made
"""


async def until(condition: Callable[[], Awaitable[Any]], what: str, seconds: float = 30.0, pause: float = 0.02) -> Any:
    """The first true answer of ``condition``. Raises TimeoutError naming ``what``."""
    end = time.monotonic() + seconds
    while not (answer := await condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:g} s in vain for {what}")
        await asyncio.sleep(pause)
    return answer


@dataclass
class Process:
    """One ``retinue`` process and what it said."""

    popen: "subprocess.Popen[bytes]"
    log: Path
    port: int = 0

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self.signal(signal.SIGKILL)
        self.popen.wait(10)

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.popen.send_signal(number)

    def said(self) -> str:
        return self.log.read_text(errors="replace")


@dataclass
class Site:
    """A seeded account in a database, and the nodes that work on it."""

    url: str
    db: Database
    world: Bootstrapped
    folder: Path
    outside: Outside
    models: ScriptedModels | None = None
    processes: list[Process] = field(default_factory=list)

    @property
    def account(self) -> UUID:
        return self.world.account.id

    # ── processes ────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, command: str = "worker", *, port: int = 0, **settings: Any) -> Process:
        """Start ``retinue worker`` or ``retinue serve``; ``settings`` without their prefix."""
        log = self.folder / f"{command}-{len(self.processes)}.log"
        env = environment(self.folder, self.url) | {
            "RETINUE_DRAIN_SECONDS": "3",
            "CRASH_OUTSIDE": str(self.outside.port),
            "PYTHONPATH": os.pathsep.join(map(str, (self.folder, PACKAGE, SOURCE))),
        }
        env |= {f"RETINUE_{name.upper()}": str(value) for name, value in settings.items()}
        env |= self.models.env() if self.models else {}
        options = ["--port", str(port)] if command == "serve" else []
        with log.open("ab") as output:
            popen = subprocess.Popen(
                [sys.executable, "-m", "retinue.cli", command, *options],
                env=env,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                start_new_session=True,
            )
        self.processes.append(Process(popen, log, port))
        return self.processes[-1]

    async def up(self, *processes: Process) -> None:
        """Wait until these processes are registered as nodes (and serve, if they do)."""
        for process in processes:
            await until(lambda process=process: self._up(process), f"a node to come up: {process.said()[-2000:]}", 60)

    async def _up(self, process: Process) -> bool:
        if not process.alive:
            raise RuntimeError(f"a node ended: {process.said()[-3000:]}")
        up = bool(await self.owner("select 1 from node where state = 'up' and pid = $1", process.popen.pid))
        return up and (not process.port or listens(process.port))

    async def node(self, command: str = "worker", **settings: Any) -> Process:
        """A node that is up."""
        process = self.start(command, **settings)
        await self.up(process)
        return process

    def close(self) -> None:
        """End what this site started."""
        for process in self.processes:
            if process.alive:
                process.signal(signal.SIGCONT)
                process.kill()

    # ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def owner(self, sql: str, *args: Any) -> list[Any]:
        """Rows as the database's owner sees them."""
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute("set search_path = retinue, queue, public")
            return list(await connection.fetch(sql, *args))
        finally:
            await connection.close()

    async def fetch(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """Rows of this account; $1 is the account's id."""
        async with self.db.tenant_tx(self.account) as tx:
            return [dict(row) for row in await tx.fetch(sql, self.account, *args)]

    async def give(self, *tools: str, **limits: int) -> None:
        """Let the Assistant have exactly these tools and limits."""
        agent = self.world.agent.id
        async with self.db.tenant_tx(self.account) as tx:
            await tx.execute("delete from agent_tool where account_id = $1 and agent_id = $2", self.account, agent)
            for tool in tools:
                await tx.execute(
                    "insert into agent_tool (account_id, agent_id, tool) values ($1, $2, $3)", self.account, agent, tool
                )
            await tx.execute(
                "update agent set limits = limits || $3 where account_id = $1 and id = $2", self.account, agent, limits
            )

    async def channels(self, count: int) -> list[UUID]:
        """Fresh channels of the owner and the Assistant."""
        rows = await self.fetch(CHANNELS, self.world.owner.id, self.world.agent.id, count)
        return [row["id"] for row in rows]

    async def say(self, channel: UUID, content: str) -> UUID:
        """Post a message; the id of the turn it starts."""
        received = await intake.receive(
            self.db, Event(account_id=self.account, user_id=self.world.owner.id, content=content, channel_id=channel)
        )
        return received.interactions[0].id

    async def journal(self, interaction_id: UUID) -> tuple[Interaction, tuple[Step, ...], tuple[Wait, ...]]:
        return await turns.journal(self.db, self.account, interaction_id)

    async def states(self, ids: Iterable[UUID]) -> dict[str, int]:
        """How many of these turns are in which state."""
        rows = await self.fetch(
            "select state, count(*) as n from interaction where account_id = $1 and id = any($2) group by state",
            list(ids),
        )
        return {row["state"]: row["n"] for row in rows}

    async def ended(
        self, ids: Iterable[UUID], seconds: float = 30.0, pause: float = 0.1, answer: bool = True
    ) -> dict[str, int]:
        """The states of these turns once all have ended; with ``answer``, questions about unknown outcomes are answered
        meanwhile, with what really happened outside."""
        wanted = list(ids)

        async def over() -> dict[str, int] | None:
            if answer:
                await self.answer_all()
            states = await self.states(wanted)
            return states if sum(states.get(state, 0) for state in ENDED) == len(wanted) else None

        try:
            return await until(over, "turns to end", seconds, pause)
        except TimeoutError as error:
            logs = "\n".join(process.said()[-1500:] for process in self.processes[-3:])
            raise TimeoutError(f"{error}: {await self.states(wanted)}\n{logs}") from error

    async def answer_all(self) -> int:
        """Answer every open question about an unknown outcome truthfully; how many there were."""
        rows = await self.fetch(
            "select w.id, w.payload from wait w join interaction i on i.account_id = w.account_id "
            "and i.id = w.interaction_id where w.account_id = $1 and w.state = 'open' and i.state = 'waiting'"
        )
        for row in rows:
            place = row["payload"]["arguments"]["place"]
            happened = row["payload"]["idempotency_key"] in self.outside.keys(place, "once")
            said = (
                {"happened": True, "result": f"sent once {place}"} if happened else {"happened": False, "retry": True}
            )
            await turns.resolve_wait(self.db, self.account, row["id"], self.world.owner.id, said)
        return len(rows)

    async def thread(self, interaction_id: UUID) -> list[ThreadMessage]:
        """The thread of a turn, in order."""
        rows = await self.fetch(
            "select t.* from thread_message t join interaction i on i.account_id = t.account_id "
            "and i.thread_id = t.thread_id where t.account_id = $1 and i.id = $2 order by t.seq",
            interaction_id,
        )
        return [ThreadMessage.model_validate({name: row[name] for name in ThreadMessage.model_fields}) for row in rows]

    async def replies(self, channel: UUID) -> list[str]:
        """What the agent has said in a channel."""
        rows = await self.fetch(
            "select content from message where account_id = $1 and channel_id = $2 "
            "and author_kind = 'agent' order by seq",
            channel,
        )
        return [row["content"] for row in rows]


def listens(port: int) -> bool:
    """Whether somebody takes connections on this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ── the canonical turn ───────────────────────────────────────────────────────────────────────────────────────────


def answer(place: str) -> str:
    """What the canonical turn at this place ends with."""
    return f"All done at {place}, as you asked me to."


def canonical(*places: str, delay: float = 0.0, first: Iterable[Line] = ()) -> Script:
    """think, four calls at once (one of each effect class), think, respond; as often as it is asked. ``first``: lines
    that come before, such as one that holds."""
    return Script(steps=(*first, *(line for place in places for line in lines(place, delay))))


def lines(place: str, delay: float = 0.0, **changes: Any) -> tuple[Line, Line]:
    """The two thinks of the canonical turn at a place."""
    names = {"look": "look", "note": "note", "keyed": "send_keyed", "once": "send_once"}
    asked = tuple(Call(tool=tool, arguments={"place": place}) for tool in names.values())
    common: dict[str, Any] = {"times": None, "delay": delay} | changes
    return (
        Line(
            match=Match(contains=f"go to {place}", after_result=False),
            text="I will see to it now.",
            calls=asked,
            **common,
        ),
        Line(match=Match(contains=f"once {place}", after_result=True), text=answer(place), **common),
    )


async def check(site: Site, place: str, channel: UUID, interaction_id: UUID) -> list[str]:
    """What is wrong with an ended canonical turn, in words; empty when it came to what an undisturbed one comes to."""
    wrong: list[str] = []

    def must(that: bool, words: str) -> None:
        if not that:
            wrong.append(words)

    turn, steps, _ = await site.journal(interaction_id)
    must(turn.state == "succeeded", f"it is {turn.state} ({turn.error}: {turn.error_detail})")
    said = await site.replies(channel)
    must(said == [answer(place)], f"the replies are {said}")
    kinds = [step.kind.value for step in steps]
    must(kinds == ["think", "act", "act", "act", "act", "think", "respond"], f"the steps are {kinds}")
    must(all(step.state == "success" for step in steps), f"the steps ended {[step.state.value for step in steps]}")
    thread = [(one.role, [part.kind for part in one.parts]) for one in await site.thread(interaction_id)]
    must(
        thread
        == [
            ("user", ["text"]),
            ("assistant", ["text"] + ["tool-call"] * 4),
            ("tool", ["tool-result"] * 4),
            ("assistant", ["text"]),
        ],
        f"the thread is {thread}",
    )
    results = [
        part.result for one in await site.thread(interaction_id) for part in one.parts if part.kind == "tool-result"
    ]
    must(
        results == [f"saw {place}", f"noted {place}", f"sent {place}", f"sent once {place}"],
        f"the results are {results}",
    )
    notes = await site.fetch(
        "select metadata->'notes' as n from message where account_id = $1 and channel_id = $2 and seq = 1", channel
    )
    must(notes[0]["n"] == 1, f"our own database was written {notes[0]['n']} times")
    keyed, once = site.outside.keys(place, "keyed"), site.outside.keys(place, "once")
    must(len(set(keyed)) == 1, f"keyed effects had the keys {keyed}")
    must(len(once) == 1, f"the effect that must happen once happened {len(once)} times")
    must(
        (turn.input_tokens, turn.output_tokens) == (200, 40),
        f"counted {turn.input_tokens}, {turn.output_tokens} tokens",
    )
    return wrong

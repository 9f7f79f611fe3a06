"""One thread under many hands, and one thread that grows long."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from retinue.testing.models import ScriptedModels
from retinue.testing.scripts import Call, Match, Script
from retinue.testing.scripts import Step as Line
from tests.crash.site import SOURCE, Site, until

ROOT = Path(__file__).resolve().parents[2]
WRITERS, EACH = 8, 125
SEED = """
with made as (
    update thread t set last_seq = last_seq + $3 where t.account_id = $1 and t.id = $2
    returning last_seq - $3 as before)
insert into thread_message (account_id, thread_id, seq, id, role, author, parts, text)
select $1, $2, made.before + n, new_id(), case when n % 2 = 1 then 'user' else 'assistant' end,
       case when n % 2 = 1 then 'Owner' end, jsonb_build_array(jsonb_build_object('kind', 'text', 'text', body.text)),
       body.text
from made, generate_series(1, $3::int) n, lateral (select string_agg('word' || (n * 31 + k), ' ') as text
    from generate_series(1, 170) k) body
"""
BYTES = """
select (select sum(pg_column_size(s.*)) from step s where s.account_id = $1 and s.interaction_id = $2)
     + (select sum(pg_column_size(m.*)) from thread_message m where m.account_id = $1 and m.interaction_id = $2) as n
"""
TOLD = """
select sum(length(m.parts::text)) as letters from thread_message m where m.account_id = $1
    and m.thread_id = (select thread_id from interaction where account_id = $1 and id = $2)
"""


@pytest.mark.requirement("DUR-17", "THR-04", "THR-18")
async def test_eight_writers_and_one_runner_on_one_thread_lose_nothing_and_keep_one_order(site: Site) -> None:
    """A thousand messages from eight processes; costs their start."""
    site.models = ScriptedModels(Script(default=Line(text="I have read it.")))
    site.models.start()
    await site.node()
    channel = site.world.private_channel.id
    writers = [write(site, f"w{number}") for number in range(WRITERS)]
    for writer in writers:
        _, words = await asyncio.to_thread(writer.communicate, timeout=60)
        assert (writer.returncode, words) == (0, b"")

    async def idle() -> bool:
        return not await site.fetch(
            "select 1 from interaction where account_id = $1 and state in ('queued', 'running')"
        )

    await until(idle, "all turns to end", 60, pause=0.1)

    said = await site.fetch(
        "select id, seq, author_kind, content from message where account_id = $1 and channel_id = $2 order by seq",
        channel,
    )
    mine = [row for row in said if row["author_kind"] == "user"]
    assert [row["seq"] for row in said] == list(range(1, len(said) + 1))
    assert len({row["content"] for row in mine}) == len(mine) == WRITERS * EACH
    for number in range(WRITERS):
        own = [row["content"] for row in mine if row["content"].startswith(f"w{number} ")]
        assert own == [f"w{number} {n}" for n in range(EACH)]

    turns = await site.fetch(
        "select id, state, thread_id, trigger_seq, read_seq, attempt from interaction where account_id = $1 order by id"
    )
    assert {(row["state"], row["attempt"]) for row in turns} == {("succeeded", 1)}
    thread = await site.fetch(
        "select seq, role, message_id from thread_message where account_id = $1 and thread_id = $2 order by seq",
        turns[0]["thread_id"],
    )
    assert len({row["thread_id"] for row in turns}) == 1
    assert [row["seq"] for row in thread] == list(range(1, len(thread) + 1))
    assert [row["message_id"] for row in thread if row["role"] == "user"] == [row["id"] for row in mine]
    assert sum(row["role"] == "assistant" for row in thread) == len(turns) == len(said) - len(mine)
    last = max(row["seq"] for row in thread if row["role"] == "user")
    assert max(max(row["read_seq"], row["trigger_seq"]) for row in turns) >= last, "the last message was read by a turn"
    assert len(turns) < WRITERS * EACH, "a burst gives one turn, not many"


def write(site: Site, name: str) -> "subprocess.Popen[bytes]":
    """A process that posts into the owner's channel."""
    ids = [str(id) for id in (site.account, site.world.owner.id, site.world.private_channel.id)]
    command = [sys.executable, "-m", "tests.crash.writer", site.url, *ids, name, str(EACH)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (SOURCE, ROOT)))}
    return subprocess.Popen(command, env=env, cwd=ROOT, stderr=subprocess.PIPE)


@pytest.mark.requirement("AGT-21", "THR-04")
async def test_a_hundred_calls_of_five_kilobytes_in_a_thread_of_200_000_tokens_end_and_are_stored_linearly(
    site: Site,
) -> None:
    """Costs 152 model calls, each with the whole thread: about 60 MB over HTTP."""
    half, whole = 50, 100
    site.models = ScriptedModels(Script(steps=(*pages("Fifty", half), *pages("Hundred", whole))))
    site.models.start()
    await site.give("read_page", max_steps=whole + 5)
    async with site.db.tenant_tx(site.account) as tx:
        await tx.execute(
            "update agent set context = context || '{\"recent_messages\": 500}' where account_id = $1 and id = $2",
            site.account,
            site.world.agent.id,
        )
    await site.node()
    first, second = await site.channels(2)
    fifty = await turn(site, first, "Fifty pages, please")
    hundred = await turn(site, second, "Hundred pages, please", seeded=160)

    async with site.db.tenant_tx(site.account) as tx:
        small, large = [await tx.fetchval(BYTES, site.account, one) for one in (fifty, hundred)]
        letters = await tx.fetchval(TOLD, site.account, hundred)
    assert letters > 4 * 170_000, "about four letters are a token"
    assert large < 2.4 * small, f"{small} bytes for fifty calls, {large} for a hundred"
    assert large < 3 * whole * 5_000, f"{large} bytes: each result is stored as outcome and as message, no more"
    seen, steps, _ = await site.journal(hundred)
    assert (seen.state, sum(step.kind == "act" for step in steps)) == ("succeeded", whole)
    largest = max(len(str(request.body)) for request in site.models.requests)
    assert largest > letters * 0.9, "the model was given the whole thread"


def pages(word: str, count: int) -> list[Line]:
    """Ask for so many pages, one after another, then say so."""
    start = Line(match=Match(contains=word), calls=(Call(tool="read_page", arguments={"number": 1}),))
    more = [
        Line(
            match=Match(contains=f"Page {number}. "), calls=(Call(tool="read_page", arguments={"number": number + 1}),)
        )
        for number in range(1, count)
    ]
    return [start, *more, Line(match=Match(contains=f"Page {count}. "), text=f"I have read {count} pages.")]


async def turn(site: Site, channel: UUID, words: str, seeded: int = 0) -> UUID:
    """A turn that has ended well, in a thread that had ``seeded`` long messages before."""
    if seeded:
        site_thread = await thread_of(site, channel)
        await site.fetch(SEED + " returning 1", site_thread, seeded)
    asked = await site.say(channel, words)
    assert await site.ended([asked], 90) == {"succeeded": 1}
    return asked


async def thread_of(site: Site, channel: UUID) -> UUID:
    """The agent's thread in this channel, made if it is not there."""
    rows = await site.fetch(
        "with made as (insert into thread (account_id, id, agent_id, owner) values ($1, new_id(), $3, 'system') "
        "returning id) "
        "insert into agent_thread (account_id, channel_id, agent_id, thread_id, trigger_mode) "
        "select $1, $2, $3, id, 'proactive' from made returning thread_id",
        channel,
        site.world.agent.id,
    )
    return rows[0]["thread_id"]

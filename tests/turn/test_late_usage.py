"""Usage that its tables refuse holds up no turn, and is there once they take it."""

import asyncpg
import pytest

from retinue.domain.tools import Effect
from retinue.store import late
from retinue.tools.registry import Context, tool
from tests.turn.conftest import Lab, call, calls, node

BREAK = {
    "token_event": "alter table retinue.token_event add constraint broken check (model is null) not valid",
    "usage_counter": "alter table retinue.usage_counter add constraint broken check (input_tokens < 0) not valid",
}
MEND = "alter table retinue.{} drop constraint broken"


@tool(effect=Effect.WRITE)
async def note(ctx: Context, text: str) -> str:
    """Write a note, in the transaction of its step.

    Args:
        text: what
    """
    assert ctx.tx is not None
    await ctx.tx.execute("update account set name = $2 where id = $1", ctx.call.account_id, text)
    return "noted"


async def change(database_url: str, sql: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(sql)
    await connection.close()


async def usage(lab: Lab) -> tuple[int, int, int, int]:
    """Events with their cost, and turns and calls as counted."""
    [events] = await lab.fetch("select count(*) as n, sum(cost_micro) as cost from token_event where account_id = $1")
    [counted] = await lab.fetch(
        "select sum(interactions) as turns, sum(model_calls + tool_calls) as calls from usage_counter "
        "where account_id = $1"
    )
    return events["n"], events["cost"] or 0, counted["turns"] or 0, counted["calls"] or 0


@pytest.mark.requirement("COST-03", "CON-05")
@pytest.mark.parametrize("table", BREAK)
async def test_a_turn_goes_on_where_usage_cannot_be_written_and_it_is_brought_over_later(
    lab: Lab, database_url: str, table: str
) -> None:
    await lab.give("note")
    async with node(lab, [note]):
        await change(database_url, BREAK[table])
        lab.models.script = [calls(call("note", text="Renamed")), "written"]
        turn = await lab.ask()
        assert (turn.state, turn.cost_micro, await lab.replies()) == ("succeeded", 200, ["written"])
        assert [step.state for step in await lab.steps(turn.id)] == ["success"] * 4
        assert (await lab.fetch("select name from account where id = $1"))[0]["name"] == "Renamed"
        fine = 1 if table == "token_event" else 0  # the call of the tool was free
        assert (await usage(lab))[0] == fine

        await late.catch_up(lab.db)
        assert (await usage(lab))[0] == (1 if table == "token_event" else 3), "what is refused still stays"
        await change(database_url, MEND.format(table))
        await late.catch_up(lab.db)
        assert await usage(lab) == (3, 200, 1, 3)
        assert await late.catch_up(lab.db) == 0
        await lab.ask("once more")
        assert await usage(lab) == (4, 300, 2, 4), "and from now on as ever"


@pytest.mark.requirement("COST-03")
async def test_what_fails_for_another_reason_fails_as_it_did(lab: Lab) -> None:
    with pytest.raises(asyncpg.UndefinedFunctionError):
        await late.call_durably(lab.db, "select no_such_function($1)", lab.account)


@pytest.mark.requirement("PRN-14")
async def test_usage_that_is_kept_for_later_belongs_to_its_account_alone(lab: Lab, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch(
        "select c.relname, c.relrowsecurity and c.relforcerowsecurity as forced, p.qual, p.with_check from pg_class c "
        "join pg_policies p on p.schemaname = 'retinue_late' and p.tablename = c.relname "
        "and p.roles = '{retinue_app}' where c.relnamespace = 'retinue_late'::regnamespace and c.relkind = 'r'"
    )
    await connection.close()
    mine = "(account_id = retinue.current_account())"
    assert sorted(map(tuple, rows)) == [("token_event", True, mine, mine), ("usage_counter", True, mine, mine)]

"""What is pruned, what is compacted, and what stays."""

import pytest

from retinue import errors
from retinue.store import nodes
from tests.turn.conftest import Lab


async def test_streams_and_queue_logs_are_pruned_and_audit_is_not(running: Lab) -> None:
    await running.ask()
    await running.configure(
        "insert into stream_chunk (account_id, interaction_id, attempt, seq, kind, data, created_at) "
        "values ($1, new_id(), 1, 1, 'text', '{}', clock() - interval '2 hours')"
    )
    audit = await running.fetch("select count(*) as n from audit_event where account_id = $1")
    async with running.db.system_tx() as tx:
        gone = await nodes.prune(tx, stream_minutes=60, queue_log_days=0, idempotency_hours=24)
    assert gone["stream_chunk"] == 1
    assert gone["queue_log"] >= 1
    assert await running.fetch("select count(*) as n from audit_event where account_id = $1") == audit


@pytest.mark.parametrize(("state", "compacted"), [("succeeded", True), ("failed", False)])
async def test_a_finished_journal_is_compacted_and_says_so(running: Lab, state: str, compacted: bool) -> None:
    ended = await running.ask()
    await running.configure(
        "update interaction set ended_at = clock() - interval '40 days' where account_id = $1 and id = $2", ended.id
    )
    if state == "failed":
        running.models.script = [errors.ModelPermanent("No.")]
        ended = await running.ask()
        await running.configure(
            "update interaction set ended_at = clock() - interval '40 days' where account_id = $1 and id = $2", ended.id
        )
    async with running.db.tenant_tx(running.account) as tx:
        await nodes.compact(tx, running.account, 30)
        assert await nodes.compact(tx, running.account, 30) == 0
    think = (await running.steps(ended.id))[0]
    assert (think.output == {"compacted": True}) is compacted
    assert think.ended_at is not None
    assert await running.replies() == ["done"]


async def test_a_young_journal_stays_whole(running: Lab) -> None:
    ended = await running.ask()
    async with running.db.tenant_tx(running.account) as tx:
        assert await nodes.compact(tx, running.account, 30) == 0
    assert (await running.steps(ended.id))[0].output != {"compacted": True}

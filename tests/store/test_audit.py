"""Audit lines: complete, immutable, without secrets, for one account alone."""

from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.db.pool import Database
from retinue.domain import audit as domain
from retinue.domain import ids
from retinue.domain.audit import SYSTEM, Actor, AuditFilter, reference
from retinue.store import audit
from tests.store.conftest import Office

SECRET = "rtn_0123456789abcdefghjkmnpqrs_secretsecretsecretsecretsecretsecretsecret1"


@pytest.mark.requirement("AUD-02", "AUD-04", "AUD-15", "SCH-11")
async def test_lines_are_read_newest_first_by_filter_in_their_own_account(
    db: Database, office: Office, other_office: Office
) -> None:
    turn, agent = ids.new(), ids.new()
    by_agent = Actor(type="agent", id=agent)
    async with db.tenant_tx(office.account_id) as tx:
        for event, actor, interaction in (
            ("agent.create", SYSTEM, None),
            ("tool.call", by_agent, turn),
            ("tool.rejected", by_agent, turn),
        ):
            await audit.append(
                tx, account_id=office.account_id, event=event, actor=actor, interaction_id=interaction,
                detail={"agent_id": agent, "step_seq": 3, "reason": "why"},
            )  # fmt: skip

        async def events(**wanted: object) -> list[str]:
            lines = await audit.list_events(tx, office.account_id, AuditFilter.model_validate(wanted))
            return [line.event for line in lines]

        lines = await audit.list_events(tx, office.account_id, AuditFilter())
        assert [line.event for line in lines] == ["tool.rejected", "tool.call", "agent.create"]
        assert (lines[0].actor_id, lines[2].actor_id) == (ids.encode("agt", agent), "retinue")
        assert (lines[0].step_seq, lines[0].detail) == (3, {"agent_id": ids.encode("agt", agent), "reason": "why"})
        assert await events(event="tool.") == ["tool.rejected", "tool.call"]
        assert await events(event="tool.call") == ["tool.call"]
        assert await events(actor_type="system") == ["agent.create"]
        assert await events(actor_id=ids.encode("agt", agent)) == ["tool.rejected", "tool.call"]
        assert await events(interaction_id=turn) == ["tool.rejected", "tool.call"]
        assert len(await events(since=lines[0].at)) == 3
        assert await events(until=lines[0].at - timedelta(seconds=1)) == []
        page = await audit.list_events(tx, office.account_id, AuditFilter(), before=lines[0].id, limit=1)
        assert [line.event for line in page] == ["tool.call"]
        story = await audit.list_of_interaction(tx, office.account_id, turn)
        assert [line.event for line in story] == ["tool.call", "tool.rejected"]
        rest = await audit.list_of_interaction(tx, office.account_id, turn, after=story[0].id)
        assert rest == story[1:]
    async with db.tenant_tx(other_office.account_id) as tx:
        assert await audit.list_events(tx, other_office.account_id, AuditFilter()) == []
        assert await audit.list_of_interaction(tx, other_office.account_id, turn) == []


@pytest.mark.requirement("AUD-03", "AUD-05")
@pytest.mark.parametrize("change", ["update audit_event set event = 'x'", "delete from audit_event"])
async def test_no_application_role_changes_a_line_and_the_owner_is_refused_by_a_trigger(
    db: Database, office: Office, database_url: str, change: str
) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        await audit.append(tx, account_id=office.account_id, event="agent.update", actor=SYSTEM)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.tenant_tx(office.account_id) as tx:
            await tx.execute(change)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.system_tx() as tx:
            await tx.execute(change)
    connection = await asyncpg.connect(database_url)
    try:
        with pytest.raises(asyncpg.PostgresError, match="never changed"):
            await connection.execute(change.replace("audit_event", "retinue.audit_event"))
        assert await connection.fetchval("select count(*) from retinue.audit_event where event = 'agent.update'") == 1
    finally:
        await connection.close()


@pytest.mark.requirement("AUD-14")
async def test_a_line_lives_and_dies_with_what_it_speaks_of(db: Database, office: Office) -> None:
    with pytest.raises(RuntimeError):
        async with db.tenant_tx(office.account_id) as tx:
            await audit.append(tx, account_id=office.account_id, event="agent.update", actor=SYSTEM)
            raise RuntimeError
    async with db.tenant_tx(office.account_id) as tx:
        assert await audit.list_events(tx, office.account_id, AuditFilter()) == []


@pytest.mark.requirement("AUD-13", "AUD-16", "CON-69")
async def test_no_secret_and_no_content_reaches_the_table(db: Database, office: Office) -> None:
    detail = {
        "password": "hunter2", "newPassword": "hunter2", "api_key": "hunter2", "authorization": "hunter2",
        "headers": {"Cookie": "hunter2", "X-Auth-Token": "hunter2", "accept": "text/plain"},
        "tokens": ["hunter2"], "note": f"used {SECRET}", "list": [{"secret": "hunter2"}, "Bearer abcdefghijkl"],
        "url": "postgres://joe:hunter2@db/x", "content": "dear diary", "arguments": {"to": "dear diary"},
        "secret_name": "crm", "input_tokens": 12, "key_id": "key_1", "count": None,
    }  # fmt: skip
    async with db.tenant_tx(office.account_id) as tx:
        await audit.append(tx, account_id=office.account_id, event="agent.update", actor=SYSTEM, detail=detail)
        stored = await tx.fetchval("select detail from audit_event where account_id = $1", office.account_id)
    assert not [word for word in ("hunter2", "secretsecret", "abcdefghijkl", "dear diary") if word in str(stored)]
    assert stored["content"] == reference("dear diary")
    assert stored["headers"] == {"accept": "text/plain"}
    assert (stored["secret_name"], stored["input_tokens"], stored["key_id"]) == ("crm", 12, "key_1")


keys = st.sampled_from(["token", "Token", "accessToken", "x-secret", "PASSWORD", "db_password", "a", "b"])
leaves = st.sampled_from(["hunter2", "plain"])
details = st.dictionaries(
    keys,
    st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)),
    max_size=4,
)


@given(details)
@pytest.mark.requirement("AUD-13")
def test_a_field_named_like_a_secret_is_dropped_at_any_depth(detail: dict[str, object]) -> None:
    def names(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*(names(inner) for inner in value.values()))
        return set().union(*map(names, value)) if isinstance(value, list) else set()

    assert names(domain.clean(detail)) <= {"a", "b"}


def test_ids_that_are_none_of_ours_are_left_alone() -> None:
    assert domain.outside({"agent_id": "postmark", "n": 1, "x": {"user_id": None}}) == {
        "agent_id": "postmark", "n": 1, "x": {"user_id": None},
    }  # fmt: skip
    own = uuid4()
    assert domain.inside_id(ids.encode("usr", own)) == str(own)
    assert domain.inside_id("postmark") == "postmark"

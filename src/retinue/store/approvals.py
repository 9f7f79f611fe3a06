"""Requests for approval: who sees them, how one is held for a decision (``store.deciding``), and how time ends them."""

from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain import approvals
from retinue.domain.accounts import Principal, Role, Scope, at_least
from retinue.domain.agents import AgentConfig
from retinue.domain.approvals import Approval, Asked, DecisionView, May, Mine, Person, Said
from retinue.domain.base import Value
from retinue.domain.ids import AgentId, ChannelId
from retinue.domain.policy import Governance
from retinue.domain.waits import Wait, WaitState
from retinue.store import interactions, turns
from retinue.store.interactions import SEEN

BATCH = 200
"""Waits whose time is up that are taken at once."""
GONE = "There is no request for approval by that id, or you may not see it."

MAY = "may_decide_v1($1, w.ask, i.user_id, c.team_id, $2)"
SHOWN = f"""
    select w.id, w.state, w.interaction_id, w.step_seq, w.tool, w.prompt, w.payload, w.arguments_hash, w.resolution,
        w.ask, w.policy_revision, w.explanation, w.due_at, w.created_at, w.resolved_at,
        i.agent_id, i.channel_id, i.user_id,
        coalesce(i.options #>> '{{trial,name}}', g.name) as agent_name, c.name as channel_name, u.name as user_name,
        approver_role_v1($1, $2, c.team_id) as role, approval_said_v1($1, w.id, c.team_id) as said,
        approval_panels_short_v1($1, w.ask, i.user_id) as short, ({SEEN}) as readable
    from wait w join interaction i on i.account_id = $1 and i.id = w.interaction_id
    left join agent g on g.account_id = $1 and g.id = i.agent_id
    left join channel c on c.account_id = $1 and c.id = i.channel_id
    left join app_user u on u.account_id = $1 and u.id = i.user_id
    where w.account_id = $1 and w.kind = 'approval' and w.ask is not null
"""
VISIBLE = f"""
    ($3 or i.user_id = $2 or {MAY} or ({SEEN}) or exists (select from approval_decision d
        where d.account_id = $1 and d.wait_id = w.id and d.user_id = $2))
"""
ONE = f"{SHOWN} and w.id = $4 and {VISIBLE}"
PAGE = f"""{SHOWN}
    and ($4::text is null or w.state = $4) and ($5::uuid is null or w.id < $5)
    and case $6
        when 'asked' then i.user_id = $2
        when 'to_decide' then w.state = 'open' and {MAY} and not exists (select from approval_decision d
            where d.account_id = $1 and d.wait_id = w.id and d.user_id = $2
              and d.arguments_hash = (select e.arguments_hash from approval_decision e
                  where e.account_id = $1 and e.wait_id = w.id order by e.place desc limit 1))
        else {VISIBLE} end
    order by w.id desc limit $7
"""
CONFIG = """
select s.content from interaction i join config_snapshot s on s.account_id = $1 and s.hash = i.config_hash
where i.account_id = $1 and i.id = $2
"""


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def access(tx: Tx, caller: Principal, wait_id: UUID) -> Approval:
    """One request. Raises NotFound for who may neither decide it nor see what it is about."""
    row = await tx.fetchrow(ONE, *interactions.who(caller), wait_id)
    if row is None:
        raise errors.NotFound(GONE)
    return _view(caller, dict(row))


async def page(
    tx: Tx, caller: Principal, mine: Mine, state: WaitState | None, *, before: UUID | None = None, limit: int = 51
) -> list[Approval]:
    """Requests, newest first."""
    rows = await tx.fetch(PAGE, *interactions.who(caller), state, before, mine.value, limit)
    return [_view(caller, dict(row)) for row in rows]


async def config(tx: Tx, account_id: UUID, interaction_id: UUID) -> AgentConfig:
    """What the agent of this turn is configured to. Raises NotFound."""
    content = await tx.fetchval(CONFIG, account_id, interaction_id)
    if content is None:
        raise errors.NotFound("This turn has no configuration any more.")
    return AgentConfig.model_validate(content)


def _asked(row: dict[str, Any]) -> Asked:
    return Asked.model_validate({"ask": row["ask"], "requester": row["user_id"], "short": row["short"]})


def _said(rows: list[dict[str, Any]]) -> tuple[Said, ...]:
    return tuple(
        Said(
            person=Person(user_id=row["user_id"], role=row["role"]),
            choice=row["choice"],
            arguments_hash=row["arguments_hash"],
        )
        for row in rows
    )


def _proposal(payload: dict[str, Any], said: list[dict[str, Any]]) -> dict[str, Any]:
    """The arguments that the next person decides about: the agent's, or as they were last edited."""
    edits = [row["arguments"] for row in said if row["arguments"] is not None]
    return edits[-1] if edits else payload.get("arguments") or {}


def _hash(arguments_hash: str, said: list[dict[str, Any]]) -> str:
    """Of the proposal."""
    return said[-1]["arguments_hash"] if said else arguments_hash


def _view(caller: Principal, row: dict[str, Any]) -> Approval:
    asked, said, state = _asked(row), row["said"], WaitState(row["state"])
    me = Person(user_id=caller.user_id, role=row["role"])
    hash = _hash(row["arguments_hash"], said)
    outcome = approvals.tally(asked, _said(said), hash)
    open_, entitled = state is WaitState.OPEN, asked.refusal(me) is None
    decided = any(one["user_id"] == str(caller.user_id) and one["arguments_hash"] == hash for one in said)
    shown = row["readable"] or entitled
    resolution: dict[str, Any] = row["resolution"] or {}
    fields = {name: row[name] for name in Approval.model_fields if name in row}
    found = Approval.model_validate(
        fields
        | {
            "decision": resolution.get("decision"),
            "prompt": row["prompt"] if shown else "",
            "arguments": _proposal(row["payload"], said) if shown else None,
            "arguments_hash": hash,
            "edited": hash != row["arguments_hash"],
            "missing": outcome.missing if open_ else (),
            "unroutable": bool(row["short"]),
            "decisions": tuple(_decision(one) for one in said),
            "may": May(
                decide=open_ and entitled and not decided and Scope.APPROVE in caller.scopes,
                withdraw=open_ and may_withdraw(caller, asked.requester),
                grant=open_ and Scope.APPROVE in caller.scopes and approvals.may_grant(asked, me, for_anyone=False),
            ),
        }
    )
    return found if asked.requester == caller.user_id else found.private()


def _decision(row: dict[str, Any]) -> DecisionView:
    fields = {name: row[name] for name in DecisionView.model_fields if name in row}
    return DecisionView.model_validate(fields | {"decision": row["choice"], "edited": row["arguments"] is not None})


def may_withdraw(caller: Principal, requester: UUID | None) -> bool:
    """Whether the caller may take a request back: whoever it is for, and admins."""
    return caller.user_id == requester or (at_least(caller.role, Role.ADMIN) and Scope.ADMIN in caller.scopes)


# ── holding one for a decision ───────────────────────────────────────────────────────────────────────────────────


class Held(Value):
    """A request that nothing else changes until this transaction ends."""

    wait: Wait
    asked: Asked
    me: Person
    said: tuple[Said, ...]
    arguments: dict[str, Any]
    arguments_hash: str
    overdue: bool
    agent_id: AgentId
    channel_id: ChannelId | None
    governance: Governance


async def take(tx: Tx, caller: Principal, wait_id: UUID) -> Held:
    """Hold a request for this transaction, as this person stands to it. Raises NotFound."""
    row = await tx.fetchval("select approval_take_v1($1, $2, $3)", caller.account_id, wait_id, caller.user_id)
    wait = turns.wait(row["wait"])
    return Held(
        wait=wait,
        asked=_asked({"ask": row["wait"]["ask"], "user_id": row["requester"], "short": row["short"]}),
        me=Person(user_id=caller.user_id, role=row["role"]),
        said=_said(row["said"]),
        arguments=_proposal(wait.payload, row["said"]),
        arguments_hash=_hash(wait.arguments_hash or "", row["said"]),
        overdue=row["overdue"],
        agent_id=row["agent_id"],
        channel_id=row["channel_id"],
        governance=row["governance"],
    )


# ── time is up ───────────────────────────────────────────────────────────────────────────────────────────────────


async def due(tx: Tx, limit: int = BATCH) -> list[tuple[UUID, UUID]]:
    """Open waits whose time is up, the longest first: (account, wait). As ``retinue_system``."""
    # cross-tenant: by the time alone
    rows = await tx.fetch(
        "select account_id, id from wait where state = 'open' and due_at <= clock() order by due_at limit $1", limit
    )
    return [(row["account_id"], row["id"]) for row in rows]


async def next_due(tx: Tx) -> float | None:
    """In how many seconds the next open wait is due; None when none is. As ``retinue_system``."""
    # cross-tenant: by the time alone
    return await tx.fetchval(
        "select extract(epoch from min(due_at) - clock())::float8 from wait where state = 'open' and due_at is not null"
    )


async def expire(db: Database, account_id: UUID, wait_id: UUID) -> bool:
    """End one wait whose time is up; its turn goes on. False when it was decided meanwhile, or is not due."""
    return await db.call("select expire_wait_v1($1, $2)", account_id, wait_id)

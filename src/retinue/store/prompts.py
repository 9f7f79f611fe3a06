"""What a step's prompt is made of again: the turn, the messages it read, what has happened to them since.

Who may see a turn may see what its model was shown, except what was said to somebody else directly, and what an author
has edited away (who may read that: the author, and the channel's owners).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain.accounts import Principal
from retinue.domain.messages import ThreadMessage
from retinue.domain.policy import Written, written
from retinue.domain.turns import Interaction, Step
from retinue.store import interactions, threads, turns


@dataclass(frozen=True, slots=True)
class Facts:
    """A turn's rows, and what stands beside them."""

    interaction: Interaction
    options: dict[str, Any]
    default_model: str | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A message a model was shown. ``hidden`` says why this reader may not read it; ``deleted``: its words are gone."""

    message: ThreadMessage
    hidden: str | None
    deleted: bool


TURN = f"""
select i.*, a.default_model from interaction i join account a on a.id = $1
where {interactions.SEEN} and i.account_id = $1 and i.id = $4
"""


async def access_turn(tx: Tx, principal: Principal, interaction_id: UUID) -> Facts:
    """One turn with its steps. Raises NotFound for what this person may not see."""
    row = await tx.fetchrow(TURN, *interactions.who(principal), interaction_id)
    if row is None:
        raise errors.NotFound("There is no interaction by that id, or you may not see it.")
    rows = await tx.fetch(interactions.STEPS, principal.account_id, interaction_id)
    steps = tuple(turns.step(dict(one)) for one in rows)
    return Facts(turns.interaction(dict(row)), row["options"], row["default_model"], steps)


MESSAGES = f"""
select {threads.MESSAGE}, m.created_at,
    case when i.delivery = 'direct' and i.user_id is distinct from $2 then 'direct'
         when d.edited_at > $4 and d.user_id is distinct from $2 and not owns_channel_v1($1, d.channel_id, $2)
             then 'edited' end as hidden,
    coalesce(d.status = 'deleted', false) as deleted
from thread_message m
left join interaction i on i.account_id = $1 and i.id = m.interaction_id
left join message d on d.account_id = $1 and d.id = m.message_id
where m.account_id = $1 and m.thread_id = $3
"""
BY_PLACE = f"{MESSAGES} and m.seq = any ($5::bigint[]) order by m.seq"
BY_RANGE = f"""
{MESSAGES} and m.seq between $5 and $6 and coalesce(m.metadata ->> 'status', '') not in ('pending_approval', 'rejected')
order by m.seq
"""


async def shown(
    tx: Tx, principal: Principal, thread_id: UUID, since: datetime | None, seqs: Sequence[int]
) -> list[Shown]:
    """The thread's messages at these places, as they were at ``since``."""
    rows = await tx.fetch(BY_PLACE, principal.account_id, principal.user_id, thread_id, since, seqs)
    return [_shown(row) for row in rows]


async def shown_between(
    tx: Tx, principal: Principal, thread_id: UUID, since: datetime | None, places: tuple[int, int]
) -> list[Shown]:
    """The thread's messages from the first of these places to the last, without drafts."""
    rows = await tx.fetch(BY_RANGE, principal.account_id, principal.user_id, thread_id, since, *places)
    return [_shown(row) for row in rows]


def _shown(row: Mapping[str, Any]) -> Shown:
    return Shown(threads.message(row), row["hidden"], row["deleted"])


RECALLED = f"""
select {threads.MESSAGE}, m.created_at from thread_message m
where m.account_id = $1 and (m.thread_id, m.seq) in (select * from unnest($2::uuid[], $3::bigint[]))
"""


async def recalled(tx: Tx, account_id: UUID, places: Sequence[tuple[UUID, int]]) -> list[ThreadMessage]:
    """The messages at these places of any thread. Only for whoever they were recalled for."""
    rows = await tx.fetch(RECALLED, account_id, [place[0] for place in places], [place[1] for place in places])
    return [threads.message(row) for row in rows]


SAID = """
select parts, metadata from thread_message
where account_id = $1 and thread_id = $2 and seq > $3 and interaction_id = $4 and role = 'assistant'
  and step_seq between $5 and $5 + 1
order by seq limit 1
"""


async def said(tx: Tx, account_id: UUID, seen: Interaction, step: Step) -> Mapping[str, Any] | None:
    """What the model said in this think step, as the thread keeps it: ``parts`` and ``metadata``. A last answer stands
    there under its respond step."""
    upto = int(step.input.get("upto", 0))
    return await tx.fetchrow(SAID, account_id, seen.thread_id, upto, seen.id, step.seq)


async def model_of(tx: Tx, account_id: UUID, interaction_id: UUID, seq: int) -> str | None:
    """The model that answered in this step."""
    return await tx.fetchval(
        "select model from token_event where account_id = $1 and interaction_id = $2 and step_seq = $3",
        account_id, interaction_id, seq,
    )  # fmt: skip


async def changed_tools(tx: Tx, account_id: UUID, slugs: Sequence[str], since: datetime | None) -> list[str]:
    """Those of these tools whose rows have changed since."""
    rows = await tx.fetch(
        "select slug from tool where account_id = $1 and slug = any ($2::text[]) and updated_at > $3 order by slug",
        account_id, slugs, since,
    )  # fmt: skip
    return [row["slug"] for row in rows]


CONFIGS = """
select i.config_hash as hash, s.content as snapshot, n.hash as current_hash, n.content as current
from interaction i
left join config_snapshot s on s.account_id = $1 and s.hash = i.config_hash
left join agent g on g.account_id = $1 and g.deleted_at is null and g.origin <> 'trial'
    and g.id = coalesce((i.options #>> '{trial,agent_id}')::uuid, i.agent_id)
left join config_snapshot n on n.account_id = $1 and n.hash = g.config_hash
where i.account_id = $1 and i.id = $2
"""


async def configs(tx: Tx, account_id: UUID, interaction_id: UUID) -> Mapping[str, Any]:
    """The configuration of a turn, and its agent's of today. The caller has checked who may see the turn."""
    row = await tx.fetchrow(CONFIGS, account_id, interaction_id)
    assert row is not None
    return row


POLICIES = """
select v.policy_id as id, v.version, v.content ->> 'layer' as layer, v.content ->> 'name' as name,
    v.content -> 'rule' as rule
from policy_version v join unnest($2::uuid[], $3::int[]) with ordinality as w (id, version, place)
    on v.policy_id = w.id and v.version = w.version
where v.account_id = $1 order by w.place
"""


async def policies(tx: Tx, account_id: UUID, told: Sequence[Sequence[Any]]) -> tuple[Written, ...]:
    """The policies that a model was told, by id and version: as they were then."""
    if not told:
        return ()
    rows = await tx.fetch(POLICIES, account_id, [UUID(one) for one, _ in told], [version for _, version in told])
    return tuple(written(dict(row)) for row in rows)

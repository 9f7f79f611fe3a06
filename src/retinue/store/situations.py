"""Who would do what for whom, and where, as the rules need to know it: for one hypothetical call, and for the calls of
the last days as they are recorded."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import accounts
from retinue.domain.accounts import Principal, Role
from retinue.domain.agents import AgentConfig
from retinue.domain.base import Value
from retinue.domain.explaining import Expectation, Hypothesis
from retinue.domain.ids import AgentId, ChannelId, InteractionId, TeamId, UserId
from retinue.domain.policies import Place
from retinue.domain.policy_documents import Noun, Reference, as_id
from retinue.store import agents, channels, interactions, policy_names, turns, users


class Situation(Value):
    """An agent as it is configured, at work for a person in a place."""

    agent_id: AgentId
    config: AgentConfig
    user_id: UserId | None
    channel_id: ChannelId | None
    team_id: TeamId | None
    """Whose channel it is."""


# ── of a hypothetical call ───────────────────────────────────────────────────────────────────────────────────────

TEAM = "select team_id from channel where account_id = $1 and id = $2"


async def access(tx: Tx, principal: Principal, asked: Hypothesis) -> Situation:
    """The situation of a call that is only asked about. Admins ask for anyone, others for themselves.

    Raises NotFound (agent, channel or person are not there, or not this person's to use), Forbidden.
    """
    account_id = principal.account_id
    agent = await agents.access_agent(tx, principal, asked.agent_id)
    user_id = asked.user_id if "user_id" in asked.model_fields_set else principal.user_id
    user_id = user_id if isinstance(user_id, UUID) else None
    admin = accounts.at_least(principal.role, Role.ADMIN)
    if user_id != principal.user_id:
        if not admin:
            raise errors.Forbidden("You may ask what would happen for yourself. Admins may ask for anyone.")
        if user_id is not None:
            await users.get(tx, account_id, user_id)
    content = await turns.config(tx, account_id, agent.config_hash)
    return Situation(
        agent_id=agent.id, config=AgentConfig.model_validate(content), user_id=user_id, channel_id=asked.channel_id,
        team_id=await _team(tx, principal, asked.channel_id, admin),
    )  # fmt: skip


async def _team(tx: Tx, principal: Principal, channel_id: UUID | None, admin: bool) -> UUID | None:
    if channel_id is None:
        return None
    if not admin:
        return (await channels.access_channel(tx, principal, channel_id)).team_id
    row = await tx.fetchrow(TEAM, principal.account_id, channel_id)
    if row is None:
        raise errors.NotFound("There is no such channel.")
    team_id: UUID | None = row["team_id"]
    return team_id


async def named(tx: Tx, principal: Principal, tests: Sequence[Expectation]) -> list[Hypothesis]:
    """The calls that expectations speak of, by id. Raises BadInput with the path of each name that nothing here has."""
    said = [one for test, expected in enumerate(tests) for one in _names(test, expected)]
    known = await policy_names.inside(tx, principal.account_id, said)
    missing = [
        {"path": one.path, "reason": f"there is no {one.noun} {one.text!r}"}
        for one in said
        if (one.noun, one.text) not in known and as_id(one.noun, one.text) is None
    ]
    if missing:
        raise errors.BadInput("Name agents, people and channels that are here.", errors=missing)
    return [_hypothesis(expected, known) for expected in tests]


def _names(test: int, expected: Expectation) -> list[Reference]:
    given: tuple[tuple[Noun, str, str | None], ...] = (
        ("agent", "agent", expected.agent),
        ("user", "person", expected.person),
        ("channel", "channel", expected.channel),
    )
    return [
        Reference(noun=noun, text=text, path=f"body.tests.{test}.{field}")
        for noun, field, text in given
        if text is not None
    ]


def _hypothesis(expected: Expectation, known: Mapping[tuple[Noun, str], str]) -> Hypothesis:
    same = expected.model_dump(include={"tool", "arguments", "model", "at", "calls_before", "depth"})
    given: dict[str, Any] = same | {"agent_id": known.get(("agent", expected.agent), expected.agent)}
    if expected.person is not None:
        given["user_id"] = known.get(("user", expected.person), expected.person)
    if expected.channel is not None:
        given["channel_id"] = known.get(("channel", expected.channel), expected.channel)
    return Hypothesis.model_validate(given)


# ── of recorded calls ────────────────────────────────────────────────────────────────────────────────────────────

TURNS = 20_000
"""Of the newest turns of the account, what was done in them is looked at."""
PLACE = """
    ($4::uuid is null or r.user_id = $4)
    and ($5::uuid is null or c.team_id = $5 or (c.team_id is null and r.user_id in (
        select m.user_id from member m where m.account_id = $1 and m.team_id = $5)))
"""
"""Of turn ``r`` in channel ``c``: whether it is the person's ($4), and the team's ($5)."""
RECORDED = f"""
with recent as (
    select i.id, i.agent_id, i.user_id, i.channel_id, i.config_hash, i.depth, i.created_at from interaction i
    where i.account_id = $1 order by i.id desc limit {TURNS})
select r.id as interaction_id, r.agent_id, r.user_id, r.channel_id, c.team_id, r.config_hash, r.depth, s.seq,
    s.kind::text as kind, s.tool, s.input, coalesce(s.started_at, r.created_at) as at, e.model,
    s.output ->> 'text' as words, coalesce(s.cost_micro, 0) as cost_micro, s.input_tokens + s.output_tokens as tokens,
    s.state in ('success', 'failed') and s.policy ->> 'verdict' is distinct from 'deny' as made,
    (select count(*) from step b where b.account_id = $1 and b.interaction_id = r.id and b.kind = 'act'
        and b.tool = s.tool and b.seq < s.seq) as calls_before
from recent r join step s on s.account_id = $1 and s.interaction_id = r.id
    left join channel c on c.account_id = $1 and c.id = r.channel_id
    left join token_event e on e.account_id = $1 and e.interaction_id = r.id and e.step_seq = s.seq
where r.created_at >= $2 and s.kind::text = any($3) and (s.kind <> 'act' or s.tool is not null)
  and (s.kind <> 'think' or e.model is not null) and r.config_hash is not null
  and {PLACE}
order by r.id desc, s.seq desc limit $6
"""
SPENT = f"""
select e.agent_id, e.user_id, r.channel_id, c.team_id, e.tool, e.model, sum(e.cost_micro)::bigint as cost_micro
from token_event e join interaction r on r.account_id = $1 and r.id = e.interaction_id
    left join channel c on c.account_id = $1 and c.id = r.channel_id
where e.account_id = $1 and e.created_at >= $2 and e.created_at < $3 and e.cost_micro > 0 and {PLACE}
group by 1, 2, 3, 4, 5, 6
"""
VISIBLE = f"select i.id from interaction i where i.account_id = $1 and {interactions.SEEN} and i.id = any($4)"


class Recorded(Value):
    """A call that was made, or asked for."""

    interaction_id: InteractionId
    agent_id: AgentId
    user_id: UserId | None
    channel_id: ChannelId | None
    team_id: TeamId | None
    config_hash: str
    depth: int
    seq: int
    kind: str
    tool: str | None
    input: dict[str, Any]
    at: datetime
    model: str | None
    calls_before: int
    words: str | None
    """What the model said, where that is still in the journal."""
    cost_micro: int
    tokens: int
    made: bool
    """Whether it ran; what was refused, or still waits, did not."""


async def recorded(
    tx: Tx, account_id: UUID, kinds: Sequence[str], place: Place, *, since: datetime, limit: int
) -> list[Recorded]:  # fmt: skip
    """The calls of tools (``act``) and models (``think``) that rules of this place speak of, newest first."""
    rows = await tx.fetch(RECORDED, account_id, since, list(kinds), place.user_id, place.team_id, limit)
    return [Recorded.model_validate(dict(row)) for row in rows]


class Spent(Value):
    """What was spent by one agent on one person's behalf, in one place, by one tool or model."""

    agent_id: AgentId
    user_id: UserId | None
    channel_id: ChannelId | None
    team_id: TeamId | None
    tool: str | None
    model: str | None
    cost_micro: int


async def spent(tx: Tx, account_id: UUID, place: Place, *, since: datetime, until: datetime) -> list[Spent]:
    """What was spent in this time by what rules of this place speak of."""
    rows = await tx.fetch(SPENT, account_id, since, until, place.user_id, place.team_id)
    return [Spent.model_validate(dict(row)) for row in rows]


async def visible(tx: Tx, principal: Principal, found: Sequence[UUID]) -> set[UUID]:
    """Those of these turns that this person may see."""
    return {row["id"] for row in await tx.fetch(VISIBLE, *interactions.who(principal), list(found))}

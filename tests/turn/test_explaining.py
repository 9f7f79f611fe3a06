"""What is explained is what the gate does; what is previewed would have been; a change acts on the next step."""

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from retinue import errors
from retinue.domain import ids
from retinue.domain.accounts import NewUser, Principal, Role
from retinue.domain.agents import TrustLevel
from retinue.domain.events import Event
from retinue.domain.explaining import Explanation, Hypothesis, PolicyDraft, PolicyPreview
from retinue.domain.models import ModelReply, ModelRequest
from retinue.domain.policies import NewPolicy, PolicyChange
from retinue.domain.tools import Effect
from retinue.domain.turns import Step, StepKind
from retinue.store import channels, policy_writes, turns, users
from retinue.telemetry import clock
from retinue.tools.registry import Context, tool
from retinue.turn import explaining, intake, previewing
from tests.turn.conftest import Lab, call, calls, node


@tool(effect=Effect.READ)
async def look(ctx: Context, word: str = "") -> str:
    """Look.

    Args:
        word: what for
    """
    return f"saw {word}"


@tool(effect=Effect.EXTERNAL_KEYED, trust=TrustLevel.ELEVATED, categories=("external_email",))
async def send_email(ctx: Context, to: str, text: str = "") -> str:
    """Send mail.

    Args:
        to: the receiver
        text: what to say
    """
    return "sent"


@tool(effect=Effect.EXTERNAL_KEYED)
async def pay(ctx: Context, amount: float, action: str = "pay") -> str:
    """Pay.

    Args:
        amount: in dollars
        action: what to do
    """
    return "paid"


PRICE = 400
order = pay.narrowed(pay.spec.model_copy(update={"slug": "order", "price_micro": PRICE}))
"""A tool whose calls cost something."""
TOOLS = (look, send_email, pay, order)


@pytest.fixture
async def crew(lab: Lab) -> AsyncIterator[Lab]:
    await lab.give(*(one.spec.slug for one in TOOLS))
    async with node(lab, TOOLS):
        yield lab


def owner(lab: Lab) -> Principal:
    return Principal(account_id=lab.account, user_id=lab.world.owner.id, role=Role.OWNER)


async def write(lab: Lab, name: str, rule: dict[str, Any], by: Principal | None = None, **fields: Any) -> UUID:
    async with lab.db.tenant_tx(lab.account) as tx:
        new = NewPolicy.model_validate({"name": name, "rule": rule, **fields})
        return (await policy_writes.create(tx, by or owner(lab), new)).id


async def explained(lab: Lab, asked: dict[str, Any], by: Principal | None = None) -> Explanation:
    assert lab.engine is not None
    body = {"agent_id": lab.world.agent.id, "channel_id": lab.world.private_channel.id, **asked}
    hypothesis = Hypothesis.model_validate(body)
    return await explaining.explain(lab.db, lab.engine.sources, by or owner(lab), hypothesis)


async def acts(lab: Lab, interaction_id: UUID) -> list[Step]:
    """The act steps of a turn that has ended or waits."""
    await lab.until(interaction_id, "succeeded", "waiting", "failed")
    return [step for step in await lab.steps(interaction_id) if step.kind is StepKind.ACT]


POLICIES: list[dict[str, Any]] = [
    {"type": "tool_restriction", "never": ["sendEmail"]},
    {"type": "tool_restriction", "only": ["look", "p*"]},
    {"type": "tool_restriction", "scope": {"tools": ["pay"]}, "allowed_actions": ["pay"]},
    {"type": "tool_restriction", "scope": {"tools": ["look"]}, "max_calls_per_interaction": 1},
    {"type": "content_restriction", "patterns": ["secret"]},
    {"type": "content_restriction", "detect": ["email"], "then": "redact", "scope": {"tools": ["look"]}},
    {"type": "approval", "categories": ["external_email"], "ask": {"panels": [{"role": "admin"}]}},
    {
        "type": "approval", "scope": {"effects": ["external_keyed"]}, "ask": {"panels": [{"role": "lead"}]},
        "where": [{"argument": "amount", "is": "above", "value": 100}],
    },
    {"type": "time_window", "days": [], "scope": {"tools": ["pay"]}},
    {"type": "delegation_depth", "max": 0},
    {"type": "rate_limit", "amount": 1000, "seconds": 60},
]  # fmt: skip
ASKED: list[dict[str, Any]] = [
    {"tool": "look", "arguments": {"word": "ann@example.com"}},
    {"tool": "look", "arguments": {"word": "a secret"}},
    {"tool": "look", "arguments": {"wrong": 1}},
    {"tool": "send_email", "arguments": {"to": "ann@example.com"}},
    {"tool": "send_email", "arguments": {"text": "whom?"}},
    {"tool": "pay", "arguments": {"amount": 50}},
    {"tool": "pay", "arguments": {"amount": 500, "action": "refund"}},
    {"tool": "pay", "arguments": {"amount": "many"}},
    {"tool": "erase_all", "arguments": {}},
]


@pytest.mark.requirement("GOV-07", "GOV-13", "GOV-22")
@pytest.mark.parametrize("seed", range(8))
async def test_what_is_explained_is_what_the_gate_then_does(crew: Lab, seed: int) -> None:
    chance = random.Random(seed)
    for place, rule in enumerate(chance.sample(POLICIES, chance.randint(0, 4))):
        layer = chance.choice(["account", "user"])
        await write(crew, f"{place}", rule, layer=layer, priority=chance.randint(0, 1000))
    trust = chance.choice(["standard", "elevated", "read"])
    await crew.configure("update agent set trust_level = $2 where account_id = $1", trust)
    chosen = chance.sample(ASKED, 5)
    before = [
        await explained(crew, one | {"calls_before": sum(other["tool"] == one["tool"] for other in chosen[:place])})
        for place, one in enumerate(chosen)
    ]
    crew.models.script = [calls(*(call(one["tool"], **one["arguments"]) for one in chosen))]
    done = await acts(crew, await crew.say())
    assert len(done) == len(chosen)
    for said, step in zip(before, done, strict=True):
        came = step.policy
        assert came is not None
        assert (said.verdict, said.reason, said.redact) == (came.verdict, came.reason, came.redact), step.input
        assert (said.ask, said.detail) == (came.ask, came.detail)
        told = [(one.layer, one.rule, one.verdict, one.reason, one.detail) for one in said.opinions]
        assert told == [(one.layer, one.rule, one.verdict, one.reason, one.detail) for one in came.opinions]
        if said.verdict == "allow":
            assert (step.error == "invalid_arguments") == (said.misfit is not None)


async def test_an_explanation_leaves_no_trace(crew: Lab) -> None:
    await write(crew, "Ask", POLICIES[6])
    counted = "select (select count(*) from audit_event where account_id = $1) as lines, " \
        "(select count(*) from wait where account_id = $1) as waits, " \
        "(select policy_revision from account where id = $1) as revision"  # fmt: skip
    before = await crew.fetch(counted)
    said = await explained(crew, {"tool": "email_send", "arguments": {"to": "a"}})
    assert (said.verdict, said.tool, said.revision) == ("ask", "send_email", before[0]["revision"])
    assert await crew.fetch(counted) == before


async def test_a_model_is_explained_and_limits_are_named(crew: Lab) -> None:
    await write(crew, "Ours", {"type": "model_allow_list", "models": ["script/*"]})
    limit = {"type": "cost_limit", "per": "account", "period": "day", "limit_micro": 10**9}
    await write(crew, "A day", limit)
    rate = {"type": "rate_limit", "about": "model", "amount": 10, "seconds": 1}
    await write(crew, "Slowly", rate)
    assert (await explained(crew, {"model": "script/1"})).verdict == "allow"
    other = await explained(crew, {"model": "openai/gpt-5"})
    assert (other.verdict, other.reason) == ("deny", "model_not_allowed")
    assert {one.name for one in other.budgets} == {"A day", "Slowly"}
    tool = await explained(crew, {"tool": "look"})
    assert {one.name for one in tool.budgets} == {"A day"}
    for wrong in ({}, {"tool": "look", "model": "script/1"}):
        with pytest.raises(ValueError, match="name a tool or a model"):
            await explained(crew, wrong)


@pytest.mark.requirement("COST-07", "COST-19")
async def test_limits_say_what_is_left_and_decide_where_it_is_too_little(crew: Lab) -> None:
    ann = await someone(crew)
    day = {"type": "cost_limit", "per": "account", "period": "day", "limit_micro": 1000, "scope": {"tools": ["order"]}}
    await write(crew, "A day", day)
    turn = {"type": "cost_limit", "per": "interaction", "period": "total", "limit_micro": 900}
    await write(crew, "A turn", turn)
    often = {"type": "rate_limit", "per": "tool", "amount": 3, "seconds": 3600, "strategy": "token_bucket"}
    await write(crew, "Often", often)
    mine = {"type": "rate_limit", "per": "user", "amount": 9, "seconds": 3600, "strategy": "fixed_window"}
    await write(crew, "Mine", mine)
    call_of_it = {"tool": "order", "arguments": {"amount": 1}}

    async def left(by: Principal | None = None) -> dict[str, int | None]:
        here = call_of_it | {"channel_id": crew.world.channel.id}
        return {one.name: one.left for one in (await explained(crew, here, by)).budgets}

    assert await left() == {"A day": 1000, "A turn": 900, "Often": 3, "Mine": 9}
    for spent in (1, 2, 3):
        before = await explained(crew, call_of_it)
        crew.models.script = [calls(call("order", amount=1))]
        [step] = await acts(crew, await crew.say())
        assert step.policy is not None
        assert (before.verdict, before.reason, before.detail) == (
            step.policy.verdict, step.policy.reason, step.policy.detail,
        )  # fmt: skip
        assert before.verdict == ("allow" if spent < 3 else "deny")
    assert before.reason == "budget_exceeded"
    assert await left() == {"A day": 200, "A turn": 900, "Often": 1, "Mine": 7}
    assert await left(ann) == {"A day": None, "A turn": 900, "Often": None, "Mine": 9}
    again = await explained(crew, {"tool": "look"})
    assert again.verdict == "allow"


async def someone(lab: Lab, email: str = "ann@example.com", role: Role = Role.MEMBER) -> Principal:
    async with lab.db.tenant_tx(lab.account) as tx:
        made = await users.create(tx, lab.account, NewUser(email=email, name="Ann", role=role))
    return Principal(account_id=lab.account, user_id=made.id, role=role)


async def test_people_ask_for_themselves_and_admins_for_anyone_without_seeing_their_own_policies(crew: Lab) -> None:
    ann = await someone(crew)
    await write(crew, "Ann's secret", {"type": "tool_restriction", "never": ["look"]}, ann, layer="user")
    here = {"tool": "look", "channel_id": crew.world.channel.id}
    mine = await explained(crew, here, ann)
    assert (mine.verdict, mine.opinions[-1].rule) == ("deny", "Ann's secret")
    assert mine.opinions[-1].policy_id is not None
    hers = await explained(crew, here | {"user_id": ann.user_id})
    assert (hers.verdict, hers.reason) == ("deny", "tool_blocked")
    assert "Ann's secret" not in hers.model_dump_json() and hers.opinions[-1].policy_id is None
    assert (await explained(crew, here | {"user_id": None})).verdict == "allow"
    with pytest.raises(errors.Forbidden):
        await explained(crew, here | {"user_id": crew.world.owner.id}, ann)
    with pytest.raises(errors.Forbidden):
        await explained(crew, here | {"user_id": None}, ann)
    for hidden in ({"channel_id": crew.world.private_channel.id}, {"agent_id": ids.new()}):
        with pytest.raises(errors.NotFound):
            await explained(crew, here | hidden, ann)
    for missing in ({"channel_id": ids.new()}, {"user_id": ids.new()}):
        with pytest.raises(errors.NotFound):
            await explained(crew, here | missing)
    limit = {"type": "rate_limit", "per": "user", "amount": 5, "seconds": 60}
    await write(crew, "Ann's pace", limit, ann, layer="user")
    assert [(one.name, one.left) for one in (await explained(crew, here, ann)).budgets] == [("Ann's pace", 5)]
    assert (await explained(crew, here | {"user_id": ann.user_id})).budgets == ()


# ── the next step ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("GOV-23")
async def test_a_change_acts_on_the_next_step_of_a_turn_that_runs(crew: Lab) -> None:
    policy_id = await write(crew, "No looking", {"type": "tool_restriction", "never": ["look"]}, enabled=False)

    async def change(enabled: bool) -> None:
        async with crew.db.tenant_tx(crew.account) as tx:
            await policy_writes.change(tx, owner(crew), policy_id, PolicyChange(enabled=enabled))

    async def switched_on(_: ModelRequest) -> ModelReply:
        await change(True)
        return calls(call("look"))

    async def switched_off(_: ModelRequest) -> ModelReply:
        await change(False)
        return calls(call("look"))

    async def removed(_: ModelRequest) -> ModelReply:
        await change(True)
        async with crew.db.tenant_tx(crew.account) as tx:
            await policy_writes.delete(tx, owner(crew), policy_id)
        return calls(call("look"))

    crew.models.script = [calls(call("look")), switched_on, calls(call("look")), switched_off, removed]
    done = await acts(crew, (await crew.ask()).id)
    assert [step.error for step in done] == [None, "tool_blocked", "tool_blocked", None, None]


# ── a week again ─────────────────────────────────────────────────────────────────────────────────────────────────


async def preview(lab: Lab, rule: dict[str, Any] | None, by: Principal | None = None, **draft: Any) -> PolicyPreview:
    assert lab.engine is not None
    body: dict[str, Any] = {"policy_id": draft.pop("policy_id", None)}
    if rule is not None:
        body["policy"] = {"name": "Draft", "rule": rule, **draft}
    return await previewing.preview(lab.db, lab.engine.sources, by or owner(lab), PolicyDraft.model_validate(body))


def shifts(found: PolicyPreview) -> dict[tuple[str, str], int]:
    return {(one.before, one.after): one.count for one in found.shifts}


async def seeded(lab: Lab) -> Principal:
    """Two turns of the owner and one of Ann, in her own channel: 3 looks, 2 mails that are asked about, 1 payment."""
    ann = await someone(lab)
    lab.models.script = [calls(call("look", word="a"), call("pay", amount=500), call("look", word="b")), "done"]
    assert (await lab.ask()).state == "succeeded"
    lab.models.script = [calls(call("send_email", to="a@example.com"))]
    first = await lab.say()
    await lab.until(first, "waiting")
    await turns.cancel(lab.db, lab.account, first, "enough")
    async with lab.db.tenant_tx(lab.account) as tx:
        own = await channels.direct(tx, ann, lab.world.agent.id)
    lab.models.script = [calls(call("look", word="c"), call("send_email", to="b@example.com"))]
    said = Event(account_id=lab.account, user_id=ann.user_id, content="@assistant hello", channel_id=own.id)
    posted = await intake.receive(lab.db, said)
    await lab.until(posted.interactions[0].id, "waiting")
    return ann


async def test_a_preview_counts_what_would_have_been_and_shows_what_one_may_see(crew: Lab) -> None:
    await seeded(crew)
    found = await preview(crew, {"type": "tool_restriction", "never": ["look"]})
    assert (found.judged, found.complete, found.kind) == (6, True, "calls")
    assert shifts(found) == {("allow", "deny"): 3}
    assert [(one.tool, one.reason) for one in found.examples] == [("look", "tool_blocked")] * 2, "Ann's is hers"
    found = await preview(crew, {"type": "tool_restriction", "never": ["send_email"]})
    assert shifts(found) == {("ask", "deny"): 2}
    assert len(found.examples) == 1
    stricter = {"type": "approval", "categories": ["external_email"], "ask": {"panels": [{"role": "owner"}]}}
    assert shifts(await preview(crew, stricter)) == {("ask", "ask"): 2}
    assert shifts(await preview(crew, {"type": "tool_restriction", "only": ["*"]})) == {}
    assert await crew.fetch("select 1 from policy where account_id = $1") == []


async def test_a_preview_looks_at_what_was_said_too(crew: Lab) -> None:
    crew.models.script = ["Write to jane@example.org.", "Ask Jane."]
    for _ in range(2):
        await crew.ask()
    mail = {"type": "content_restriction", "detect": ["email"]}
    found = await preview(crew, mail | {"then": "block"})
    assert (found.judged, found.kind) == (2, "both")
    assert shifts(found) == {("allow", "deny"): 1}
    assert [one.reason for one in found.examples] == ["content_blocked"]
    assert shifts(await preview(crew, mail | {"then": "redact"})) == {("allow", "allow"): 1}
    assert shifts(await preview(crew, mail | {"then": "block", "scope": {"tools": ["look"]}})) == {}


async def test_a_preview_of_a_limit_counts_the_last_days_again(crew: Lab) -> None:
    for n in range(5):  # 100 millionths each
        crew.models.script = [str(n)]
        await crew.ask()
    await crew.configure(
        "update token_event set created_at = created_at - interval '8 days' where account_id = $1 and interaction_id = "
        "(select id from interaction where account_id = $1 order by id limit 1)"
    )
    await crew.configure(
        "update interaction set created_at = created_at - interval '8 days' where account_id = $1 and id = "
        "(select id from interaction where account_id = $1 order by id limit 1)"
    )
    budget: dict[str, Any] = {"type": "cost_limit", "per": "account", "period": "day", "limit_micro": 200}
    found = await preview(crew, budget)
    assert (found.judged, found.complete, found.kind) == (4, True, "both")
    assert shifts(found) == {("allow", "deny"): 2}
    assert {one.reason for one in found.examples} == {"budget_exceeded"}
    assert shifts(await preview(crew, budget | {"limit_micro": 400})) == {}
    assert shifts(await preview(crew, budget | {"period": "total", "limit_micro": 400})) == {("allow", "deny"): 1}, (
        "what was spent before counts"
    )
    assert shifts(await preview(crew, budget | {"per": "interaction", "period": "total", "limit_micro": 100})) == {}
    assert shifts(await preview(crew, budget | {"scope": {"tools": ["look"]}})) == {}
    rate = {"type": "rate_limit", "about": "model", "amount": 3, "seconds": 3600}
    found = await preview(crew, rate)
    assert (found.kind, shifts(found)) == ("models", {("allow", "deny"): 1})
    policy_id = await write(crew, "Daily", budget | {"limit_micro": 300})
    assert shifts(await preview(crew, budget, policy_id=policy_id)) == {("allow", "deny"): 1}, (
        "beside the one it replaces"
    )
    assert shifts(await preview(crew, None, policy_id=policy_id)) == {("deny", "allow"): 1}


async def test_a_preview_of_a_teams_or_ones_own_policy_looks_at_what_it_is_over(crew: Lab) -> None:
    ann = await seeded(crew)
    no_looking = {"type": "tool_restriction", "never": ["look"]}
    mine = await preview(crew, no_looking, ann, layer="user")
    assert (mine.judged, shifts(mine), len(mine.examples)) == (2, {("allow", "deny"): 1}, 1)
    team_id = ids.new()
    await crew.configure("insert into team (account_id, id, name, slug) values ($1, $2, 'Sales', 'sales')", team_id)
    empty = await preview(crew, no_looking, layer="team", team_id=team_id)
    assert empty.judged == 0
    join = "insert into member (account_id, id, user_id, team_id, role) values ($1, $2, $3, $4, 'lead')"
    await crew.configure(join, ids.new(), ann.user_id, team_id)
    found = await preview(crew, no_looking, ann, layer="team", team_id=team_id)
    assert (found.judged, shifts(found)) == (2, {("allow", "deny"): 1})
    with pytest.raises(errors.Forbidden):
        await preview(crew, no_looking, ann)


async def test_a_preview_of_a_change_and_of_a_removal(crew: Lab) -> None:
    await seeded(crew)
    policy_id = await write(crew, "Some", {"type": "tool_restriction", "never": ["look", "pay"]})
    wider = {"type": "tool_restriction", "never": ["look"]}
    assert shifts(await preview(crew, wider, policy_id=policy_id)) == {("deny", "allow"): 1}
    assert shifts(await preview(crew, wider, policy_id=policy_id, enabled=False)) == {("deny", "allow"): 4}
    assert shifts(await preview(crew, None, policy_id=policy_id)) == {("deny", "allow"): 4}
    with pytest.raises(errors.NotFound):
        await preview(crew, wider, policy_id=ids.new())
    with pytest.raises(errors.BadInput):
        await preview(crew, wider, policy_id=policy_id, layer="user")


async def test_a_preview_refuses_what_writing_would_refuse_and_warns_of_the_same(crew: Lab) -> None:
    await write(crew, "Ceiling", {"type": "delegation_depth", "max": 1})
    with pytest.raises(errors.Loosens):
        await preview(crew, {"type": "delegation_depth", "max": 2}, layer="user")
    limit = {"type": "cost_limit", "per": "user", "period": "day", "limit_micro": 1}
    await write(crew, "Cheap", limit)
    found = await preview(crew, limit | {"limit_micro": 2}, layer="user")
    assert (found.kind, found.judged, len(found.warnings)) == ("both", 0, 1)


async def test_models_are_judged_again_where_the_rule_speaks_of_them(crew: Lab) -> None:
    await seeded(crew)
    found = await preview(crew, {"type": "model_allow_list", "models": ["openai/*"]})
    assert (found.kind, shifts(found)) == ("models", {("allow", "deny"): found.judged})
    assert found.judged == 4
    assert {(one.model, one.reason) for one in found.examples} == {("script/1", "model_not_allowed")}
    both = await preview(crew, {"type": "time_window", "days": []})
    assert (both.kind, both.judged) == ("both", 10)


async def test_a_preview_is_bounded_in_number_time_and_days(crew: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    await seeded(crew)
    no_looking = {"type": "tool_restriction", "never": ["look"]}
    monkeypatch.setattr(previewing, "MOST", 2)
    found = await preview(crew, no_looking)
    assert (found.judged, found.complete) == (2, False)
    monkeypatch.setattr(previewing, "SECONDS", -1.0)
    found = await preview(crew, no_looking)
    assert (found.judged, found.complete, found.shifts) == (0, False, ())
    monkeypatch.undo()
    later = clock.now() + timedelta(days=8)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert (await preview(crew, no_looking)).judged == 0

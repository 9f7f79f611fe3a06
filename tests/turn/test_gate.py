"""The gate with all its layers: what is asked about waits, what is denied says why, what is allowed runs."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from retinue.domain import ids
from retinue.domain.agents import TrustLevel
from retinue.domain.tools import Effect
from retinue.domain.turns import StepState
from retinue.domain.waits import Wait
from retinue.store import turns
from retinue.tools.registry import Context, tool
from tests.turn.conftest import Lab, call, calls, node
from tests.turn.test_tools_in_turns import results

done: list[tuple[str, Any]] = []


@tool(effect=Effect.READ)
async def look(ctx: Context, word: str = "") -> str:
    """Look.

    Args:
        word: what for
    """
    done.append(("look", word))
    return f"saw {word}"


@tool(effect=Effect.EXTERNAL_KEYED, trust=TrustLevel.ELEVATED, categories=("external_email",))
async def send_email(ctx: Context, to: str, text: str = "") -> str:
    """Send mail.

    Args:
        to: the receiver
        text: what to say
    """
    done.append(("send_email", to))
    return "sent"


@tool(effect=Effect.EXTERNAL_KEYED)
async def pay(ctx: Context, amount: float, to: str = "") -> str:
    """Pay.

    Args:
        amount: in dollars
        to: whom
    """
    done.append(("pay", amount))
    return "paid"


@tool(effect=Effect.READ, trust=TrustLevel.ADMIN)
async def manage(ctx: Context) -> str:
    """Manage the platform."""
    done.append(("manage", None))
    return "managed"


TOOLS = (look, send_email, pay, manage)


@pytest.fixture
async def crew(lab: Lab) -> AsyncIterator[Lab]:
    done.clear()
    await lab.give(*(one.spec.slug for one in TOOLS))
    async with node(lab, TOOLS):
        yield lab


async def rule(lab: Lab, name: str, body: dict[str, Any], *, layer: str = "account") -> UUID:
    """Write a policy."""
    policy_id = ids.new()
    await lab.configure(
        "insert into policy (account_id, id, layer, user_id, name, type, rule) values ($1, $2, $3, $4, $5, $6, $7)",
        policy_id,
        layer,
        lab.world.owner.id if layer == "user" else None,
        name,
        body["type"],
        body,
    )
    return policy_id


async def asked(lab: Lab, interaction_id: UUID, count: int = 1) -> list[Wait]:
    """The open waits of a turn that has come to rest."""
    await lab.until(interaction_id, "waiting")
    waits = [wait for wait in (await lab.rows(interaction_id))[2] if wait.state == "open"]
    assert len(waits) == count
    return waits


async def answer(lab: Lab, wait: Wait, decision: str = "approve", **more: Any) -> None:
    """Say what a person who may decide says."""
    said = {"decision": decision, "by": [str(lab.world.owner.id)], "arguments_hash": wait.arguments_hash} | more
    await turns.resolve_wait(lab.db, lab.account, wait.id, lab.world.owner.id, said)


PAYING = {
    "type": "approval",
    "scope": {"tools": ["pay"]},
    "where": [{"argument": "amount", "is": "above", "value": 100}],
    "ask": {"panels": [{"role": "admin"}]},
}


@pytest.mark.requirement("CON-09", "GOV-06", "GOV-14", "GOV-15", "TOOL-16")
async def test_a_call_one_level_above_waits_for_a_person_and_then_runs_once(crew: Lab) -> None:
    crew.models.script = [calls(call("send_email", to="ada"), call("look", word="x")), "told them"]
    interaction_id = await crew.say()
    [wait] = await asked(crew, interaction_id)
    assert (wait.kind, wait.tool, wait.step_seq) == ("approval", "send_email", 2)
    assert wait.ask is not None and wait.due_at is not None and wait.policy_revision is not None
    assert done == [("look", "x")]
    await answer(crew, wait)
    assert (await crew.until(interaction_id)).state == "succeeded"
    assert done == [("look", "x"), ("send_email", "ada")]
    assert [one["tool"] for one in results(crew)] == ["send_email", "look"]
    step = (await crew.steps(interaction_id))[1]
    assert step.policy is not None and step.policy.verdict == "allow"
    assert [one.rule for one in step.policy.opinions if one.verdict == "ask"] == ["trust_level"]


@pytest.mark.requirement("CON-09", "GOV-05")
async def test_admin_tools_need_the_accounts_grant_and_no_approval_makes_up_for_it(crew: Lab) -> None:
    await crew.configure("update agent set trust_level = 'admin' where account_id = $1")
    crew.models.script = [calls(call("manage")), "no", calls(call("manage"))]
    await crew.ask()
    assert results(crew)[0]["result"]["error"] == "admin_not_granted"
    granted = {"admin_agents": [str(crew.world.agent.id)]}
    await crew.configure("update account set governance = $2 where id = $1", granted)
    await crew.ask()
    assert results(crew)[-1]["result"] == "managed"


@pytest.mark.requirement("CON-09")
async def test_where_the_account_permits_no_approvals_one_level_above_is_denied(crew: Lab) -> None:
    await crew.configure("update account set governance = '{\"approvals\": false}' where id = $1")
    crew.models.script = [calls(call("send_email", to="ada"))]
    await crew.ask()
    assert results(crew)[0]["result"]["error"] == "trust_too_low"
    assert done == []


@pytest.mark.parametrize(
    ("decision", "error"),
    [("reject", "rejected"), ("ask_back", "asked_back"), ("withdrawn", "approval_withdrawn")],
)
@pytest.mark.requirement("GOV-15")
async def test_what_is_not_approved_is_an_error_that_the_agent_can_reason_about(
    crew: Lab, decision: str, error: str
) -> None:
    crew.models.script = [calls(call("send_email", to="ada"))]
    interaction_id = await crew.say()
    [wait] = await asked(crew, interaction_id)
    await answer(crew, wait, decision, reason="not today", question="who is Ada?")
    assert (await crew.until(interaction_id)).state == "succeeded"
    [told] = results(crew)
    assert (told["ok"], told["result"]["error"]) == (False, error)
    assert done == []


@pytest.mark.requirement("GOV-15")
async def test_edited_arguments_are_what_runs_and_the_agent_is_told(crew: Lab) -> None:
    from retinue.domain.tools import arguments_hash

    crew.models.script = [calls(call("send_email", to="ada", text="hi"))]
    interaction_id = await crew.say()
    [wait] = await asked(crew, interaction_id)
    edited = {"to": "grace", "text": "hi"}
    await answer(crew, wait, arguments=edited, arguments_hash=arguments_hash(edited))
    await crew.until(interaction_id)
    assert done == [("send_email", "grace")]
    assert results(crew)[0]["result"]["arguments"] == edited


async def test_an_approval_of_other_arguments_approves_nothing(crew: Lab) -> None:
    crew.models.script = [calls(call("send_email", to="ada"))]
    interaction_id = await crew.say()
    [wait] = await asked(crew, interaction_id)
    await answer(crew, wait, arguments_hash="0" * 64)
    async with asyncio.timeout(5):
        while len((await crew.rows(interaction_id))[2]) < 2:
            await asyncio.sleep(0.01)
    assert done == []


@pytest.mark.requirement("GOV-23")
async def test_a_rule_written_while_a_call_waits_holds_when_it_is_approved(crew: Lab) -> None:
    crew.models.script = [calls(call("send_email", to="ada"))]
    interaction_id = await crew.say()
    [wait] = await asked(crew, interaction_id)
    await rule(crew, "No mail", {"type": "tool_restriction", "never": ["sendEmail"]})
    await answer(crew, wait)
    await crew.until(interaction_id)
    assert results(crew)[0]["result"]["error"] == "tool_blocked"
    assert done == []


@pytest.mark.requirement("GOV-10", "GOV-11", "GOV-23", "AUD-07", "DUR-19")
async def test_a_policy_written_in_the_middle_of_a_turn_acts_on_its_next_call(crew: Lab) -> None:
    async def forbid(_: Any) -> Any:
        await rule(crew, "Nothing", {"type": "tool_restriction", "never": ["*"]})
        return calls(call("look", word="b"))

    crew.models.script = [calls(call("look", word="a")), forbid]
    ended = await crew.ask()
    assert done == [("look", "a")]
    assert results(crew)[-1]["result"]["error"] == "tool_blocked"
    denied = (await crew.steps(ended.id))[3]
    assert denied.state is StepState.FAILED and denied.error == "tool_blocked"
    assert denied.policy is not None and denied.policy.opinions[-1].rule == "Nothing"
    [line] = await crew.fetch("select detail from audit_event where account_id = $1 and event = 'policy.denied'")
    assert line["detail"]["layers"] == ["account: Nothing"]
    used = await crew.fetch("select tool, cost_micro from token_event where account_id = $1 and tool is not null")
    assert used == [{"tool": "look", "cost_micro": 0}], "free calls are usage, refused ones are not"
    [counted] = await crew.fetch("select sum(tool_calls)::int as n from usage_counter where account_id = $1")
    assert counted["n"] == 1


@pytest.mark.requirement("GOV-13", "GOV-20")
async def test_a_policy_that_cannot_be_read_denies_and_a_disabled_one_does_nothing(crew: Lab) -> None:
    policy_id = await rule(crew, "Broken", {"type": "tool_restriction", "never": 7})
    crew.models.script = ["never asked"]
    ended = await crew.ask()
    assert (ended.state, ended.stop_reason) == ("succeeded", "policy_failed")
    assert crew.models.requests == []
    await crew.configure(
        "update policy set enabled = false, version = version + 1 where account_id = $1 and id = $2", policy_id
    )
    crew.models.script = [calls(call("look", word="a"))]
    assert (await crew.ask()).stop_reason is None


@pytest.mark.requirement("GOV-11", "GOV-23")
async def test_a_model_outside_the_list_ends_the_turn_with_plain_words(crew: Lab) -> None:
    await rule(crew, "Only ours", {"type": "model_allow_list", "models": ["anthropic/*"]})
    ended = await crew.ask()
    assert (ended.state, ended.stop_reason) == ("succeeded", "model_not_allowed")
    assert crew.models.requests == []
    assert (await crew.replies())[0].startswith("I stopped here: The model script/1 is not among")
    think = (await crew.steps(ended.id))[0]
    assert think.refused and think.error == "model_not_allowed"


async def test_arguments_that_do_not_fit_are_refused_before_anybody_is_asked(crew: Lab) -> None:
    crew.models.script = [calls(call("send_email", too="ada"))]
    ended = await crew.ask()
    assert results(crew)[0]["result"]["error"] == "invalid_arguments"
    assert (await crew.rows(ended.id))[2] == ()


@pytest.mark.requirement("GOV-15")
async def test_new_input_leaves_a_question_open_and_is_answered_beside_it(crew: Lab) -> None:
    crew.models.script = [calls(call("send_email", to="ada")), "still here", "sent at last"]
    first = await crew.say()
    [wait] = await asked(crew, first)
    assert (await crew.ask("are you there?")).state == "succeeded"
    assert await asked(crew, first) == [wait]
    await answer(crew, wait)
    await crew.until(first)
    assert done == [("send_email", "ada")]


async def test_cancelling_the_turn_closes_the_question_and_nothing_runs(crew: Lab) -> None:
    crew.models.script = [calls(call("send_email", to="ada"))]
    interaction_id = await crew.say()
    [wait] = await asked(crew, interaction_id)
    await turns.cancel(crew.db, crew.account, interaction_id)
    assert (await crew.rows(interaction_id))[2][0].state == "cancelled"
    with pytest.raises(Exception, match="answered or withdrawn"):
        await answer(crew, wait)
    assert (await crew.ask("go on")).state == "succeeded"
    assert done == []


KINDS = {
    "allowed": (call("look", word="w"), "saw w"),
    "asked": (call("pay", amount=500), "paid"),
    "rejected": (call("send_email", to="ada"), "rejected"),
    "denied": (call("manage"), "admin_not_granted"),
}


@pytest.mark.parametrize("mix", list(itertools.permutations(KINDS)), ids="-".join)
async def test_any_mix_of_calls_in_one_response_gives_every_result_in_the_models_order(
    crew: Lab, mix: tuple[str, ...]
) -> None:
    await rule(crew, "Large sums", PAYING)
    wanted = [KINDS[kind][0].model_copy(update={"id": ids.new(), "provider_id": f"c{n}"}) for n, kind in enumerate(mix)]
    crew.models.script = [calls(*wanted)]
    interaction_id = await crew.say()
    for wait in await asked(crew, interaction_id, 2):
        await answer(crew, wait, "approve" if wait.tool == "pay" else "reject")
        await crew.until(interaction_id, "waiting", "succeeded")
    assert (await crew.until(interaction_id)).state == "succeeded"
    told = [one["result"] if one["ok"] else one["result"]["error"] for one in results(crew)]
    assert told == [KINDS[kind][1] for kind in mix]
    assert sorted(name for name, _ in done) == ["look", "pay"]


async def test_a_person_may_tighten_for_themselves(crew: Lab) -> None:
    await rule(crew, "Not for me", {"type": "tool_restriction", "never": ["look"]}, layer="user")
    crew.models.script = [calls(call("look"))]
    await crew.ask()
    assert results(crew)[0]["result"]["error"] == "tool_blocked"


async def spent(lab: Lab) -> int:
    """What the one meter says once nothing is reserved any more: that is after the turn's end."""
    async with asyncio.timeout(5):
        while True:
            [meter] = await lab.fetch("select spent, reserved from meter where account_id = $1")
            if meter["reserved"] == 0:
                return meter["spent"]
            await asyncio.sleep(0.01)


BUDGET = {"type": "cost_limit", "per": "account", "period": "day", "limit_micro": 650}


@pytest.mark.requirement("COST-08", "COST-11", "COST-19", "CON-05")
async def test_a_turn_that_could_pass_the_budget_stops_before_it_spends(crew: Lab) -> None:
    await rule(crew, "Daily", BUDGET)  # a call is reserved for with 500 and costs 100
    crew.models.script = [calls(call("look"), text="I looked."), calls(call("look")), "never said"]
    ended = await crew.ask()
    assert (ended.state, ended.stop_reason) == ("succeeded", "budget_exceeded")
    assert len(crew.models.requests) == 2
    [reply] = await crew.replies()
    assert reply.startswith(
        "I looked.\n\nI stopped here: This could cost 0.0005 USD; of the budget 'Daily' 0.00045 USD"
    )
    assert await spent(crew) == 200


@pytest.mark.requirement("COST-07", "COST-06")
async def test_an_agents_own_limit_of_cost_is_kept_before_it_is_passed(crew: Lab) -> None:
    await crew.configure("update agent set limits = '{\"max_cost_micro\": 550}' where account_id = $1")
    crew.models.script = [calls(call("look")), "never said"]
    ended = await crew.ask()
    assert (ended.state, ended.stop_reason) == ("succeeded", "budget_exceeded")
    assert ended.cost_micro == 100


async def test_an_unknown_price_is_refused_where_a_budget_holds_unless_the_account_allows_it(crew: Lab) -> None:
    await rule(crew, "Daily", BUDGET)
    crew.models.worst = None
    assert (await crew.ask()).stop_reason == "unknown_price"
    await crew.configure('update account set governance = \'{"unpriced": "allow"}\' where id = $1')
    assert (await crew.ask()).stop_reason is None


@pytest.mark.requirement("COST-04", "COST-19")
async def test_a_rate_limit_of_a_tool_refuses_the_call_and_says_when(crew: Lab) -> None:
    await rule(crew, "Slowly", {"type": "rate_limit", "per": "tool", "about": "tool", "amount": 2, "seconds": 3600})
    crew.models.script = [calls(call("look")), calls(call("look")), calls(call("look"))]
    await crew.ask()
    assert [one["ok"] for one in results(crew)][:3] == [True, True, False]
    assert results(crew)[2]["result"]["error"] == "rate_limited"


async def test_a_call_that_fails_gives_back_what_was_reserved_for_it(crew: Lab) -> None:
    await rule(crew, "Daily", BUDGET)
    crew.models.script = [RuntimeError("the provider is gone"), "back again"]
    assert (await crew.ask()).state == "succeeded"
    assert await spent(crew) == 100


@pytest.mark.requirement("GOV-09", "GOV-11", "TRG-20")
@pytest.mark.parametrize("layer", ["account", "user"])
async def test_a_policy_holds_agents_to_mentions_and_lets_go_of_them_again(crew: Lab, layer: str) -> None:
    body = {"type": "trigger_mode_restriction", "loosest": "mention"}
    policy_id = await rule(crew, "Only when asked", body, layer=layer)
    assert (await crew.post("anybody there?")).interactions == ()
    assert len((await crew.post("@assistant are you?", mentions=("assistant",))).interactions) == 1
    await crew.configure("delete from policy where account_id = $1 and id = $2", policy_id)
    assert len((await crew.post("and now?")).interactions) == 1


@pytest.mark.requirement("GOV-19")
async def test_the_accounts_policies_come_first_in_what_the_model_reads_and_are_found_again(crew: Lab) -> None:
    policy_id = await rule(crew, "No mail", {"type": "tool_restriction", "never": ["send_email"]})
    await rule(crew, "Only me", {"type": "tool_restriction", "never": ["pay"]}, layer="user")
    ended = await crew.ask()
    system = crew.models.requests[0].system
    assert system.startswith("Rules of the organisation you work for.")
    assert "- No mail: never use these tools: send_email." in system
    assert "Only me" not in system
    read = (await crew.steps(ended.id))[0].output
    assert read is not None and read["read"]["policies"] == [[str(policy_id), 1]]
    await crew.configure("delete from policy where account_id = $1")
    await crew.ask()
    assert "Rules of the organisation" not in crew.models.requests[-1].system

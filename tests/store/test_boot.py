"""What the check at start tells the operator."""

from typing import Any

import pytest

from retinue.db.pool import Database
from retinue.domain import boot as rules
from retinue.domain.agents import NewAgent, ToolChoice, TrustLevel
from retinue.domain.boot import Finding
from retinue.domain.registrations import NewRegistration
from retinue.domain.roles import AutonomyTier, NewRole, RegistryTier, RoleScope
from retinue.domain.tools import Effect, ToolKind, ToolSpec
from retinue.store import agents, boot, registry, roles
from tests.store.conftest import Office


def spec(slug: str, **fields: Any) -> ToolSpec:
    return ToolSpec(
        slug=slug, kind=ToolKind.INTERNAL, name=slug, description=slug, parameters={"type": "object"},
        effect=Effect.READ, **fields,
    )  # fmt: skip


CODE = (spec("look"), spec("rule_all", trust=TrustLevel.ADMIN), spec("send", trust=TrustLevel.ELEVATED))
TOOL = """
insert into tool (account_id, id, slug, name, description, type, schema, effect, trust_level_required)
values ($1, new_id(), $2, 'T', 'T', 'external', '{}', 'read', $3)
"""


async def found(db: Database) -> list[Finding]:
    async with db.system_tx() as tx:
        return await boot.findings(tx, CODE)


@pytest.mark.requirement("REG-10", "REG-20")
async def test_nothing_is_told_where_all_is_within_the_rules(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        await tx.execute(TOOL, office.account_id, "crm_lookup", "standard")
        new = NewAgent(name="Ann", tools=tuple(ToolChoice(tool=slug) for slug in ("look", "send", "crm_lookup")))
        agent = await agents.create(tx, office.admin, new)
        scope = RoleScope(tools_allow=("look", "CRM-lookup", "mail_*"), tools_deny=("ruleAll",))
        role = await roles.create(tx, office.admin, NewRole(name="R", autonomy_tier=AutonomyTier.ADVISORY, scope=scope))
        as_said = NewRegistration(registry_tier=RegistryTier.PERSONAL, autonomy_score=4, role_id=role.id)
        await registry.put(tx, office.admin, agent.id, as_said)
        await tx.execute(
            "update agent_assignment set tool_restrictions = $2 where account_id = $1", office.account_id,
            {"crm_lookup": {"blocked": True}, "send": {"blocked": True}},
        )  # fmt: skip
    assert await found(db) == []


@pytest.mark.requirement("REG-10", "REG-20")
async def test_what_is_outside_the_rules_is_told_with_what_to_do(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        await tx.execute(TOOL, office.account_id, "wire_money", "elevated")
        tools = ("look", "gone", "wire_money", "rule_all", "send")
        new = NewAgent(name="Ann", trust_level=TrustLevel.READ, tools=tuple(ToolChoice(tool=slug) for slug in tools))
        agent = await agents.create(tx, office.admin, new)
        await agents.create(tx, office.admin, NewAgent(name="Bea"))
        await tx.execute("select trial_agent_v1($1)", office.account_id)
        await tx.execute(
            "delete from agent_registry where account_id = $1 and agent_id = $2", office.account_id, agent.id
        )
        await tx.execute(
            "update agent_assignment set tool_restrictions = '{\"typo\": {\"blocked\": true}, \"bea\": {}}' "
            "where account_id = $1 and agent_id = $2", office.account_id, agent.id,
        )  # fmt: skip
        scope = RoleScope(tools_allow=("look", "lok"), tools_deny=("sendd", "any_*"))
        await roles.create(tx, office.admin, NewRole(name="R", autonomy_tier=AutonomyTier.ADVISORY, scope=scope))
    told = await found(db)
    assert [(one.about, one.wrong.split(",")[0]) for one in told] == [
        ("agent ann", "is not registered"),
        ("agent ann", "has the tool rule_all"),
        ("agent ann", "has the tool send"),
        ("agent ann", "has the tool wire_money"),
        ("agent ann", "has the tool gone"),
        ("agent ann", "an assignment restricts the tool typo"),
        ("role R", "names the tool lok"),
        ("role R", "names the tool sendd"),
    ]
    assert [one.fatal for one in told] == [True] + [False] * 7
    assert all(one.account == "acme" and one.advice for one in told)
    assert str(told[0]).startswith("agent ann (account acme): is not registered")


async def test_what_is_gone_is_not_told(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann", tools=(ToolChoice(tool="gone"),)))
        await agents.delete(tx, office.admin, agent.id)
        await tx.execute("delete from agent_registry where account_id = $1", office.account_id)
    assert await found(db) == []


def test_a_tool_that_does_not_say_what_it_does_is_told() -> None:
    silent = CODE[0].model_construct(**CODE[0].model_dump() | {"effect": None})
    assert [one.about for one in rules.undeclared([*CODE, silent])] == ["tool look"]

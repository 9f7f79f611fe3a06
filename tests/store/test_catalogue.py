"""Installing agents from the catalogue."""

import pytest

from retinue import errors
from retinue.db.pool import Database
from retinue.domain.agents import AgentChange
from retinue.store import agents, catalog, catalogue
from tests.store.conftest import Office

MAIL = """
insert into agent_catalog (slug, name, category, default_system_prompt, default_model, default_trust_level,
                           default_trigger_mode, default_tool_ids, tier, version, manifest)
values ('mail', 'Mail Agent', 'email', 'Handle mail.', 'openai/gpt-5', 'elevated', 'silent',
        array['sendEmail', 'readInbox'], 1, '2', $1)
"""


@pytest.mark.requirement("AGT-04", "AGT-08", "ROL-02", "CON-38", "CON-39")
async def test_an_installed_agent_has_the_defaults_and_is_then_the_accounts_own(db: Database, office: Office) -> None:
    manifest = {
        "description": "Mails.",
        "limits": {"max_steps": 4},
        "delegates": ["writer"],
        "accent_colour": "#010203",
    }
    async with db.system_tx() as tx:
        await catalog.load(tx)
        await tx.execute(MAIL, manifest)
    async with db.tenant_tx(office.account_id) as tx:
        assert [one.slug for one in await catalogue.list_entries(tx)] == ["assistant", "mail"]
        assert [one.slug for one in await catalogue.list_entries(tx, after="assistant")] == ["mail"]
        made = await catalogue.install(tx, office.admin, "mail")
        tools = await agents.access_tools(tx, office.admin, made.id)
        changed = await agents.update(tx, office.admin, made.id, AgentChange(system_prompt="Ours."))
        second = await catalogue.install(tx, office.admin, "mail", agent_slug="mail-two")
        with pytest.raises(errors.AlreadyExists):
            await catalogue.install(tx, office.admin, "mail")
        with pytest.raises(errors.NotFound):
            await catalogue.install(tx, office.admin, "nothing")
        with pytest.raises(errors.Forbidden):
            await catalogue.install(tx, office.member, "mail", agent_slug="mine")
    assert (made.slug, made.catalog_slug, made.origin) == ("mail", "mail", "built_in")
    assert (made.model, made.trust_level, made.default_trigger_mode) == ("openai/gpt-5", "elevated", "silent")
    assert (made.description, made.limits.max_steps, made.delegation_set) == ("Mails.", 4, ("writer",))
    assert [one.tool for one in tools] == ["read_inbox", "send_email"]
    assert (changed.catalog_slug, second.slug, second.system_prompt) == ("mail", "mail-two", "Handle mail.")

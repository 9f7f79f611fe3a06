"""The ship checklist of built-in agents, as far as a machine can tick it off (REG-20)."""

import re
from importlib import resources
from typing import Any

import pytest

from retinue.db.pool import Database
from retinue.domain import aliases, texts
from retinue.domain.agents import TRUST_RANK, TrustLevel
from retinue.store import accounts, boot, catalog
from retinue.tools.registry import Registry

MANIFESTS = {manifest["slug"]: manifest for manifest in catalog.manifests()}
SECTIONS = ("Responsibilities", "Rules", "Guidelines")
each = pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=list(MANIFESTS))


def undescribed(schema: Any) -> list[str]:
    """The fields of a schema that say nothing about themselves, at any depth."""
    if not isinstance(schema, dict):
        return []
    fields: dict[str, Any] = schema.get("properties", {})
    inner = [name for field in (*fields.values(), schema.get("items")) for name in undescribed(field)]
    return [name for name, field in fields.items() if not field.get("description")] + inner


@pytest.mark.requirement("REG-19", "REG-20")
def test_files_of_built_in_agents_are_named_after_them_with_underscores() -> None:
    folder = resources.files("retinue") / "catalogue"
    names = {entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml")}
    assert names == {f"{slug.replace('-', '_')}.yaml" for slug in MANIFESTS}
    assert all(re.fullmatch(texts.SLUG_PATTERN, slug) for slug in MANIFESTS)


@pytest.mark.requirement("REG-19", "REG-20")
@each
def test_the_prompt_of_a_built_in_agent_says_its_responsibilities_and_constraints(manifest: dict[str, Any]) -> None:
    headings = re.findall(r"^# (.+)$", manifest["system_prompt"], re.MULTILINE)
    assert headings == list(SECTIONS)
    for part in re.split(r"^# .+$", manifest["system_prompt"], flags=re.MULTILINE)[1:]:
        assert re.search(r"^- \S", part, re.MULTILINE), "a section without a line"


@pytest.mark.requirement("REG-20", "TOOL-06", "TOOL-09")
@each
def test_the_tools_of_a_built_in_agent_are_there_declared_described_and_within_its_trust(
    manifest: dict[str, Any],
) -> None:
    found = Registry.load()
    trust = TrustLevel(manifest["trust_level"])
    for name in manifest["tools"]:
        tool = found.get(name)
        assert tool is not None and name == aliases.canonical(name), name
        assert tool.spec.effect and TRUST_RANK[tool.spec.trust] <= TRUST_RANK[trust], name
        assert undescribed(tool.spec.parameters) == [], name


@pytest.mark.requirement("CAT-11")
@each
def test_an_agent_of_the_first_tier_needs_nobody(manifest: dict[str, Any]) -> None:
    assert manifest["tier"] in (1, 2)
    assert manifest["tier"] == 2 or not manifest.get("delegates")


@pytest.mark.requirement("REG-10", "REG-20")
async def test_a_fresh_installation_is_within_the_rules(db: Database) -> None:
    made = await accounts.bootstrap(db)
    async with db.tenant_tx(made.account.id) as tx:
        row = await tx.fetchrow(
            "select registry_tier, autonomy_score from agent_registry where account_id = $1 and agent_id = $2",
            made.account.id,
            made.agent.id,
        )
    assert row and dict(row) == {"registry_tier": "department", "autonomy_score": 5}
    async with db.system_tx() as tx:
        assert await boot.findings(tx, Registry.load().specs()) == []


def test_a_field_without_a_word_about_it_is_found() -> None:
    said = {"type": "string", "description": "the day"}
    assert undescribed(
        {"properties": {"day": said, "days": {"description": "all", "items": {"properties": {"x": {}}}}}}
    ) == ["x"]

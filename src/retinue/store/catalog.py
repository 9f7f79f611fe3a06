"""The installation's catalogue of built-in agents: manifests that ship with Retinue, loaded at start (no tenant)."""

from importlib import resources
from typing import Any, cast

import yaml

from retinue.db.pool import Tx

LOAD = """
insert into agent_catalog (slug, name, category, default_system_prompt, default_model, default_trust_level,
                           default_trigger_mode, default_tool_ids, tier, version, manifest)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (slug) do update set name = excluded.name, category = excluded.category,
    default_system_prompt = excluded.default_system_prompt, default_model = excluded.default_model,
    default_trust_level = excluded.default_trust_level, default_trigger_mode = excluded.default_trigger_mode,
    default_tool_ids = excluded.default_tool_ids, tier = excluded.tier, version = excluded.version,
    manifest = excluded.manifest, loaded_at = clock()
where agent_catalog.manifest <> excluded.manifest
"""


def manifests() -> list[dict[str, Any]]:
    """Every manifest that ships with Retinue, by slug."""
    folder = resources.files("retinue") / "catalogue"
    files = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return [cast("dict[str, Any]", yaml.safe_load((folder / name).read_text("utf-8"))) for name in files]


async def load(tx: Tx) -> None:
    """Bring the catalogue up to date with what ships. ``tx`` is a system transaction."""
    for manifest in manifests():
        await tx.execute(
            LOAD, manifest["slug"], manifest["name"], manifest["category"], manifest["system_prompt"],
            manifest.get("model"), manifest["trust_level"], manifest["trigger_mode"], manifest["tools"],
            manifest["tier"], manifest["version"], manifest,
        )  # fmt: skip

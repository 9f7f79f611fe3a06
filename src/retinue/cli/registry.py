"""The commands ``role`` and ``assignment``, and of ``agent``: ``register`` and ``promote``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from retinue.cli import things
from retinue.cli.place import api_of
from retinue.cli.things import File, Json

if TYPE_CHECKING:
    from retinue.cli.http import Api

role = typer.Typer(no_args_is_help=True, help="Worker roles: what agents may do alone.")
assignment = typer.Typer(no_args_is_help=True, help="Assignments: who may ask an agent, and what it may do for them.")
GROUPS = {"role": role, "assignment": assignment}

AgentName = Annotated[str, typer.Argument(help="The agent's slug or id.")]
RoleName = Annotated[str, typer.Argument(help="The role's name or id.")]
Tier = Annotated[str | None, typer.Option(help="advisory, retrieval, approval_required or bounded_autonomous")]
Allow = Annotated[list[str] | None, typer.Option(help="A tool it may use, and no others; * for any letters; repeat.")]
Deny = Annotated[list[str] | None, typer.Option(help="A tool it may never use; may be repeated.")]


# ── roles ────────────────────────────────────────────────────────────────────────────────────────────────────────


@role.command("list")
def list_roles(ctx: typer.Context, as_json: Json = False) -> None:
    """All worker roles."""
    things.show_list(ctx, "/v1/roles", ("id", "name", "autonomy_tier", "agents"), as_json)


@role.command("create")
def create_role(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    tier: Tier = None,
    allow: Allow = None,
    deny: Deny = None,
    file: File = None,
) -> None:
    """Make a role. Bounds and escalation rules come from --file."""
    body = _role(things.definition(file, name=name, autonomy_tier=tier), allow, deny)
    things.show(api_of(ctx).post("/v1/roles", body))


@role.command("update")
def update_role(
    ctx: typer.Context,
    which: RoleName,
    tier: Tier = None,
    allow: Allow = None,
    deny: Deny = None,
    file: File = None,
) -> None:
    """Change a role. What is named is replaced; lists of tools keep the rest of the scope."""
    api = api_of(ctx)
    found = _one(api, "/v1/roles", which, "role")
    body = things.definition(file, autonomy_tier=tier)
    if allow or deny:
        body.setdefault("scope", found["scope"])
    things.show(api.patch(f"/v1/roles/{found['id']}", _role(body, allow, deny)))


@role.command("delete")
def delete_role(ctx: typer.Context, which: RoleName) -> None:
    """Remove a role that no agent has."""
    api = api_of(ctx)
    api.delete(f"/v1/roles/{_one(api, '/v1/roles', which, 'role')['id']}")


def _role(body: dict[str, Any], allow: list[str] | None, deny: list[str] | None) -> dict[str, Any]:
    lists = {"tools_allow": allow, "tools_deny": deny}
    given = {name: tools for name, tools in lists.items() if tools}
    return body | {"scope": {**body.get("scope", {}), **given}} if given else body


# ── assignments ──────────────────────────────────────────────────────────────────────────────────────────────────


@assignment.command("list")
def list_assignments(ctx: typer.Context, agent: AgentName, as_json: Json = False) -> None:
    """Whom an agent is assigned to."""
    from retinue.cli import render

    api = api_of(ctx)
    rows = api.get(f"/v1/agents/{things.agent_id(api, agent)}/assignments")
    columns = ("id", "scope", "name", "tool_restrictions")
    words = "To nobody: it works for no one."
    render.as_json(rows) if as_json else render.table([_shown(row) for row in rows], columns, words)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """The restrictions in few words."""
    return row | {"tool_restrictions": ", ".join(map(_words, row["tool_restrictions"].items()))}


def _words(entry: tuple[str, dict[str, Any]]) -> str:
    slug, rule = entry
    if rule["blocked"]:
        return f"{slug}: blocked"
    named = {"only": "allowed_actions", "not": "denied_actions", "at most": "max_calls_per_interaction"}
    parts = [f"{word} {_plain(rule[key])}" for word, key in named.items() if rule[key] not in (None, [])]
    return f"{slug}: {' '.join(parts)}"


def _plain(value: Any) -> str:
    return ", ".join(cast("list[str]", value)) if isinstance(value, list) else str(value)


@assignment.command("create")
def create_assignment(
    ctx: typer.Context,
    agent: AgentName,
    to: Annotated[str, typer.Argument(help="everyone, team:<slug or id>, or user:<e-mail or id>")],
    block: Annotated[list[str] | None, typer.Option(help="A tool it may not use for them; may be repeated.")] = None,
    file: Annotated[
        Path | None, typer.Option("--restrictions", exists=True, dir_okay=False, help="Restrictions by tool, as JSON.")
    ] = None,
) -> None:
    """Assign an agent to everyone, a team or a person."""
    api = api_of(ctx)
    scope, _, which = to.partition(":")
    if scope not in ("everyone", "team", "user"):
        raise typer.BadParameter("say to whom: everyone, team:<slug or id>, or user:<e-mail or id>")
    body: dict[str, Any] = {"scope": "account"}
    if scope != "everyone":
        body = {"scope": scope, "scope_id": _one(api, f"/v1/{scope}s", which, scope)["id"]}
    rules = things.definition(file) | {name: {"blocked": True} for name in block or ()}
    path = f"/v1/agents/{things.agent_id(api, agent)}/assignments"
    things.show(api.post(path, body | {"tool_restrictions": rules}))


@assignment.command("delete")
def delete_assignment(
    ctx: typer.Context, agent: AgentName, which: Annotated[str, typer.Argument(help="The assignment's id.")]
) -> None:
    """End an assignment."""
    api = api_of(ctx)
    api.delete(f"/v1/agents/{things.agent_id(api, agent)}/assignments/{which}")


# ── of agents ────────────────────────────────────────────────────────────────────────────────────────────────────


@things.agent.command("register")
def register_agent(
    ctx: typer.Context,
    agent: AgentName,
    tier: Annotated[str | None, typer.Option(help="operator, department or personal")] = None,
    score: Annotated[int | None, typer.Option(min=1, max=10, help="How much it may do alone, 1 to 10.")] = None,
    role_name: Annotated[str | None, typer.Option("--role", help="A worker role, by name or id; none: ''.")] = None,
    skills: Annotated[list[str] | None, typer.Option("--skill", help="May be repeated.")] = None,
) -> None:
    """Register an agent, or change how it is registered; without options, show it."""
    api = api_of(ctx)
    path = f"/v1/agents/{things.agent_id(api, agent)}/registry"
    given: dict[str, Any] = {"registry_tier": tier, "autonomy_score": score, "skills": skills}
    given = {name: value for name, value in given.items() if value is not None}
    if role_name is not None:
        given["role_id"] = _one(api, "/v1/roles", role_name, "role")["id"] if role_name else None
    things.show(api.put(path, _registered(api, path) | given) if given else api.get(path))


WRITTEN = ("registry_tier", "autonomy_score", "skills", "capabilities", "role_id")


def _registered(api: "Api", path: str) -> dict[str, Any]:
    """How the agent is registered now; nothing where it is not."""
    from retinue.cli import http

    try:
        found = api.get(path)
    except http.Refused as error:
        if error.http_status != 404:
            raise
        return {}
    return {name: found[name] for name in WRITTEN}


@things.agent.command("promote")
def promote_agent(ctx: typer.Context, agent: AgentName) -> None:
    """Take an agent one step on: in development, testing, available, active."""
    from retinue import errors
    from retinue.domain.agents import PROMOTION, DeploymentState

    api = api_of(ctx)
    found = api.get(f"/v1/agents/{things.agent_id(api, agent)}")
    place = PROMOTION.index(DeploymentState(found["deployment_state"]))
    if place + 1 == len(PROMOTION):
        raise errors.WrongState(f"{found['slug']} is active already.")
    made = api.patch(f"/v1/agents/{found['id']}", {"deployment_state": PROMOTION[place + 1].value})
    typer.echo(f"{made['slug']} is {made['deployment_state'].replace('_', ' ')} now.")


# ── what they share ──────────────────────────────────────────────────────────────────────────────────────────────


def _one(api: "Api", path: str, which: str, what: str) -> dict[str, Any]:
    """The entry of this list with that id, slug, e-mail or name."""
    from retinue import errors

    for entry in api.each(path):
        if which in (entry["id"], entry.get("slug"), entry.get("email"), entry.get("name")):
            return entry
    raise errors.NotFound(f"There is no {what} {which!r}.")

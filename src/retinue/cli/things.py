"""The commands ``agent``, ``tool``, ``channel``, ``key`` and ``user``: list them, make them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from retinue.cli.place import api_of

if TYPE_CHECKING:
    from retinue.cli.http import Api

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
File = Annotated[
    Path | None, typer.Option("--file", "-f", exists=True, dir_okay=False, help="The whole definition as JSON.")
]


def _group(words: str) -> typer.Typer:
    return typer.Typer(no_args_is_help=True, help=words)


agent = _group("Agents: configured workers that people talk to.")
tool = _group("Tools that agents may call.")
channel = _group("Channels: where people and agents talk.")
key = _group("API keys.")
user = _group("People in this account.")
GROUPS = {"agent": agent, "tool": tool, "channel": channel, "key": key, "user": user}


# ── agents ───────────────────────────────────────────────────────────────────────────────────────────────────────


@agent.command("list")
def list_agents(ctx: typer.Context, as_json: Json = False) -> None:
    """All agents."""
    show_list(ctx, "/v1/agents", ("id", "slug", "name", "model", "trust_level", "deployment_state", "status"), as_json)


@agent.command("create")
def create_agent(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    prompt: Annotated[str, typer.Option(help="Its system prompt.")] = "",
    model: Annotated[str | None, typer.Option(help="A model id; without one the account's default.")] = None,
    tools: Annotated[list[str] | None, typer.Option("--tool", help="A tool's slug; may be repeated.")] = None,
    file: File = None,
) -> None:
    """Make an agent."""
    body = definition(file, name=name, system_prompt=prompt or None, model=model)
    if tools:
        body["tools"] = [{"tool": slug} for slug in tools]
    api = api_of(ctx)
    made = api.post("/v1/agents", body)
    show(made)
    if body.get("tools"):
        _say_what_is_missing(api, made["id"])


def _say_what_is_missing(api: "Api", agent_id: str) -> None:
    """A tool may be registered after the agent that is to have it; a slip of the pen looks the same."""
    known = {one["slug"] for one in api.each("/v1/tools")}
    for one in api.get(f"/v1/agents/{agent_id}/tools"):
        if one["tool"] not in known:
            typer.echo(f"There is no tool {one['tool']} yet. The agent has it once it is registered.", err=True)


# ── tools ────────────────────────────────────────────────────────────────────────────────────────────────────────


@tool.command("list")
def list_tools(ctx: typer.Context, as_json: Json = False) -> None:
    """All tools: of code, and those registered here."""
    show_list(ctx, "/v1/tools", ("slug", "name", "kind", "effect", "trust", "enabled"), as_json)


@tool.command("create")
def create_tool(
    ctx: typer.Context,
    slug: Annotated[str, typer.Argument(help="What agents call it; kept as lower case with underscores.")],
    endpoint: Annotated[str | None, typer.Option(help="Where calls are posted to.")] = None,
    description: Annotated[str | None, typer.Option(help="What it does; the model reads it.")] = None,
    effect: Annotated[str | None, typer.Option(help="read, external_keyed or external_once")] = None,
    file: File = None,
) -> None:
    """Register an external tool. Schemas, authentication and limits come from --file.

    What is printed may hold a signing secret, which is shown this once.
    """
    from retinue.domain import aliases

    body = definition(file, slug=slug, endpoint=endpoint, description=description, effect=effect)
    body.setdefault("name", aliases.snake(slug).replace("_", " ").capitalize())
    _create(ctx, "/v1/tools", body)


# ── channels ─────────────────────────────────────────────────────────────────────────────────────────────────────


@channel.command("list")
def list_channels(ctx: typer.Context, as_json: Json = False) -> None:
    """Channels you may enter."""
    show_list(ctx, "/v1/channels", ("id", "kind", "name", "slug", "input_policy", "last_seq"), as_json)


@channel.command("create")
def create_channel(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    kind: Annotated[str, typer.Option(help="group, private or team")] = "group",
    agents: Annotated[list[str] | None, typer.Option("--agent", help="An agent's slug; may be repeated.")] = None,
    file: File = None,
) -> None:
    """Make a channel and put agents into it."""
    body = definition(file, name=name, kind=kind)
    if agents:
        body["members"] = [{"agent_id": agent_id(api_of(ctx), slug)} for slug in agents]
    _create(ctx, "/v1/channels", body)


def agent_id(api: "Api", slug: str) -> str:
    """The id of an agent, by its slug or id. Raises ``NotFound``."""
    from retinue import errors

    for one in api.each("/v1/agents"):
        if slug in (one["slug"], one["id"]):
            return str(one["id"])
    raise errors.NotFound(f"There is no agent {slug!r}. See: retinue agent list")


# ── keys and people ──────────────────────────────────────────────────────────────────────────────────────────────


@key.command("list")
def list_keys(ctx: typer.Context, as_json: Json = False) -> None:
    """API keys, without their secrets."""
    columns = ("id", "name", "prefix", "scopes", "expires_at", "last_used_at", "revoked_at")
    show_list(ctx, "/v1/keys", columns, as_json)


@key.command("create")
def create_key(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scopes: Annotated[
        list[str] | None, typer.Option("--scope", help="read, write, admin, approve; may be repeated.")
    ] = None,
    expires_at: Annotated[str | None, typer.Option(help="An RFC 3339 time, such as 2030-01-01T00:00:00Z.")] = None,
) -> None:
    """Make an API key. Its secret is printed this once."""
    _create(ctx, "/v1/keys", definition(None, name=name, scopes=scopes, expires_at=expires_at))


@user.command("list")
def list_users(ctx: typer.Context, as_json: Json = False) -> None:
    """People in this account."""
    show_list(ctx, "/v1/users", ("id", "name", "email", "role", "status", "created_at"), as_json)


@user.command("create")
def create_user(
    ctx: typer.Context,
    email: Annotated[str, typer.Argument()],
    name: Annotated[str, typer.Option(help="What people call them.")],
    role: Annotated[str, typer.Option(help="member, lead, admin or owner")] = "member",
) -> None:
    """Add a person, and print a link that signs them in once."""
    api = api_of(ctx)
    made = api.post("/v1/users", {"email": email, "name": name, "role": role})
    link = api.post("/v1/sign-in-links", {"user_id": made["id"]})
    show(made | {"sign_in": link["url"]})


# ── what they share ──────────────────────────────────────────────────────────────────────────────────────────────


def definition(file: Path | None, **given: Any) -> dict[str, Any]:
    """The file's JSON object with what was given by option on top."""
    body: Any = {}
    if file is not None:
        try:
            body = json.loads(file.read_text())
        except ValueError as error:
            raise typer.BadParameter(f"{file} is not JSON: {error}") from error
        if not isinstance(body, dict):
            raise typer.BadParameter(f"{file} must hold one JSON object")
    return {**body, **{name: value for name, value in given.items() if value is not None}}


def show_list(ctx: typer.Context, path: str, columns: tuple[str, ...], as_json: bool) -> None:
    """Print every entry of a list, as a table or as JSON."""
    from retinue.cli import render

    rows = list(api_of(ctx).each(path))
    render.as_json(rows) if as_json else render.table(rows, columns, "There are none yet.")


def _create(ctx: typer.Context, path: str, body: dict[str, Any]) -> None:
    show(api_of(ctx).post(path, body))


def show(made: dict[str, Any]) -> None:
    """Print one thing as JSON."""
    from retinue.cli import render

    render.as_json(made)

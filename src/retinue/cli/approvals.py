"""The commands ``approval`` and ``grant``: see what waits for approval, decide it, take it back; end what stands."""

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from retinue.cli.place import api_of

if TYPE_CHECKING:
    from retinue.cli.http import Api

app = typer.Typer(no_args_is_help=True, help="Calls that wait for a person's approval.")
grant = typer.Typer(no_args_is_help=True, help="Approvals that stand for later calls.")
GROUPS = {"approval": app, "grant": grant}

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(metavar="APPROVAL", help="wait_...")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, newest first.")]
COLUMNS = ("id", "state", "decision", "agent_name", "tool", "user_name", "channel_name", "due_at")
GRANTS = ("id", "agent_name", "tool", "channel_name", "user_name", "granted_by_name", "expires_at", "revoked_at")


@app.command("list")
def list_approvals(
    ctx: typer.Context,
    mine: Annotated[str, typer.Option(help="to_decide, asked or all")] = "to_decide",
    state: Annotated[str | None, typer.Option(help="open, resolved, expired, cancelled")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """What waits for your decision; with --mine asked or all, more."""
    from retinue.cli import render

    rows = list(api_of(ctx).each("/v1/approvals", most=limit, mine=mine, state=state))
    render.as_json(rows) if as_json else render.table(rows, COLUMNS, "Nothing waits for you.")


@app.command()
def show(ctx: typer.Context, id: Id, as_json: Json = False) -> None:
    """One request: the call, why it is asked about, who decides, what was said."""
    from retinue.cli import render

    found = api_of(ctx).get(f"/v1/approvals/{id}")
    render.as_json(found) if as_json else _show(found)


@app.command()
def approve(  # noqa: PLR0913 - one option each
    ctx: typer.Context,
    id: Id,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    arguments: Annotated[str | None, typer.Option(help="Approve with these instead: JSON, or @FILE.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=366, help="Let it stand for this many days.")] = None,
    everywhere: Annotated[bool, typer.Option(help="With --days: in every channel.")] = False,
    anyone: Annotated[bool, typer.Option(help="With --days: on anybody's behalf.")] = False,
    exact: Annotated[bool, typer.Option(help="With --days: only with these arguments.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask again.")] = False,
) -> None:
    """Approve a call: it is made once, with the arguments that are shown."""
    api = api_of(ctx)
    found = api.get(f"/v1/approvals/{id}")
    changed = None if arguments is None else _arguments(arguments)
    if not yes:
        _show(found if changed is None else found | {"arguments": changed})
        typer.confirm("Approve this?", abort=True)
    body: dict[str, Any] = {"decision": "approve", "reason": reason, "arguments": changed}
    if days is not None:
        from retinue.telemetry import clock

        until = clock.now() + timedelta(days=days)
        body["grant"] = {"until": until.isoformat(), "channel": not everywhere, "person": not anyone, "exact": exact}
    _decide(api, found, body)


@app.command()
def reject(
    ctx: typer.Context, id: Id, reason: Annotated[str, typer.Option(help="Why; the agent reads it.")] = ""
) -> None:
    """Do not let a call be made; the agent is told, and may do something else."""
    api = api_of(ctx)
    _decide(api, api.get(f"/v1/approvals/{id}"), {"decision": "reject", "reason": reason})


@app.command("ask")
def ask_back(
    ctx: typer.Context, id: Id, question: Annotated[str, typer.Argument(help="What the agent is to answer first.")]
) -> None:
    """Ask the agent something before you decide; the call is not made meanwhile."""
    api = api_of(ctx)
    _decide(api, api.get(f"/v1/approvals/{id}"), {"decision": "ask_back", "reason": question})


@app.command()
def withdraw(ctx: typer.Context, id: Id) -> None:
    """Take back a request that was made for you."""
    done = api_of(ctx).post(f"/v1/approvals/{id}/withdraw")
    typer.echo(f"{done['id']} is withdrawn; the agent is told")


def _decide(api: "Api", found: dict[str, Any], body: dict[str, Any]) -> None:
    given = {name: value for name, value in body.items() if value is not None}
    done = api.post(f"/v1/approvals/{found['id']}/decide", {"arguments_hash": found["arguments_hash"], **given})
    if done["state"] == "open":
        wanted = sum(one["panel"]["quorum"] - one["have"] for one in done["missing"])
        typer.echo(f"{done['id']} is noted; {wanted} more to approve")
    else:
        typer.echo(f"{done['id']} is decided: {done['decision'].replace('_', ' ')}; the turn goes on")


def _arguments(text: str) -> dict[str, Any]:
    """The JSON object given, or in the file named."""
    source = Path(text[1:]).read_text() if text.startswith("@") else text
    try:
        found: Any = json.loads(source)
    except ValueError as error:
        raise typer.BadParameter(f"the arguments are not JSON: {error}") from error
    if not isinstance(found, dict):
        raise typer.BadParameter("the arguments must be one JSON object")
    return cast("dict[str, Any]", found)


def _show(found: dict[str, Any]) -> None:
    from rich.markup import escape

    from retinue.cli import render

    def line(name: str, value: object) -> None:
        render.out.print(f"[dim]{name:>10}[/]  {escape(str(value))}")

    render.out.print(f"[bold]{escape(found['prompt'] or found['tool'])}[/]  {render.state(found['state'])}")
    line("agent", found["agent_name"])
    line("tool", found["tool"])
    line("for", found["user_name"] or "nobody in particular")
    line("channel", found["channel_name"] or "none")
    line("until", f"{found['due_at']}, then {found['ask']['on_expiry']}")
    if found["arguments"] is not None:
        line("with", json.dumps(found["arguments"], indent=2, ensure_ascii=False))
    told: dict[str, Any] = found["explanation"] or {}
    for opinion in told.get("opinions", ()):
        if opinion["verdict"] == "ask":
            line("because", f"{opinion['layer']}: {opinion['detail'] or opinion['rule']}")
    for said in found["decisions"]:
        line(said["decision"].replace("_", " "), f"{said['user_name']} {said['reason']}".strip())
    for one in found["missing"]:
        line("missing", f"{one['panel']['quorum'] - one['have']} of {_panel(one['panel'])}")


def _panel(panel: dict[str, Any]) -> str:
    """Who is asked, in words."""
    people = [f"those with role {panel['role']} or above"] if panel["role"] else []
    people += [f"{len(panel['users'])} named"] if panel["users"] else []
    people += ["whoever it is for"] if panel["requester"] else []
    return " or ".join(people) + (", not whoever it is for" if panel["four_eyes"] else "")


# ── grants ───────────────────────────────────────────────────────────────────────────────────────────────────────


@grant.command("list")
def list_grants(
    ctx: typer.Context,
    ended: Annotated[bool, typer.Option("--ended", help="Also those that are over or revoked.")] = False,
    as_json: Json = False,
) -> None:
    """Approvals that stand for later calls."""
    from retinue.cli import render

    rows = list(api_of(ctx).each("/v1/grants", ended="true" if ended else None))
    render.as_json(rows) if as_json else render.table(rows, GRANTS, "No approval stands for later calls.")


@grant.command("revoke")
def revoke_grant(ctx: typer.Context, id: Annotated[str, typer.Argument(metavar="GRANT", help="grant_...")]) -> None:
    """End a grant: from the next call on, somebody is asked again."""
    api_of(ctx).delete(f"/v1/grants/{id}")
    typer.echo(f"{id} stands no longer")

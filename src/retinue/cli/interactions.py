"""The commands ``interaction`` and ``dead-letter``: look at turns, follow them, stop, retry and answer them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from retinue.cli.place import api_of

if TYPE_CHECKING:
    from retinue.cli.http import Api

app = typer.Typer(no_args_is_help=True, help="Look at turns, follow them, stop, retry and answer them.")
dead_letter = typer.Typer(no_args_is_help=True, help="Turns that were given up after too many failures.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, newest first.")]
Id = Annotated[str, typer.Argument(metavar="INTERACTION", help="int_...")]
COLUMNS = ("id", "state", "created_at", "running_seconds", "cost", "error")


@app.command("list")
def list_interactions(
    ctx: typer.Context,
    state: Annotated[str | None, typer.Option(help="queued, running, waiting, succeeded, failed, cancelled")] = None,
    agent: Annotated[str | None, typer.Option(help="An agent's id.")] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Turns, newest first."""
    from retinue.cli import render

    rows = list(api_of(ctx).each("/v1/interactions", most=limit, state=state, agent_id=agent))
    render.as_json(rows) if as_json else render.table(rows, COLUMNS, "There are no turns yet. Begin: retinue chat")


@app.command()
def show(ctx: typer.Context, id: Id, as_json: Json = False) -> None:
    """One turn as a timeline: steps, durations, tokens, cost, tools, questions."""
    from retinue.cli import render

    turn = api_of(ctx).get(f"/v1/interactions/{id}")
    render.as_json(turn) if as_json else render.timeline(turn)


@app.command()
def watch(
    ctx: typer.Context, id: Annotated[str | None, typer.Argument(metavar="[INTERACTION]", help="int_...")] = None
) -> None:
    """Follow one turn to its end; without an id, the newest one that has not ended, or else the newest."""
    from retinue.cli import chat

    api = api_of(ctx)
    chosen = id or _newest(api)
    screen = chat.Screen(live=True, asks=True)
    raise typer.Exit(chat.Turn(api, screen, "").follow(chosen))


def _newest(api: "Api") -> str:
    from retinue import errors

    for state in ("running", "queued", "waiting", None):
        for turn in api.each("/v1/interactions", most=1, state=state):
            return str(turn["id"])
    raise errors.NotFound("There are no turns yet. Begin: retinue chat")


@app.command()
def cancel(ctx: typer.Context, id: Id) -> None:
    """Stop a turn, wherever it runs."""
    done: dict[str, Any] = api_of(ctx).post(f"/v1/interactions/{id}/cancel")
    words = "stops at its next step" if done["state"] == "running" else f"is {done['state']}"
    typer.echo(f"{done['id']} {words}")


@app.command()
def retry(ctx: typer.Context, id: Id) -> None:
    """Try a failed turn again, with what it has done so far."""
    turn = api_of(ctx).post(f"/v1/interactions/{id}/retry")
    typer.echo(f"{turn['id']} is {turn['state']}")


@app.command()
def answer(
    ctx: typer.Context,
    id: Annotated[str, typer.Argument(metavar="WAIT", help="wait_... or the int_... that waits")],
    happened: Annotated[bool | None, typer.Option("--happened/--not-happened", help="Did the call happen?")] = None,
    again: Annotated[bool, typer.Option("--retry", help="It did not happen: do it again.")] = False,
    result: Annotated[str | None, typer.Option(help="What the call gave, if you know it.")] = None,
) -> None:
    """Answer what a turn waits for: whether a call of unknown outcome happened."""
    api = api_of(ctx)
    wait_id = _open_wait(api, id) if id.startswith("int_") else id
    if happened is None:
        happened = False if again else typer.confirm("Did it happen?")
    body: dict[str, Any] = {"happened": happened, "retry": again and not happened}
    if result is not None:
        body["result"] = result
    done = api.post(f"/v1/waits/{wait_id}/answer", body)
    typer.echo(f"{done['id']} is {done['state']}; the turn goes on")


def _open_wait(api: "Api", interaction_id: str) -> str:
    from retinue import errors
    from retinue.cli import render

    for wait in render.entries(api.get(f"/v1/interactions/{interaction_id}"), "waits"):
        if wait["state"] == "open":
            typer.echo(wait["prompt"])
            return str(wait["id"])
    raise errors.WrongState(f"{interaction_id} waits for nobody.")


# ── dead letters ─────────────────────────────────────────────────────────────────────────────────────────────────


@dead_letter.command("list")
def list_dead(ctx: typer.Context, limit: Limit = 50, as_json: Json = False) -> None:
    """Turns that were given up, with why."""
    from retinue.cli import render

    rows = list(api_of(ctx).each("/v1/interactions", most=limit, dead_letter="true"))
    columns = ("id", "agent_id", "error", "error_detail", "retries", "created_at")
    render.as_json(rows) if as_json else render.table(rows, columns, "There are no dead letters.")


@dead_letter.command("retry")
def retry_dead(
    ctx: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[INTERACTION]...", help="int_...")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Try dead letters again."""
    from rich.progress import track

    from retinue.cli import render

    api = api_of(ctx)
    chosen = ids or []
    if everything:
        chosen = [turn["id"] for turn in api.each("/v1/interactions", dead_letter="true")]
    elif not chosen:
        raise typer.BadParameter("name the turns, or say --all")
    for id in track(chosen, "Retrying", console=render.err, transient=True):
        api.post(f"/v1/interactions/{id}/retry")
    typer.echo(f"{len(chosen)} tried again")

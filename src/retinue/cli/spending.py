"""The commands ``usage`` and ``budget``: what was used, what it cost, what is left."""

import csv
import io
from typing import Annotated, Any

import typer

from retinue.cli.place import api_of
from retinue.cli.things import Json

budget = typer.Typer(no_args_is_help=True, help="Limits of cost, and what is left of them.")
GROUPS = {"budget": budget}


def usage(
    ctx: typer.Context,
    by: Annotated[str, typer.Option(help="day, agent, model, tool, user, team; several with commas.")] = "day,agent",
    since: Annotated[str | None, typer.Option(help="The first day, such as 2030-01-31, in UTC.")] = None,
    until: Annotated[str | None, typer.Option(help="The day after the last.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: Json = False,
) -> None:
    """What was used and what it cost, newest day first; admins see all, everyone else their own."""
    from retinue.cli import render

    wanted: dict[str, Any] = {"by": [one.strip() for one in by.split(",")], "since": since, "until": until}
    api = api_of(ctx)
    if as_json:
        render.as_json(list(api.each("/v1/usage", **wanted)))
        return
    text = api.text("/v1/usage/export", **wanted)
    if as_csv:
        typer.echo(text, nl=False)
        return
    rows = list(csv.DictReader(io.StringIO(text)))
    columns = [name for name in (rows[0] if rows else ()) if not name.endswith("_id")]
    render.table(rows, columns, "Nothing was used yet.")


@budget.command("list")
def list_budgets(ctx: typer.Context, as_json: Json = False) -> None:
    """Every limit of cost that concerns you, by whom it counts."""
    from retinue.cli import render

    rows = list(api_of(ctx).each("/v1/budgets"))
    if as_json:
        render.as_json(rows)
        return
    for row in rows:
        subject: dict[str, Any] | None = row["subject"]
        row["for"] = subject["name"] or subject["id"] if subject else f"each {row['per']}"
    columns = ("name", "for", "period", "limit", "spent", "reserved", "left", "forecast", "ends_at")
    render.table(rows, columns, "There are no budgets. Write a policy of type cost_limit.")

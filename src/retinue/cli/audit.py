"""The commands ``audit``: read the record, take it home, and check that nobody changed it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from retinue.cli.place import api_of
from retinue.cli.things import Json

app = typer.Typer(no_args_is_help=True, help="The record of what was done: read it, export it, verify it.")

Since = Annotated[str | None, typer.Option(help="An RFC 3339 time, such as 2030-01-01T00:00:00Z.")]
Until = Annotated[str | None, typer.Option(help="An RFC 3339 time, exclusive.")]


@app.command("list")
def list_lines(
    ctx: typer.Context,
    event: Annotated[str | None, typer.Option(help="An event, or a noun with a dot: tool.")] = None,
    actor: Annotated[str | None, typer.Option(help="Who did it: an id.")] = None,
    since: Since = None,
    most: Annotated[int, typer.Option("--limit", help="How many lines at most, newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """Lines of the record, newest first."""
    from retinue.cli import render

    wanted = {"event": event, "actor_id": actor, "since": since}
    rows = list(api_of(ctx).each("/v1/audit", most=most, **wanted))
    columns = ("at", "event", "actor_id", "interaction_id", "step_seq")
    render.as_json(rows) if as_json else render.table(rows, columns, "Nothing was done yet.")


@app.command()
def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write it.", dir_okay=False)],
    since: Since = None,
    until: Until = None,
) -> None:
    """Write all sealed lines with their seals to a file. ``retinue audit verify`` checks it without a server."""
    bytes_written = api_of(ctx).download("/v1/audit/export", file, since=since, until=until)
    typer.echo(f"{bytes_written} bytes written to {file}. Check it with: retinue audit verify {file}")


@app.command()
def key(ctx: typer.Context, as_json: Json = False) -> None:
    """The keys that seals are signed with. Keep the id elsewhere, for ``retinue audit verify --key``."""
    from retinue.cli import render

    rows = api_of(ctx).get("/v1/audit/keys")
    render.as_json(rows) if as_json else render.table(rows, ("id", "public", "current"), "")


@app.command()
def verify(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False, help="An export.")] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--key", help="The id of the key that must have signed it; once for each, after a change of keys."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check an export, without a server; without FILE, what the server has stored. Ends with 1 if anything is wrong."""
    from retinue.cli import render

    report = _of_file(file, keys or []) if file else api_of(ctx).post("/v1/audit/verify")
    if as_json:
        render.as_json(report)
    else:
        _tell(report, bool(keys))
    if report["faults"]:
        raise typer.Exit(1)


def _of_file(file: Path, keys: list[str]) -> dict[str, Any]:
    from retinue.domain import verifying
    from retinue.store.seals import signed

    with file.open("rb") as lines:
        return verifying.verify(lines, signed, *keys).model_dump(mode="json")


def _tell(report: dict[str, Any], trusted: bool) -> None:
    for finding in report["findings"]:
        typer.secho(finding["detail"], fg="red")
    if report["faults"] > len(report["findings"]):
        typer.secho(f"... and {report['faults'] - len(report['findings'])} more.", fg="red")
    if report["faults"]:
        word = "fault" if report["faults"] == 1 else "faults"
        typer.echo(f"{report['faults']} {word} in {report['seals']} seals of {report['account_id']}.")
        return
    typer.echo(
        f"Whole: {report['lines']} lines under {report['seals']} seals of {report['account_id']}, "
        f"sealed until {report['sealed_until'] or 'never'}."
    )
    if not trusted and report["keys"]:
        typer.echo(
            f"Signed with {', '.join(report['keys'])}. To be sure that this is your installation's key, compare it "
            "with `retinue audit key`, or pass --key."
        )

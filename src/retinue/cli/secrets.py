"""The commands ``secrets``: what tools sign in with, by name; and going over to another key.

Values go in and never come out. Not here: ``key``, the keys that people and programs sign in with.
"""

import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from retinue.cli.place import Place, api_of
from retinue.cli.things import Json

app = typer.Typer(
    no_args_is_help=True, help="Secrets of tools: store, forget, list by name; change the keys they are under."
)

Name = Annotated[str, typer.Argument(help="Letters, digits, dots, dashes and underscores.")]


@app.command("list")
def list_secrets(ctx: typer.Context, as_json: Json = False) -> None:
    """Names of secrets. Their values are never shown."""
    from retinue.cli import render

    rows = list(api_of(ctx).each("/v1/secrets"))
    render.as_json(rows) if as_json else render.table(rows, ("name", "created_at"), "There are none yet.")


@app.command("set")
def set_secret(
    ctx: typer.Context,
    name: Name,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", exists=True, dir_okay=False, help="Read the value from here.")
    ] = None,
) -> None:
    """Store or replace a secret. The value is asked for, or read from standard input.

    It is never an argument, which others could see. One line break at the end does not count.
    """
    value = _read(file)
    api_of(ctx).put(f"/v1/secrets/{quote(name, safe='')}", {"value": value})
    typer.echo(f"{name} is stored. The next call uses it.")


def _read(file: Path | None) -> str:
    if file is not None:
        found = file.read_text()
    elif sys.stdin.isatty():
        return str(typer.prompt("Value", hide_input=True))
    else:
        found = sys.stdin.read()
    return found.removesuffix("\n").removesuffix("\r")


@app.command()
def delete(ctx: typer.Context, name: Name) -> None:
    """Forget a secret. Tools that need it fail until it is stored again."""
    api_of(ctx).delete(f"/v1/secrets/{quote(name, safe='')}")
    typer.echo(f"{name} is forgotten.")


@app.command()
def rotate(  # noqa: PLR0913 - one option each
    ctx: typer.Context,
    data_keys: Annotated[
        bool, typer.Option("--data-keys", help="Make new data keys, too, and seal every value anew.")
    ] = False,
    new_key: Annotated[
        bool,
        typer.Option("--new-key", help="Make a new secret.key in RETINUE_HOME first; the old one is kept beside it."),
    ] = False,
    local: Annotated[
        bool, typer.Option("--local", help="Wrap under RETINUE_SECRET_KEY although there is RETINUE_KMS_COMMAND.")
    ] = False,
    give_up_lost: Annotated[
        bool, typer.Option("--give-up-lost", help="Retire data keys that no known key opens: their key is lost.")
    ] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Although running nodes were not given the current key yet.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put everything that is sealed under the current key: RETINUE_SECRET_KEY, or RETINUE_KMS_COMMAND's.

    Works on the database itself, while nodes run. Broken off, it goes on where it was when it is run again. Before
    that, give every node the new key, and the old one as RETINUE_SECRET_KEY_PREVIOUS. Ends with 1 when something is
    left that no known key opens.
    """
    place: Place = ctx.obj
    settings = place.settings()

    from retinue import server
    from retinue.cli import rotating

    wish = rotating.Wish(data_keys, new_key, local, give_up_lost, anyway)
    raise typer.Exit(server.run(rotating.run(settings, wish, as_json)))

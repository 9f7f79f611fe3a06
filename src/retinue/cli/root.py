"""The commands and their options. Quick to import: whatever is heavy is imported inside the command that needs it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from retinue import errors
from retinue.cli import approvals, audit, interactions, local, policy, registry, secrets, spending, talk, things
from retinue.cli.place import DEFAULT_HOME, Place

HELP = """
People and AI agents, side by side.

Start with: retinue serve. Then, in another terminal: retinue chat.
"""

# plain help: Rich would triple its time
app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None, help=HELP)


@app.callback()
def options(
    ctx: typer.Context,
    url: Annotated[str | None, typer.Option(envvar="RETINUE_URL", help="Where Retinue serves.")] = None,
    api_key: Annotated[str | None, typer.Option(envvar="RETINUE_API_KEY", help="An API key (rtn_...).")] = None,
    home: Annotated[Path, typer.Option(envvar="RETINUE_HOME", help="Data, keys and the CLI's own key.")] = DEFAULT_HOME,
) -> None:
    """Options of every command."""
    ctx.obj = Place(url=url, api_key=api_key, home=home)


app.command()(local.serve)
app.command()(local.worker)
app.command()(local.migrate)
app.command()(local.init)
app.command()(local.doctor)
app.command("serve-child", hidden=True)(local.serve_child)
app.command()(talk.chat)
app.command()(spending.usage)
app.add_typer(interactions.app, name="interaction")
app.add_typer(interactions.dead_letter, name="dead-letter")
app.add_typer(audit.app, name="audit")
app.add_typer(policy.app, name="policy")
app.add_typer(secrets.app, name="secrets")
for name, group in (things.GROUPS | registry.GROUPS | approvals.GROUPS | spending.GROUPS).items():
    app.add_typer(group, name=name)


def main() -> None:
    """Run one command; an error of ours is a sentence and an exit code, not a traceback."""
    try:
        app()
    except errors.RetinueError as error:
        sys.stdout.flush()
        typer.secho(
            f"{error.title()} {error.detail}" if error.detail != error.title() else error.title(), fg="red", err=True
        )
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone: ``retinue interaction list | head``
        sys.stderr.close()
        sys.exit(0)


EXIT_FAILED, EXIT_MISCONFIGURED, EXIT_DATABASE_DOWN, EXIT_PORT_TAKEN = 1, 3, 4, 5


def exit_code(error: errors.RetinueError) -> int:
    """The same codes as ``app.exit_code``, without importing it; a test compares them."""
    if error.code == "port_taken":
        return EXIT_PORT_TAKEN
    match error:
        case errors.Misconfigured():
            return EXIT_MISCONFIGURED
        case errors.Unavailable():
            return EXIT_DATABASE_DOWN
        case _:
            return EXIT_FAILED

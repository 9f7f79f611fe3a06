"""The commands that run Retinue or work on its database themselves: serve, worker, migrate, init, doctor."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote

import typer

from retinue.cli.place import DEFAULT_URL, Place

if TYPE_CHECKING:  # slow to import; each command imports what it needs
    from retinue.app import Node
    from retinue.domain.accounts import Bootstrapped
    from retinue.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def serve(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on (RETINUE_HOST, else 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port (RETINUE_PORT, else 8000); 0 takes a free one.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Serving processes that share the port.")] = 1,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Serve the API only; turns run elsewhere.")] = False,
    reload: Annotated[bool, typer.Option("--reload", help="Restart when the code changes.")] = False,
) -> None:
    """Start everything: database, API and worker. Ctrl-C stops all of it."""
    settings = _place(ctx).settings(host=host, port=port)

    from retinue import server, supervisor

    if workers > 1 or reload:
        main = supervisor.supervise(settings, workers, worker=not no_worker, reload=reload)
    else:
        main = server.serve(settings, server.Plan(worker=not no_worker), greet)
    raise typer.Exit(server.run(main))


def serve_child(
    ctx: typer.Context, place: int, no_worker: Annotated[bool, typer.Option("--no-worker")] = False
) -> None:
    """One of the processes of ``serve --workers``; the first greets."""
    settings = _place(ctx).settings()

    from retinue import server

    plan = server.Plan(worker=not no_worker, child=True)
    raise typer.Exit(server.run(server.serve(settings, plan, greet if place == 0 else _be_quiet)))


def worker(ctx: typer.Context) -> None:
    """Run turns only, no API: one more node on the same database."""
    settings = _place(ctx).settings()

    from retinue import server

    async def say(node: "Node") -> None:
        typer.echo(f"Working as node {node.id}. Ctrl-C hands over what is in hand and stops.")

    raise typer.Exit(server.run(server.serve(settings, server.Plan(api=False), say)))


def migrate(ctx: typer.Context) -> None:
    """Bring the database up to date; serve and worker do it, too."""
    settings = _place(ctx).settings()

    from retinue import app, server

    async def main() -> int:
        prepared = app.prepare(settings)
        async with app.database(prepared) as url:
            applied = await app.bring_up_to_date(prepared, url)
        typer.echo("\n".join(f"applied {name}" for name in applied) or "The database is up to date.")
        return 0

    raise typer.Exit(server.run(main()))


def init(
    ctx: typer.Context,
    as_json: Json = False,
    new_key: Annotated[bool, typer.Option("--new-key", help="Make another API key and print it.")] = False,
) -> None:
    """Make what a first run needs and print it, with an API key.

    Account, owner, organisation channel and Assistant are made where they are missing. The key is shown once.
    """
    place = _place(ctx)
    settings = place.settings()

    from retinue import app, server
    from retinue.cli import setup

    async def main() -> int:
        prepared = app.prepare(settings)
        async with app.database(prepared) as url:
            await app.bring_up_to_date(prepared, url)
            db = await app.connect(prepared, url)
            try:
                first = await setup.bootstrap(db)
                key = await setup.init_key(db, first, again=new_key)
                where = place.url or _known_url(place, prepared)
                await setup.save_credential(db, prepared.home, first, where)
            finally:
                await db.close()
        _print_first(first, key, where, as_json)
        return 0

    raise typer.Exit(server.run(main()))


def doctor(ctx: typer.Context, as_json: Json = False) -> None:
    """Check the installation and say what to mend.

    Ends with exit code 1 when a check failed.
    """
    place = _place(ctx)
    settings = place.settings()

    from retinue import server
    from retinue.cli import checks

    raise typer.Exit(server.run(checks.run(settings, place, as_json)))


# ── what they print ──────────────────────────────────────────────────────────────────────────────────────────────


async def greet(node: "Node") -> None:
    """Say where everything is, and how to begin."""
    from rich.console import Console

    from retinue.api import welcome
    from retinue.cli import setup

    url = base_url(node.settings)
    first = await setup.bootstrap(node.db)
    await setup.save_credential(node.db, node.settings.home, first, url)
    link = await setup.sign_in_link(node.db, first, url)
    offline, words = (True, "") if node.state is None else welcome.model_words(node.state)
    out = Console(highlight=False, soft_wrap=True)
    out.print(f"\n[bold]Retinue[/] serves at [bold]{url}[/]")
    out.print(f"  Talk:     [bold]{chat_line(node.settings)}[/]")
    out.print(f"  Sign in:  {link}  [dim](once, within 15 minutes)[/]")
    out.print(f"  Model:    {'[yellow]offline.[/] ' if offline else ''}{words}")
    out.print(f"  Data:     {data_place(node.settings)}")
    out.print("  Stop:     Ctrl-C\n")
    sys.stdout.flush()


async def _be_quiet(node: "Node") -> None:
    return None


def base_url(settings: "Settings") -> str:
    """Where people reach this process."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{settings.port}"


def chat_line(settings: "Settings") -> str:
    """What to type into another terminal; with the home folder where it is not the usual one."""
    from retinue.cli.place import DEFAULT_HOME

    usual = settings.home == DEFAULT_HOME.expanduser()
    program = Path(sys.executable).with_name("retinue")  # not argv: a child of a supervisor has another
    typed = program.is_file() and not shutil.which("retinue")
    name = os.path.relpath(program) if typed else "retinue"
    return f"{name} chat" if usual else f"{name} --home {settings.home} chat"


def data_place(settings: "Settings") -> str:
    """Where the data is: a supervisor gives its children the address of the embedded database in the home folder."""
    url = unquote(settings.database_url or "")
    own = not url or str(settings.home / "postgres") in url
    return str(settings.home) if own else "RETINUE_DATABASE_URL"


def _known_url(place: Place, settings: "Settings") -> str:
    """The address a server wrote down when it started, else what the settings say."""
    known: str | None = place.saved().get("url")
    return known or (base_url(settings) if settings.port else DEFAULT_URL)


def _print_first(first: "Bootstrapped", key: str | None, url: str, as_json: bool) -> None:
    plain: dict[str, Any] = first.model_dump(mode="json")
    if as_json:
        typer.echo(json.dumps({**plain, "api_key": key, "url": url}, indent=2))
        return
    for name in ("account", "owner", "channel", "private_channel", "agent"):
        what = plain[name]
        typer.echo(f"{name.replace('_', ' '):<16} {what['id']}  {what.get('name') or what.get('email')}")
    typer.echo(f"{'API key':<16} {key or 'made before and not kept; another one: retinue init --new-key'}")


def _place(ctx: typer.Context) -> Place:
    place: Place = ctx.obj
    return place

"""The command ``chat``. What it does is in ``cli.chat``; this file only has to be quick to import."""

import sys
from typing import Annotated

import typer

from retinue.cli.place import Place


def chat(
    ctx: typer.Context,
    agent: Annotated[str | None, typer.Argument(help="The agent's slug; without it the Assistant.")] = None,
    once: Annotated[str | None, typer.Option(help="Say this, print the answer, end.")] = None,
) -> None:
    """Talk to an agent. Ctrl-C stops its turn; once more leaves. Text piped in is one message."""
    from retinue.cli import chat as chats

    place: Place = ctx.obj
    text = once
    if text is None and not sys.stdin.isatty():
        text = sys.stdin.read().strip()
        if not text:
            raise typer.BadParameter("nothing came in on standard input")
    raise typer.Exit(chats.run(place, agent, text))

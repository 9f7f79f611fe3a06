"""Talking to an agent in the terminal: post, follow the stream, show tools at work, answer what it asks.

It holds no state but what is on the screen: everything is in the channel, and a turn goes on without us.
"""

import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rich.markup import escape

from retinue import errors
from retinue.cli import http, render
from retinue.cli.http import Api, Event
from retinue.cli.place import Place

EXIT_FAILED, EXIT_LEFT = 1, 130
HOW_OUTCOME = "y: it happened  n: it did not  r: it did not, do it again  enter: leave it open"
OUTCOMES: dict[str, dict[str, Any]] = {
    "y": {"happened": True},
    "n": {"happened": False},
    "r": {"happened": False, "retry": True},
}


def run(place: Place, agent: str | None, text: str | None) -> int:
    """Talk until the person leaves, or say ``text`` once. Returns the exit code."""
    api = place.api()
    agent_id, name, channel_id = find(api, place, agent)
    live = sys.stdout.isatty()
    _say_model(api)
    if text is not None:
        return Turn(api, Screen(live=live, asks=False), agent_id).take(channel_id, text)
    render.out.print(f"[dim]Talking to[/] [bold]{escape(name)}[/][dim]. Ctrl-C stops its turn, Ctrl-D leaves.[/]")
    while True:
        try:
            text = render.out.input("\n[bold cyan]you[/] ").strip()
        except (EOFError, KeyboardInterrupt):
            render.out.print()
            return 0
        if text:
            Turn(api, Screen(live=live, asks=True), agent_id).take(channel_id, text)


def _say_model(api: Api) -> None:
    """When the offline model answers, say so before anyone takes it for a language model."""
    model = api.get("/v1/models")
    if model["offline"]:
        render.err.print(f"[yellow]Offline model.[/] [dim]{escape(model['how'])}[/]")


# ── where to talk ────────────────────────────────────────────────────────────────────────────────────────────────


def find(api: Api, place: Place, slug: str | None) -> tuple[str, str, str]:
    """The agent's id and name, and the caller's private channel with it, made where there is none."""
    saved = place.saved()
    slug = slug or saved.get("agent") or "assistant"
    if slug == saved.get("agent") and place.api_key in (None, saved.get("api_key")):
        return saved["agent_id"], saved["agent_name"], saved["channel_id"]
    agent = next((one for one in api.each("/v1/agents") if one["slug"] == slug), None)
    if agent is None:
        raise errors.NotFound(f"There is no agent {slug!r}. See: retinue agent list")
    return agent["id"], agent["name"], _channel(api, agent)


def _channel(api: Api, agent: dict[str, Any]) -> str:
    for channel in api.each("/v1/channels", kind="private"):
        members = list(api.each(f"/v1/channels/{channel['id']}/members"))
        if [one["agent_id"] for one in members if one.get("agent_id")] == [agent["id"]] and len(members) == 2:
            return str(channel["id"])
    member = {"agent_id": agent["id"], "trigger_mode": "proactive"}
    made = api.post("/v1/channels", {"kind": "private", "name": agent["name"], "members": [member]})
    return str(made["id"])


# ── one turn ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Turn:
    """One message and what comes of it."""

    def __init__(self, api: Api, screen: "Screen", agent_id: str) -> None:
        self._api = api
        self._screen = screen
        self._agent_id = agent_id

    def take(self, channel_id: str, text: str) -> int:
        """Post, then follow every turn it started to its end. Returns the exit code."""
        key = secrets.token_hex(16)
        body = {"content": text, "to": [self._agent_id]}
        posted = self._api.post(f"/v1/channels/{channel_id}/messages", body, **{"Idempotency-Key": key})
        code = 0
        for started in posted["interactions"]:
            code = self.follow(started["id"]) or code
        if not posted["interactions"]:
            render.err.print("[dim]Nobody answers here: the agent is paused, or not in this channel.[/]")
            return EXIT_FAILED
        return code

    def follow(self, interaction_id: str) -> int:
        """Show one turn, and those that follow from it."""
        following: str | None = interaction_id
        code = 0
        while following:
            with self._stoppable(following):
                code, following = self._show(following)
        return code

    def _show(self, interaction_id: str) -> tuple[int, str | None]:
        screen = self._screen
        for event in self._api.follow(f"/v1/interactions/{interaction_id}/stream"):
            if event.kind == "wait":
                resolution = screen.ask(event.data)
                if resolution is not None:
                    self._answer(event.data["id"], resolution)
                elif not screen.asks:
                    return EXIT_FAILED, None
            elif event.kind == "done":
                screen.end(event.data)
                failed = event.data["state"] == "failed"
                return (EXIT_FAILED if failed else 0), event.data.get("successor_id")
            else:
                screen.show(event)
        return EXIT_FAILED, None

    def _answer(self, wait_id: str, resolution: dict[str, Any]) -> None:
        try:
            self._api.post(f"/v1/waits/{wait_id}/answer", resolution)
        except http.Refused as error:  # somebody else was quicker, which is fine
            render.err.print(f"[yellow]{escape(error.detail)}[/]")

    @contextmanager
    def _stoppable(self, interaction_id: str) -> Iterator[None]:
        """The first Ctrl-C stops the turn on the server, and its end is shown; the second leaves."""
        asked = False

        def on_interrupt(_signal: int, _frame: FrameType | None) -> None:
            nonlocal asked
            if asked:
                raise KeyboardInterrupt
            asked = True
            render.err.print("\n[dim]stopping; Ctrl-C again to leave[/]")
            self._api.twin().post(f"/v1/interactions/{interaction_id}/cancel")

        before = signal.signal(signal.SIGINT, on_interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


class Screen:
    """What a turn looks like. Not live: only the reply goes to standard output, once, whole."""

    def __init__(self, *, live: bool, asks: bool) -> None:
        self._live = live
        self.asks = asks and sys.stdin.isatty()
        self._written: dict[Any, str] = {}
        """What was streamed, by think step."""
        self._last: Any = None
        self._begun: set[int] = set()
        self._fresh = True
        """At the beginning of a line."""

    def show(self, event: Event) -> None:
        """One event, but for ``wait`` and ``done``."""
        handler: Callable[[dict[str, Any]], None] | None = getattr(self, f"_on_{event.kind}", None)
        if handler is not None:
            handler(event.data)

    def _on_delta(self, data: dict[str, Any]) -> None:
        step = data.get("step")
        if step != self._last:
            self._line()
        self._last = step
        self._written[step] = self._written.get(step, "") + data["text"]
        self._write(data["text"])

    def _on_reset(self, data: dict[str, Any]) -> None:
        if any(self._written.values()):
            self._note("the answer starts again")
        self._written.clear()

    def _on_step(self, step: dict[str, Any]) -> None:
        name = f"[bold]{escape(step.get('tool') or step['kind'])}[/]"
        match step["state"]:
            case "created" | "running":
                if step["seq"] in self._begun:
                    return
                self._begun.add(step["seq"])
                self._note(f"→ {name} {escape(render.short(step.get('arguments') or {}, 120))}")
            case "success" | "failed":
                sign = "[green]✓[/]" if not step.get("error") else "[red]✗[/]"
                took = render.duration(step.get("started_at"), step.get("ended_at"))
                self._note(f"{sign} {name} {took} {escape(step.get('error') or '')}")
            case other:
                self._note(f"{name} {render.state(other)}")

    def _on_message(self, message: dict[str, Any]) -> None:
        """The whole reply: write what was not streamed."""
        content = str(message.get("content") or message.get("text") or "")
        written = self._written.get(self._last, "")
        if not self._live:
            render.out.out(content, highlight=False)
            return
        if content.startswith(written):
            self._write(content[len(written) :])
        else:
            self._line()
            self._write(content)

    def _on_lost(self, _: dict[str, Any]) -> None:
        self._note("[yellow]the connection is gone; waiting for the server[/]")

    def _on_back(self, _: dict[str, Any]) -> None:
        self._note("[green]connected again[/]")

    def ask(self, wait: dict[str, Any]) -> dict[str, Any] | None:
        """Put a question to the person; None when it stays open."""
        self._note(f"[yellow]?[/] {escape(wait.get('prompt') or wait['kind'])}")
        if wait["kind"] == "approval":
            self._note(f"it waits for approval: retinue approval show {wait['id']}, then approve or reject")
            return None
        if wait["kind"] != "outcome" or not self.asks:
            self._note(f"this turn waits; answer with: retinue interaction answer {wait['id']}")
            return None
        return OUTCOMES.get(render.out.input(f"[dim]{HOW_OUTCOME}[/] ").strip().lower()[:1])

    def end(self, data: dict[str, Any]) -> None:
        """How the turn ended."""
        self._line()
        if data["state"] == "failed":
            words = data.get("error_detail") or data.get("error") or "no reason is known"
            render.err.print(f"[red]The turn failed:[/] {escape(words)}")
        elif data["state"] == "cancelled":
            render.err.print("[dim]stopped[/]")
        self._written.clear()
        self._begun.clear()

    def _write(self, text: str) -> None:
        if self._live and text:
            render.out.out(text, end="", highlight=False)
            render.out.file.flush()
            self._fresh = text.endswith("\n")

    def _line(self) -> None:
        if not self._fresh:
            render.out.print()
            self._fresh = True

    def _note(self, markup: str) -> None:
        self._line()
        render.err.print(f"  [dim]{markup}[/]")

"""A house for stories in a browser: a real server on its own database, with a scripted provider as its model."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.harness import free_port
from retinue.testing import scripts
from retinue.testing.models import ScriptedModels
from retinue.testing.scripts import Call, Fault, Match, Script, Step
from tests.servers import environment
from tests.web.vectors import VECTORS

PATIENCE = 60.0
PASSWORD = "a long enough passphrase 7"
LONG = " ".join(f"word{number}" for number in range(1, 81)) + " the end."
"""What a slow answer says, one word after another."""

MARKDOWN = """Here is **bold**, `code` and a list:

- one
- two

```python
print('hi')
```

| a | b |
|---|---|
| 1 | 2 |
"""


def always(text: str, match: Match, **options: Any) -> Step:
    """A line that answers every request it fits."""
    return Step(match=match, text=text, times=None, **options)


def script() -> Script:
    """What the model says to which words."""
    return scripts.of(
        always(LONG, Match(contains="slowly"), piece=8, delay=0.05),
        Step(match=Match(contains="what time", after_result=False), times=None,
             calls=(Call(tool="current_time", arguments={"time_zone": "Europe/Lisbon"}),)),
        Step(match=Match(contains="Tokyo", after_result=False), times=None,
             calls=(Call(tool="current_time", arguments={"time_zone": "Asia/Tokyo"}),)),
        always(LONG, Match(contains="Tokyo", after_result=True), piece=8, delay=0.05),
        always("It is what the tool says.", Match(after_result=True)),
        Step(match=Match(contains="break once"), fault=Fault(kind="bad_request", message="The request was refused.")),
        Step(match=Match(contains="break always"), fault=Fault(kind="bad_key"), times=None),
        always("\n\n".join((*VECTORS, "the corpus ends")), Match(contains="answer hostile"), piece=40),
        always("It works now.", Match(contains="break once")),
        always("Arr, matey.", Match(system="pirate")),
        always(MARKDOWN, Match(contains="markdown")),
        default="Understood.",
    )  # fmt: skip


@dataclass
class House:
    """One running server and who may enter."""

    url: str
    folder: Path
    models: ScriptedModels
    port: int = field(default_factory=free_port)
    made: dict[str, Any] = field(default_factory=dict[str, Any])
    extra: dict[str, str] = field(default_factory=dict[str, str])
    """More of the server's environment."""
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def env(self) -> dict[str, str]:
        return environment(self.folder, self.url) | self.models.env() | {
            "RETINUE_DRAIN_SECONDS": "2",
            "RETINUE_RATE_PER_SECOND": "10000",
            "RETINUE_RATE_BURST": "10000",
            "RETINUE_HEARTBEAT_SECONDS": "2",
        } | self.extra  # fmt: skip

    # ── the server ───────────────────────────────────────────────────────────────────────────────────────────────

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "retinue.cli", *arguments]

    def init(self) -> None:
        """Make what a first run needs."""
        answer = subprocess.run(
            self.command("init", "--json"), env=self.env(), cwd=self.folder, capture_output=True, check=True, timeout=60
        )
        self.made = json.loads(answer.stdout)

    def start(self) -> None:
        """Serve; returns once the server is ready."""
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command("serve", "--port", str(self.port)), env=self.env(), cwd=self.folder, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.base}/readyz", timeout=2).status_code == 200:
                    return
            if self.process.poll() is not None:
                break
        raise RuntimeError(f"the server is not ready: {self.said()[-3000:]}")

    def kill(self) -> None:
        """SIGKILL to the server and all it started: no goodbye."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def said(self) -> str:
        return (self.folder / "serve.log").read_text(errors="replace")

    # ── its API, as the owner ────────────────────────────────────────────────────────────────────────────────────

    def api(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        """One call; raises on any error status."""
        headers = {"authorization": f"Bearer {key or self.made['api_key']}"}
        answer = httpx.request(method, f"{self.base}{path}", json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def channel(self, name: str, *members: str, agent: bool = True, kind: str = "group") -> str:
        """A new channel with the owner, these users and, unless told otherwise, the proactive Assistant; its id."""
        made = self.api("POST", "/v1/channels", {"kind": kind, "name": name})
        for member in members:
            self.api("POST", f"/v1/channels/{made['id']}/members", {"user_id": member})
        if agent:
            wanted = {"agent_id": self.assistant, "trigger_mode": "proactive"}
            self.api("POST", f"/v1/channels/{made['id']}/members", wanted)
        return made["id"]

    @property
    def assistant(self) -> str:
        return self.made["agent"]["id"]

    @property
    def owner(self) -> str:
        return self.made["owner"]["id"]

    def post(self, channel: str, content: str, key: str | None = None, **more: Any) -> Any:
        """Say something in a channel."""
        return self.api("POST", f"/v1/channels/{channel}/messages", {"content": content} | more, key)

    def settled(self, channel: str) -> None:
        """Wait until no turn of this channel is open."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = self.api("GET", f"/v1/interactions?channel_id={channel}&limit=50")["data"]
            if all(one["state"] in ("succeeded", "failed", "cancelled", "waiting") for one in found):
                return
        raise TimeoutError("a turn goes on for ever")

    def link(self, user: str) -> str:
        """The token of a fresh one-time sign-in link."""
        return self.api("POST", "/v1/sign-in-links", {"user_id": user})["token"]

    def cookies(self, user: str) -> list[dict[str, Any]]:
        """A signed-in session of this user, as a browser keeps it."""
        answer = httpx.post(f"{self.base}/v1/sessions/link", json={"token": self.link(user)}, timeout=30)
        answer.raise_for_status()
        return [
            {"name": name, "value": value, "url": self.base, "httpOnly": True, "sameSite": "Lax"}
            for name, value in answer.cookies.items()
        ]

    def user(self, name: str, role: str = "member") -> str:
        """Another user of the account; the id."""
        mail = f"{name.lower().replace(' ', '.')}@example.org"
        made = self.api("POST", "/v1/users", {"email": mail, "name": name})
        if role != "member":
            own = self.api("GET", f"/v1/members?user_id={made['id']}")["data"][0]
            self.api("PATCH", f"/v1/members/{own['id']}", {"role": role})
        return made["id"]

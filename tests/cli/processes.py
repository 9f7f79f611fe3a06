"""Real processes of Retinue for tests: run a command to its end, or keep a server and talk to it."""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psutil

COMMAND = [sys.executable, "-m", "retinue.cli"]
WAIT_SECONDS = 60.0
PROVIDERS = ("OPENAI_", "ANTHROPIC_", "GOOGLE_", "GEMINI_", "MISTRAL_", "LLM_", "GLOO_", "OLLAMA_", "RETINUE_")


def environment(home: Path, **changes: str) -> dict[str, str]:
    """This process's environment without any setting of Retinue's or key of a provider's."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(PROVIDERS)}
    return plain | {"RETINUE_HOME": str(home), "OLLAMA_HOST": "http://127.0.0.1:1"} | changes


def run(home: Path, *arguments: str, stdin: str | None = None, **changes: str) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    source: dict[str, Any] = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
    return subprocess.run(
        [*COMMAND, *arguments], env=environment(home, **changes), capture_output=True, text=True, check=False,
        timeout=WAIT_SECONDS, **source,
    )  # fmt: skip


def eventually(check: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
    """The first true value of ``check``. Raises AssertionError when time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def lives(pid: int) -> bool:
    """Whether this process runs; one that has ended and is only not collected yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def listens(pid: int) -> bool:
    """Whether this process serves a port. Until then it may still be importing, with programs that libraries start."""
    try:
        return any(one.status == psutil.CONN_LISTEN for one in psutil.Process(pid).net_connections("tcp"))
    except psutil.NoSuchProcess:
        return False


@contextlib.contextmanager
def own_home() -> Iterator[Path]:
    """A home for an embedded PostgreSQL. Not below pytest's folder: a pytest that starts takes away the right to
    enter that from PostgreSQL's own user, which there is where tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="retinue-cli-"))
    try:
        yield folder / "home"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Served:
    """A ``retinue serve`` of this test's own, on a free port."""

    def __init__(self, home: Path, *arguments: str, **changes: str) -> None:
        self.home = home
        self._command = [*COMMAND, "serve", "--port", "0", *arguments]
        self._environment = environment(home, **changes)
        self.log = home.with_suffix(".log")

    def __enter__(self) -> Self:
        self.home.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                self._command, env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        eventually(lambda: "Stop:" in self.log.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()
        self.saved: dict[str, str] = json.loads((self.home / "cli.json").read_text())
        self.url = self.saved["url"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it and give its exit code."""
        self.process.send_signal(number)
        return self.process.wait(WAIT_SECONDS)

    def get(self, path: str) -> httpx.Response:
        """A GET with the CLI's own key."""
        headers = {"authorization": f"Bearer {self.saved['api_key']}"}
        return httpx.get(f"{self.url}{path}", headers=headers, trust_env=False, timeout=10)

    def ready(self) -> bool:
        """Whether /readyz says so."""
        try:
            return self.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False


Change = tuple[bytes, bytes]
"""What to replace by what, of the same length."""


class Proxy:
    """A TCP door to a PostgreSQL on a Unix socket, which can be shut, and can change bytes on the way."""

    def __init__(
        self, socket_path: str, *, up: tuple[bytes, bytes] = (b"", b""), down: tuple[bytes, bytes] = (b"", b"")
    ):
        self._path = socket_path
        self._up, self._down = up, down
        self._open = True
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self._open:
                client.close()
                continue
            thread = threading.Thread(target=self._relay, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _relay(self, client: socket.socket) -> None:
        """Carry bytes both ways until one side ends; the one owner of both sockets."""
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(self._path)
            ways = {client: (server, self._up), server: (client, self._down)}
            while self._open:
                for source in select.select([client, server], [], [], 0.05)[0]:
                    target, (old, new) = ways[source]
                    data = source.recv(65536)
                    if not data:
                        return
                    target.sendall(data.replace(old, new) if old else data)

    def shut(self) -> None:
        """Cut every connection and refuse new ones."""
        self._open = False
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def open(self) -> None:
        """Let connections in again."""
        self._open = True

    def close(self) -> None:
        self.shut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

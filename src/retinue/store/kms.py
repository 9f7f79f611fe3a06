"""The hook for a key management service: a program that wraps and unwraps data keys. Any service can stand behind it.

It is called with ``wrap`` or ``unwrap`` as its last argument, by no shell, and speaks JSON::

    wrap    stdin {"plaintext": base64, "context": {name: text}}                         stdout {"key_id", "ciphertext"}
    unwrap  stdin {"key_id": text, "ciphertext": base64, "context": {name: text}}        stdout {"plaintext": base64}

``context`` goes into the service's encryption context (associated data): what was wrapped with another must not open.
Anything but exit code 0 is a failure, and what it says on standard error is for the operator. Of our own settings it
sees none.
"""

import asyncio
import base64
import contextlib
import json
import os
import shlex
import signal
from asyncio.subprocess import PIPE, Process
from collections import OrderedDict
from typing import Any, cast

from retinue import errors, settings, telemetry
from retinue.domain.ids import new
from retinue.domain.sealing import KMS, Binding, Wrapped
from retinue.telemetry import clock

KEEP_SECONDS = 300.0
"""How long an unwrapped data key is used without asking again: as long it works after the service has locked it."""
MOST_KEPT = 1000
AT_ONCE = 4
MOST_BYTES = 64 * 1024
MOST_WORDS = 300


class KmsDown(errors.Unavailable):
    """The key management service does not answer."""

    code = "kms_down"


class KmsCommand:
    """A ``KeyWrapper`` that asks a program."""

    sort = "kms"

    def __init__(self, command: str, seconds: float = 10.0) -> None:
        """``command``: the program and its first arguments. Raises ``Misconfigured`` when it cannot be read."""
        try:
            self._argv = shlex.split(command)
        except ValueError as error:
            raise errors.Misconfigured(f"RETINUE_KMS_COMMAND cannot be read: {error}.") from error
        if not self._argv:
            raise errors.Misconfigured("RETINUE_KMS_COMMAND names no program.")
        self._seconds = seconds
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._kept: OrderedDict[tuple[Binding, Wrapped], tuple[bytes, float]] = OrderedDict()

    async def key_id(self) -> str:
        """Found by wrapping something that nobody needs. Raises ``KmsDown``."""
        return (await self.wrap(Binding(new(), new()), os.urandom(32))).by

    def opens(self, key_id: str) -> bool:
        return key_id.startswith(KMS)

    async def wrap(self, binding: Binding, key: bytes) -> Wrapped:
        """The key as the service wraps it now. Raises ``KmsDown``."""
        answer = await self._ask("wrap", {"plaintext": _text(key), "context": binding.context()})
        name = answer.get("key_id")
        if not isinstance(name, str) or not 0 < len(name) <= 500:
            raise KmsDown(f"{self._argv[0]} named no key_id (a text of at most 500 characters) when it wrapped.")
        return Wrapped(KMS + name, self._bytes(answer, "ciphertext"))

    async def unwrap(self, binding: Binding, wrapped: Wrapped) -> bytes:
        """The key; for some minutes it is remembered. Raises ``KmsDown``."""
        kept, until = self._kept.get((binding, wrapped), (b"", 0.0))
        if clock.monotonic() < until:
            return kept
        given = {
            "key_id": wrapped.by.removeprefix(KMS),
            "ciphertext": _text(wrapped.content),
            "context": binding.context(),
        }
        key = self._bytes(await self._ask("unwrap", given), "plaintext")
        self._kept[binding, wrapped] = key, clock.monotonic() + KEEP_SECONDS
        self._kept.move_to_end((binding, wrapped))
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return key

    def _bytes(self, answer: dict[str, Any], name: str) -> bytes:
        try:
            found = base64.b64decode(answer[name], validate=True)
        except (KeyError, TypeError, ValueError):
            found = b""
        if not found:
            raise KmsDown(f"{self._argv[0]} answered without {name} in base64.")
        return found

    async def _ask(self, what: str, question: dict[str, Any]) -> dict[str, Any]:
        async with self._turn:
            status, out, said = await self._run(what, json.dumps(question).encode())
        if status != 0:
            raise KmsDown(f"{self._argv[0]} {what} ended with {status}: {_told(said, question)}")
        try:
            answer: Any = json.loads(out)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise KmsDown(f"{self._argv[0]} {what} did not answer with a JSON object.")
        return cast("dict[str, Any]", answer)

    async def _run(self, what: str, question: bytes) -> tuple[int, bytes, bytes]:
        """Exit code, standard output and error. Nothing of it lives on when time is up."""
        try:
            program = await asyncio.create_subprocess_exec(
                *self._argv, what, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=settings.outside(), start_new_session=True
            )
        except OSError as error:
            raise KmsDown(f"RETINUE_KMS_COMMAND: {self._argv[0]} cannot be started: {error.strerror}.") from error
        try:
            async with asyncio.timeout(self._seconds):
                return await _talk(program, question)
        except TimeoutError as error:
            raise KmsDown(f"{self._argv[0]} {what} did not answer within {self._seconds:g} seconds.") from error
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            await program.wait()


async def _talk(program: Process, question: bytes) -> tuple[int, bytes, bytes]:
    assert program.stdin and program.stdout and program.stderr
    async with asyncio.TaskGroup() as group:
        out, said = group.create_task(_read(program.stdout)), group.create_task(_read(program.stderr))
        with contextlib.suppress(ConnectionError):  # it need not read what it does not want
            program.stdin.write(question)
            await program.stdin.drain()
        program.stdin.close()
    return await program.wait(), out.result(), said.result()


async def _read(stream: asyncio.StreamReader) -> bytes:
    """All of it, of which the beginning is kept."""
    kept = bytearray()
    while chunk := await stream.read(4096):
        kept += chunk[: MOST_BYTES - len(kept)]
    return bytes(kept)


def _told(said: bytes, question: dict[str, Any]) -> str:
    """The program's last words, without the key that it was given."""
    words = " ".join(said.decode(errors="replace").split()).replace(
        str(question.get("plaintext") or "\0"), "[redacted]"
    )
    return telemetry.scrub(words[-MOST_WORDS:]) or "it says nothing"


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()

"""``retinue chat`` against a real model client and a scripted provider: streaming, stopping, a server that dies."""

import contextlib
import os
import pty
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from retinue.testing import scripts
from retinue.testing.models import ScriptedModels
from retinue.testing.scripts import Call, Fault, Match, Step
from tests.cli import processes
from tests.cli.processes import Served
from tests.conftest import SECRET

ANSWER = "The answer is forty-two, as it always was."


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    return {"RETINUE_DATABASE_URL": database_url, "RETINUE_SECRET_KEY": SECRET}


@asynccontextmanager
async def scripted(*steps: Step) -> AsyncIterator[ScriptedModels]:
    async with ScriptedModels(scripts.of(*steps)) as models:
        yield models


def start_chat(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*processes.COMMAND, "chat", *arguments], env=processes.environment(home), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def states(home: Path) -> list[str]:
    listed = processes.run(home, "interaction", "list", "--json").stdout
    return re.findall(r'^    "state": "(\w+)"', listed, re.MULTILINE)


async def test_a_server_killed_in_the_middle_of_an_answer_comes_back_and_the_answer_arrives_once_and_whole(
    home: Path, environment: dict[str, str]
) -> None:
    async with scripted(Step(text=ANSWER, piece=4, hold="middle", hold_after=3), Step(text=ANSWER)) as models:
        settings = environment | models.env()
        with Served(home, **settings) as first:
            chat = start_chat(home, "--once", "What is the answer?")
            await models.reached("middle", 30)
            first.stop(signal.SIGKILL)
        port = str(urlsplit(first.url).port)
        with Served(home, "--port", port, **settings):
            out, err = chat.communicate(timeout=processes.WAIT_SECONDS)
            assert states(home) == ["succeeded"]
    assert chat.returncode == 0, err
    assert out == f"{ANSWER}\n"
    assert "waiting for the server" in err
    assert "connected again" in err


async def test_ctrl_c_stops_the_turn_on_the_server(home: Path, environment: dict[str, str]) -> None:
    async with scripted(Step(text=ANSWER, piece=4, hold="middle", hold_after=3)) as models:
        with Served(home, **environment, **models.env()):
            chat = start_chat(home, "--once", "What is the answer?")
            await models.reached("middle", 30)
            chat.send_signal(signal.SIGINT)
            out, err = chat.communicate(timeout=processes.WAIT_SECONDS)
            assert states(home) == ["cancelled"]
    assert chat.returncode == 0, err
    assert "stopped" in err
    assert ANSWER not in out


async def test_a_second_ctrl_c_leaves_at_once_and_the_turn_goes_its_way(
    home: Path, environment: dict[str, str]
) -> None:
    async with scripted(Step(text=ANSWER, hold="start")) as models:
        with Served(home, **environment, **models.env()) as server:
            chat = start_chat(home, "--once", "What is the answer?")
            await models.reached("start", 30)
            server.process.send_signal(signal.SIGSTOP)  # so that the end of the turn cannot arrive
            chat.send_signal(signal.SIGINT)
            assert chat.stderr is not None
            processes.eventually(lambda: "leave" in (chat.stderr.readline() if chat.stderr else ""))
            chat.send_signal(signal.SIGINT)
            chat.communicate(timeout=processes.WAIT_SECONDS)
            server.process.send_signal(signal.SIGCONT)
    assert chat.returncode == 130


async def test_a_turn_that_fails_says_why_and_ends_with_an_error(home: Path, environment: dict[str, str]) -> None:
    async with scripted(Step(fault=Fault(kind="bad_key"), times=None)) as models:
        with Served(home, **environment, **models.env()):
            said = processes.run(home, "chat", "--once", "Hello")
            found = processes.run(home, "doctor", "--json")
    assert said.returncode == 1
    assert "The turn failed" in said.stderr
    assert "key" in said.stderr
    assert models.env()["OPENAI_API_KEY"] not in said.stderr + found.stdout
    assert found.returncode == 1, "doctor makes a real request"
    assert '"level": "fail"' in found.stdout


@pytest.mark.requirement("ROL-04")
async def test_in_a_terminal_the_answer_streams_between_its_tools_and_ctrl_d_leaves(
    home: Path, environment: dict[str, str]
) -> None:
    steps = (
        Step(text="Let me look.", piece=4, delay=0.2, calls=(Call(tool="current_time"),)),
        Step(match=Match(after_result=True), text=ANSWER, piece=4, delay=0.02),
    )
    async with scripted(*steps) as models:
        with Served(home, **environment, **models.env()):
            seen, code = in_terminal(home, "What is the answer?", until=ANSWER)
    assert code == 0
    for words in ("Talking to Assistant", "Let me look.", "current_time", "✓"):
        assert words in seen, seen
    assert seen.count(ANSWER) == 1
    assert seen.index("Let me look.") < seen.index("current_time") < seen.index(ANSWER)
    assert "Offline" not in seen


def in_terminal(home: Path, text: str, until: str) -> tuple[str, int]:
    """What a person sees who types ``text``, reads ``until`` and then presses Ctrl-D; and the exit code."""
    outside, inside = pty.openpty()
    environment = processes.environment(home, TERM="xterm", COLUMNS="200", NO_COLOR="1")
    chat = subprocess.Popen(
        [*processes.COMMAND, "chat"], env=environment, stdin=inside, stdout=inside, stderr=inside,
        start_new_session=True,
    )  # fmt: skip
    os.close(inside)
    screen = Screen(outside)
    screen.read(lambda: "you" in screen.plain)
    os.write(outside, f"{text}\n".encode())
    screen.read(lambda: until in screen.plain)
    screen.read(lambda: screen.plain.rstrip(" ").endswith("you"))
    os.write(outside, b"\x04")
    code = chat.wait(processes.WAIT_SECONDS)
    os.close(outside)
    return screen.plain, code


class Screen:
    """The text on a terminal, without its control sequences."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._raw = b""

    @property
    def plain(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", self._raw.decode(errors="replace"))

    def read(self, enough: Callable[[], bool]) -> None:
        os.set_blocking(self._descriptor, False)

        def more() -> bool:
            with contextlib.suppress(OSError):
                self._raw += os.read(self._descriptor, 65536)
            return enough()

        try:
            processes.eventually(more)
        except AssertionError as error:
            raise AssertionError(self.plain) from error

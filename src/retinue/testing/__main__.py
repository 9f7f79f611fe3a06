"""``python -m retinue.testing --script FILE [--port N]``: the scripted provider as a process of its own.

For tests with real processes, which outlive the ones they kill. ``GET /scripted/requests`` lists what was asked,
``GET /scripted/held`` the holds that were reached, ``POST /scripted/release/NAME`` lets one go on.
"""

import argparse
import signal
import sys
import threading
from pathlib import Path

from retinue.testing import scripts
from retinue.testing.models import ScriptedModels


def main() -> int:
    """Serves until SIGINT or SIGTERM. Writes the environment variables to set as its first lines."""
    parser = argparse.ArgumentParser(prog="python -m retinue.testing", description="Play a script as a model provider.")
    parser.add_argument("--script", type=Path, required=True, help="YAML or JSON, see docs/testing-agents.md")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args()
    server = ScriptedModels(scripts.load(options.script), port=options.port)
    stopped = threading.Event()

    def stop(*_: object) -> None:
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    server.start()
    for name, value in server.env().items():
        sys.stdout.write(f"{name}={value}\n")
    sys.stdout.flush()
    stopped.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())

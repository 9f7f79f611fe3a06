"""``retinue secrets rotate``: a new key where it is a file of ours, a look at running nodes, the rotation, the report.

What hangs on the secret key beside what is sealed, and what becomes of it: the passwords of the database's roles are
set by the new key at the end; the record of audit is signed by the new key from then on, and seals of the old one stay
good, as its public key is kept. Sign-ins, API keys and signatures of tools do not depend on it.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from retinue import app, errors, telemetry
from retinue.db import migrate
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.settings import PREVIOUS_FILE, Settings, secret_keys
from retinue.store import rotation, wrapping
from retinue.store.rotation import Tally

MOST_NAMED = 20


class NodesBehind(errors.Misconfigured):
    """Running nodes do not have the current key yet."""

    code = "nodes_behind"


@dataclass(frozen=True, slots=True)
class Wish:
    """The options of the command."""

    data_keys: bool = False
    new_key: bool = False
    local: bool = False
    give_up_lost: bool = False
    anyway: bool = False


async def run(settings: Settings, wish: Wish, as_json: bool) -> int:
    """Do it and say what was done; the exit code. Raises ``Misconfigured``, ``DatabaseDown``, ``KmsDown``."""
    telemetry.configure(settings.model_copy(update={"log_level": "error"}))
    if wish.new_key:
        make_key_file(settings)
    prepared = app.prepare(settings)
    ring = wrapping.of(prepared, local=wish.local)
    async with app.database(prepared) as url:
        await app.bring_up_to_date(prepared, url)
        db = await app.connect(prepared, url)
        try:
            if not wish.anyway:
                await _check_nodes(db, await ring.key_id(), wrapping=not wish.local)
            with _bar(as_json) as tell:
                tally = await rotation.run(db, ring, replace=wish.data_keys, give_up=wish.give_up_lost, tell=tell)
        finally:
            await db.close()
        await migrate.set_passwords(migrate.direct_url(url, prepared.listen_url), secret_keys(prepared)[0])
    _print(tally, await ring.key_id(), len(secret_keys(prepared)) > 1, as_json)
    return 1 if tally.lost else 0


def make_key_file(settings: Settings) -> None:
    """A new ``secret.key``; what it was is kept in ``secret.key.previous``. Raises ``Misconfigured``."""
    if settings.secret_key:
        raise errors.Misconfigured(
            "--new-key is for a secret.key in RETINUE_HOME, and the key comes from RETINUE_SECRET_KEY. Set a new one "
            "there, and the old one as RETINUE_SECRET_KEY_PREVIOUS; restart all nodes; then run: retinue secrets rotate"
        )
    prepared = app.prepare(settings)
    kept = prepared.home / PREVIOUS_FILE
    known = kept.read_text().splitlines() if kept.exists() else []
    app.write_private(kept, "\n".join([prepared.secret_key or "", *known]) + "\n")
    app.write_private(prepared.home / app.KEY_FILE, app.new_key())


async def _check_nodes(db: Database, key_id: str, *, wrapping: bool) -> None:
    """Raises ``NodesBehind`` for nodes that could not open what is wrapped now, or wrap with another key."""
    late = await rotation.nodes_without(db, key_id, wrapping=wrapping)
    if late:
        named = ", ".join(f"{node['host']} (pid {node['pid']})" for node in late[:5])
        more = f" and {len(late) - 5} more" if len(late) > 5 else ""
        raise NodesBehind(
            f"{named}{more} were not started with the current key, and would lose secrets. Restart them (and processes "
            "with --no-worker, which are not seen here) with it and the one before, then run: retinue secrets rotate"
        )


# ── what it says ─────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[Tally], None]]:
    """A progress bar over the accounts; none where nobody looks."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=quiet or not console.is_terminal, transient=True) as progress:
        task = progress.add_task("accounts", total=None)
        yield lambda tally: progress.update(task, total=tally.accounts, completed=tally.done)


def _print(tally: Tally, key_id: str, previous: bool, as_json: bool) -> None:
    lost = [{"account_id": ids.encode("acc", account), "name": name} for account, name in tally.lost]
    if as_json:
        _say(json.dumps(asdict(tally) | {"lost": lost, "key_id": key_id}, indent=2))
        return
    if tally.resumed:
        _say("Took up the rotation that had broken off.")
    _say(
        f"{_count(tally.accounts, 'account')}: {_count(tally.rewrapped, 'data key')} wrapped anew, "
        f"{tally.made} made, {tally.removed} removed; {_count(tally.resealed, 'value')} sealed anew. "
        f"All under {key_id} now."
        if not lost
        else f"{tally.rewrapped} data keys wrapped anew, {tally.resealed} values sealed anew under {key_id}."
    )
    for one in lost[:MOST_NAMED]:
        _say(f"No known key opens {one['name']} of {one['account_id']}.")
    if lost:
        _say(f"{_count(len(lost), 'value')} not opened. {wrapping.ADVICE}")
        return
    _say("The roles of the database have their passwords from the current secret key.")
    if previous:
        _say(
            "The previous secret keys are needed no more: restart the nodes without RETINUE_SECRET_KEY_PREVIOUS (and "
            f"without {PREVIOUS_FILE}), and keep them as long as you keep backups from before. The record of audit is "
            "signed with a new key from now on: see `retinue audit key`, and give --key for both to `retinue audit "
            "verify`."
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _say(text: str) -> None:
    from typer import echo

    echo(text)

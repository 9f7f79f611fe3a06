"""The record of audit says what is on its list, and nothing else."""

import re
from pathlib import Path

import pytest

from retinue.db.pool import Database
from retinue.domain import audit_events, ids
from retinue.domain.audit import SYSTEM
from retinue.store import audit

SOURCE = Path(audit_events.__file__).parents[1]
WRITTEN = re.compile(r"""["']([a-z_]+\.[a-z_]+|agent_turn)["']""")


def written() -> set[str]:
    """Every text in code and SQL that could be an event."""
    found: set[str] = set()
    for path in SOURCE.rglob("*"):
        if path.suffix in (".py", ".sql") and path.name != "audit_events.py":
            found |= set(WRITTEN.findall(path.read_text()))
    return found


@pytest.mark.requirement("AUD-01", "AUD-10")
def test_every_event_on_the_list_is_written_somewhere() -> None:
    assert set(audit_events.EVENTS) - written() == set()


def test_every_event_that_sql_writes_is_on_the_list() -> None:
    sql = "\n".join(path.read_text() for path in sorted((SOURCE / "db" / "migrations").glob("*.sql")))
    lines = re.findall(r"(?:audit_v1\([^;]*?|insert into audit_event[^;]*?)'(agent_turn|[a-z_]+\.[a-z_]+)'", sql)
    assert len(lines) > 8
    assert set(lines) - set(audit_events.EVENTS) == set()


async def test_an_event_that_is_not_on_the_list_is_refused(db: Database) -> None:
    async with db.tenant_tx(ids.new()) as tx:
        with pytest.raises(ValueError, match=r"thing\.happened"):
            await audit.append(tx, account_id=ids.new(), event="thing.happened", actor=SYSTEM)

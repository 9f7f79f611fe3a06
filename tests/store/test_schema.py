"""What the schema refuses."""

from uuid import uuid4

import asyncpg
import pytest

from retinue.db.pool import Database


async def test_a_transaction_without_a_tenant_sees_nothing(db: Database) -> None:
    async with db.tenant_tx(uuid4()) as tx:
        assert await tx.fetchval("select count(*) from message") == 0


async def test_the_application_role_cannot_change_audit(db: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.tenant_tx(uuid4()) as tx:
            await tx.execute("update audit_event set event = 'x'")

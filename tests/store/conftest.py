"""An office: one account with people of every role, a team, and a second account to be a stranger from."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Principal, Role


@dataclass(frozen=True)
class Office:
    """``lead`` and ``member`` are in the team, the first leads it; the others are not."""

    account_id: UUID
    team_id: UUID
    owner: Principal
    admin: Principal
    lead: Principal
    member: Principal
    colleague: Principal

    def everyone(self) -> dict[str, Principal]:
        return {
            "owner": self.owner,
            "admin": self.admin,
            "lead": self.lead,
            "member": self.member,
            "colleague": self.colleague,
        }


async def make_office(db: Database, slug: str) -> Office:
    account, team = ids.new(), ids.new()
    async with db.system_tx() as tx:
        await tx.execute("insert into account (id, name, slug) values ($1, $2, $2)", account, slug)
    people: dict[str, Principal] = {}
    async with db.tenant_tx(account) as tx:
        await tx.execute("insert into team (account_id, id, name, slug) values ($1, $2, 'Team', 'team')", account, team)
        for name in ("owner", "admin", "lead", "member", "colleague"):
            role = Role(name) if name in ("owner", "admin") else Role.MEMBER
            user = ids.new()
            await tx.execute(
                "insert into app_user (account_id, id, email, name) values ($1, $2, $3, $4)",
                account, user, f"{name}@{slug}.example", name.title(),
            )  # fmt: skip
            await tx.execute(
                "insert into member (account_id, id, user_id, role) values ($1, $2, $3, $4)",
                account, ids.new(), user, role,
            )  # fmt: skip
            if name in ("lead", "member"):
                await tx.execute(
                    "insert into member (account_id, id, user_id, team_id, role) values ($1, $2, $3, $4, $5)",
                    account, ids.new(), user, team, name,
                )  # fmt: skip
            people[name] = Principal(account_id=account, user_id=user, role=role)
    return Office(account_id=account, team_id=team, **people)


@pytest.fixture
async def office(db: Database) -> Office:
    return await make_office(db, "acme")


@pytest.fixture
async def other_office(db: Database) -> Office:
    return await make_office(db, "rival")

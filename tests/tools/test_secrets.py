"""Secrets are sealed at rest, bound to account and name, and never told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue import errors
from retinue.domain import ids
from retinue.store import secrets
from retinue.store.secrets import Sealer, Vault
from tests.tools.conftest import World

SEALER = Sealer("an installation's key")


@given(st.text(min_size=1, max_size=200).filter(lambda text: text.isprintable()))
def test_what_is_sealed_opens_again_and_never_looks_the_same(value: str) -> None:
    account = ids.new()
    first, second = SEALER.seal(account, "crm", value), SEALER.seal(account, "crm", value)
    assert first != second
    assert SEALER.open(account, "crm", first) == SEALER.open(account, "crm", second) == value


def test_a_sealed_value_opens_in_its_own_place_alone() -> None:
    account = ids.new()
    sealed = SEALER.seal(account, "crm", "token")
    for sealer, where, name, data in [
        (Sealer("another key"), account, "crm", sealed), (SEALER, ids.new(), "crm", sealed),
        (SEALER, account, "crm2", sealed), (SEALER, account, "crm", sealed[:-1] + b"\0"), (SEALER, account, "crm", b""),
    ]:  # fmt: skip
        with pytest.raises(errors.Misconfigured) as caught:
            sealer.open(where, name, data)
        assert "token" not in caught.value.detail


@pytest.mark.requirement("EXT-27")
async def test_a_secret_is_stored_sealed_listed_by_name_and_read_by_the_vault(world: World) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        await secrets.put(tx, SEALER, world.owner, "crm.token", "first-value")
        await secrets.put(tx, SEALER, world.owner, "crm.token", "second-value")
        listed = await secrets.list_names(tx, world.account)
        stored = await tx.fetchval("select ciphertext from secret where account_id = $1", world.account)
        lines = [
            str(dict(row)) for row in await tx.fetch("select * from audit_event where account_id = $1", world.account)
        ]
    assert [one.name for one in listed] == ["crm.token"]
    assert b"value" not in stored
    assert sum("secret.put" in line and "crm.token" in line for line in lines) == 2
    assert not any("-value" in line for line in lines)
    assert await Vault(world.db, SEALER).read(world.account, ["crm.token", "none"]) == {"crm.token": "second-value"}
    assert await Vault(world.db, SEALER).read(ids.new(), ["crm.token"]) == {}


async def test_a_forgotten_secret_is_gone(world: World) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        await secrets.put(tx, SEALER, world.owner, "x", "y")
        await secrets.delete(tx, world.owner, "x")
        with pytest.raises(errors.NotFound):
            await secrets.delete(tx, world.owner, "x")
        assert await secrets.list_names(tx, world.account) == []


@pytest.mark.parametrize(("name", "value"), [("", "x"), ("a b", "x"), ("a" * 129, "x"), ("../x", "x"), ("x", ""),
                                             ("x", "y" * 20_000), ("x", "\ud800")])  # fmt: skip
async def test_a_secret_that_cannot_be_kept_is_refused(world: World, name: str, value: str) -> None:
    with pytest.raises(errors.BadInput) as caught:
        async with world.db.tenant_tx(world.account) as tx:
            await secrets.put(tx, SEALER, world.owner, name, value)
    assert caught.value.errors

"""Secrets are sealed at rest, bound to their place, opened by the keys that sealed them, and never told."""

import os
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from retinue import errors
from retinue.db.pool import Database
from retinue.domain import ids, sealing
from retinue.domain.accounts import Principal, Role
from retinue.store import accounts, data_keys, secrets
from retinue.store.secrets import Sealer, Vault
from retinue.store.wrapping import Keyring, KeyUnknown, derived
from tests.tools.conftest import World

KEY = "an installation's key"
SEALER = Sealer(Keyring.local(KEY))


async def put(world: World, name: str, value: str, sealer: Sealer = SEALER) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        await secrets.put(tx, sealer, world.owner, name, value)


async def read(world: World, name: str, sealer: Sealer = SEALER) -> str | None:
    return (await Vault(world.db, sealer).read(world.account, [name])).get(name)


async def owner_of(database_url: str) -> asyncpg.Connection:
    """As the owner of the database, who can write what no node would."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("set search_path = retinue, public")
    return connection


def directly(account_id: UUID, name: str, value: str, key: str = KEY) -> bytes:
    """As it was sealed before there were data keys."""
    nonce = os.urandom(12)
    cipher = AESGCM(derived(key, b"retinue secret v1"))
    return nonce + cipher.encrypt(nonce, value.encode(), account_id.bytes + name.encode())


@given(st.binary(max_size=80))
def test_only_what_was_packed_names_a_data_key(body: bytes) -> None:
    packed = sealing.pack(ids.new(), body)
    assert (sealing.data_key_of(packed) is not None) == (len(body) >= 28)
    assert sealing.data_key_of(body) is None
    assert sealing.unpack(body) == (body[:12], body[12:])


async def test_the_database_reads_the_same_data_key_from_a_sealed_value(database_url: str) -> None:
    connection = await owner_of(database_url)
    id = ids.new()
    for sealed in (sealing.pack(id, bytes(28)), sealing.pack(id, bytes(27)), os.urandom(60), b"", sealing.MAGIC):
        assert await connection.fetchval("select sealed_with_v1($1)", sealed) == sealing.data_key_of(sealed)
    await connection.close()


async def test_what_is_sealed_opens_again_and_never_looks_the_same(world: World) -> None:
    sealed = set[bytes]()
    for value in ("x", "a longer value", "ünï\0cödé \U0001f600", "y" * 16_000) * 2:
        await put(world, "crm", value)
        assert await read(world, "crm") == value
        async with world.db.tenant_tx(world.account) as tx:
            sealed.add(await tx.fetchval("select ciphertext from secret where account_id = $1", world.account))
    assert len(sealed) == 8


@pytest.mark.requirement("EXT-27")
async def test_a_secret_is_stored_sealed_listed_by_name_and_read_by_the_vault(world: World) -> None:
    await put(world, "crm.token", "first-value")
    await put(world, "crm.token", "second-value")
    async with world.db.tenant_tx(world.account) as tx:
        listed = await secrets.list_names(tx, world.account)
        [row] = await tx.fetch("select * from secret where account_id = $1", world.account)
        [key] = await data_keys.of_account(tx, world.account)
        lines = [
            str(dict(line)) for line in await tx.fetch("select * from audit_event where account_id = $1", world.account)
        ]
    assert [one.name for one in listed] == ["crm.token"]
    assert b"value" not in row["ciphertext"]
    assert row["data_key_id"] == key.binding.data_key_id
    assert sum("secret.put" in line and "crm.token" in line for line in lines) == 2
    assert not any("-value" in line for line in lines)
    assert await Vault(world.db, SEALER).read(world.account, ["crm.token", "none"]) == {"crm.token": "second-value"}
    assert await Vault(world.db, SEALER).read(ids.new(), ["crm.token"]) == {}


async def test_an_account_has_one_data_key_and_no_other_accounts(world: World) -> None:
    for name in ("one", "two", "three"):
        await put(world, name, "value")
    other = await accounts.bootstrap(world.db, name="Other", slug="other", email="o@other.test")
    principal = Principal(account_id=other.account.id, user_id=other.owner.id, role=Role.OWNER)
    async with world.db.tenant_tx(other.account.id) as tx:
        await secrets.put(tx, SEALER, principal, "one", "value")
        [theirs] = await data_keys.of_account(tx, other.account.id)
        assert await data_keys.of_account(tx, world.account) == []
    async with world.db.tenant_tx(world.account) as tx:
        [ours] = await data_keys.of_account(tx, world.account)
    assert await SEALER.ring.unwrap(ours) != await SEALER.ring.unwrap(theirs)


# ── in its own place alone ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "change",
    [
        "update secret set name = 'crm2' where name = 'crm'",
        "update secret s set ciphertext = o.ciphertext from secret o where s.name = 'crm' and o.name = 'other'",
        "update secret set ciphertext = set_byte(ciphertext, 40, get_byte(ciphertext, 40) # 1)",
        "update secret set ciphertext = substring(ciphertext for length(ciphertext) - 1)",
        "update data_key set wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1)",
        "update data_key set wrapped = '\\x00'",
        "update data_key set wrapped_by = 'local:0000000000000000'",
        "update data_key set wrapped_by = 'kms:theirs'",
    ],
)
async def test_a_row_that_was_moved_or_changed_does_not_open(world: World, database_url: str, change: str) -> None:
    await put(world, "crm", "the-token")
    await put(world, "other", "another")
    connection = await owner_of(database_url)
    await connection.execute(change)
    await connection.close()
    with pytest.raises(KeyUnknown) as caught:
        for name in ("crm", "crm2"):
            await read(world, name)
    assert "crm" in caught.value.detail and "the-token" not in caught.value.detail


async def test_rows_moved_to_another_account_do_not_open_there(world: World, db: Database, database_url: str) -> None:
    """With their data key, and without."""
    await put(world, "crm", "the-token")
    other = await accounts.bootstrap(db, name="Other", slug="other", email="o@other.test")
    connection = await owner_of(database_url)
    columns = "id, wrapped, wrapped_by"
    for sql in (
        f"insert into data_key (account_id, {columns}) select $1, {columns} from data_key",
        "insert into secret (account_id, id, name, ciphertext) select $1, id, name, ciphertext from secret",
    ):
        await connection.execute(sql, other.account.id)
    with pytest.raises(KeyUnknown, match="changed or moved"):
        await Vault(db, SEALER).read(other.account.id, ["crm"])
    await connection.execute("delete from secret where account_id = $1", other.account.id)
    await connection.execute("delete from data_key where account_id = $1", other.account.id)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await connection.execute(
            "insert into secret (account_id, id, name, ciphertext) select $1, id, name, ciphertext from secret",
            other.account.id,
        )
    await connection.close()


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_wrong_key_says_what_to_do(world: World) -> None:
    await put(world, "crm", "value")
    stranger = Sealer(Keyring.local("another key"))
    for attempt in (read(world, "crm", stranger), put(world, "crm", "new", stranger), put(world, "two", "x", stranger)):
        with pytest.raises(errors.Misconfigured) as caught:
            await attempt
        for words in ("RETINUE_SECRET_KEY_PREVIOUS", "local:", "rotate --give-up-lost"):
            assert words in caught.value.detail
    assert await read(world, "crm") == "value"


async def test_a_previous_key_opens_what_is_under_it_and_the_current_one_seals(world: World) -> None:
    await put(world, "crm", "value")
    after = Sealer(Keyring.local("the new key", KEY))
    assert await read(world, "crm", after) == "value"
    await put(world, "two", "second", after)
    assert await read(world, "two") == "second", "the account's data key is still under the old one"


@pytest.mark.requirement("EXT-27")
async def test_a_secret_from_before_there_were_data_keys_opens(world: World, database_url: str) -> None:
    connection = await owner_of(database_url)
    for name, key in (("old", KEY), ("older", "an earlier key"), ("lost", "a key that nobody has")):
        await connection.execute(
            "insert into secret (account_id, id, name, ciphertext) values ($1, $2, $3, $4)",
            world.account, ids.new(), name, directly(world.account, name, f"value of {name}", key),
        )  # fmt: skip
    both = Sealer(Keyring.local(KEY, "an earlier key"))
    assert await read(world, "old") == "value of old"
    assert await read(world, "older", both) == "value of older"
    for name, sealer in (("older", SEALER), ("lost", both)):
        with pytest.raises(KeyUnknown, match="RETINUE_SECRET_KEY_PREVIOUS"):
            await read(world, name, sealer)
    # as a node of the version before would write it, over a row that a data key seals
    await put(world, "new", "value")
    await connection.execute(
        "update secret set ciphertext = $1 where name = 'new'", directly(world.account, "new", "later")
    )
    assert await read(world, "new") == "later"
    await connection.close()


async def test_keys_and_secrets_go_with_their_account(world: World, database_url: str) -> None:
    await put(world, "crm", "value")
    connection = await owner_of(database_url)
    sql = "insert into account (id, name, slug) values ($1, 'Other', 'other')"
    other = ids.new()
    await connection.execute(sql, other)
    await connection.execute(
        "insert into data_key (account_id, id, wrapped, wrapped_by) select $1, id, wrapped, wrapped_by from data_key",
        other,
    )
    await connection.execute(
        "insert into secret (account_id, id, name, ciphertext) select $1, id, name, ciphertext from secret", other
    )
    await connection.execute("delete from account where id = $1", other)
    assert await connection.fetchval("select count(*) from data_key") == 1
    await connection.close()
    assert await read(world, "crm") == "value"


async def test_a_forgotten_secret_is_gone(world: World) -> None:
    await put(world, "x", "y")
    async with world.db.tenant_tx(world.account) as tx:
        await secrets.delete(tx, world.owner, "x")
        with pytest.raises(errors.NotFound):
            await secrets.delete(tx, world.owner, "x")
        assert await secrets.list_names(tx, world.account) == []


@pytest.mark.parametrize(("name", "value"), [("", "x"), ("a b", "x"), ("a" * 129, "x"), ("../x", "x"), ("x", ""),
                                             ("x", "y" * 20_000), ("x", "\ud800")])  # fmt: skip
async def test_a_secret_that_cannot_be_kept_is_refused(world: World, name: str, value: str) -> None:
    with pytest.raises(errors.BadInput) as caught:
        await put(world, name, value)
    assert caught.value.errors


async def test_nothing_is_sealed_without_a_key() -> None:
    with pytest.raises(errors.Misconfigured, match="RETINUE_SECRET_KEY"):
        Keyring.local()


def test_nothing_about_keys_shows_in_what_is_printed() -> None:
    key: Any = sealing.Wrapped("local:1", b"wrapped")
    assert "wrapped" not in repr(key)

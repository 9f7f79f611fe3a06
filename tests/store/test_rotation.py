"""Going over to another key while people and agents go on: nothing is lost, left behind or done twice."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Bootstrapped, Principal, Role
from retinue.domain.user_agent_config import UserAgentConfigChange
from retinue.store import accounts, data_keys, key_survey, nodes, rotation, seals, secrets, user_agent_config, wrapping
from retinue.store.rotation import Tally
from retinue.store.secrets import Sealer, Vault
from retinue.store.wrapping import Keyring
from tests.tools.test_secrets import directly

OLD, NEW = "the first key", "the second key"
BOTH = Keyring.local(NEW, OLD)


class Place:
    """One account, whose owner stores things."""

    def __init__(self, db: Database, made: Bootstrapped) -> None:
        self.db = db
        self.id = made.account.id
        self.agent = made.agent.id
        self.owner = Principal(account_id=self.id, user_id=made.owner.id, role=Role.OWNER)

    async def put(self, name: str, value: str, ring: Keyring | None = None) -> None:
        sealer = Sealer(ring or Keyring.local(OLD))
        async with self.db.tenant_tx(self.id) as tx:
            await secrets.put(tx, sealer, self.owner, name, value)

    async def put_credential(self, name: str, value: str, ring: Keyring | None = None) -> None:
        sealer = Sealer(ring or Keyring.local(OLD))
        change = UserAgentConfigChange.model_validate({"credentials": {name: value}})
        async with self.db.tenant_tx(self.id) as tx:
            await user_agent_config.upsert(tx, sealer, self.owner, self.agent, change)

    async def read(self, name: str, ring: Keyring = BOTH) -> str:
        return (await Vault(self.db, Sealer(ring)).read(self.id, [name]))[name]

    async def read_credential(self, name: str, ring: Keyring = BOTH) -> str:
        async with self.db.tenant_tx(self.id) as tx:
            sealed = await tx.fetchval(
                "select credentials ->> $2 from user_agent_config where account_id = $1", self.id, name
            )
            keys = {key.binding.data_key_id: key for key in await data_keys.of_account(tx, self.id)}
        bound = user_agent_config.bound_name(self.owner.user_id, self.agent, name)
        return await Sealer(ring).open(self.id, bound, user_agent_config.unpacked(sealed), keys)

    async def write(self, name: str, value: str, ring: Keyring = BOTH) -> None:
        """A credential where the name begins with c."""
        await (self.put_credential if name.startswith("c") else self.put)(name, value, ring)

    async def look(self, name: str, ring: Keyring = BOTH) -> str:
        """A credential where the name begins with c."""
        return await (self.read_credential if name.startswith("c") else self.read)(name, ring)

    async def keys(self) -> dict[UUID, str]:
        """Data keys with what has wrapped them."""
        async with self.db.tenant_tx(self.id) as tx:
            return {key.binding.data_key_id: key.wrapped.by for key in await data_keys.of_account(tx, self.id)}

    async def events(self, noun: str) -> list[dict[str, Any]]:
        async with self.db.tenant_tx(self.id) as tx:
            rows = await tx.fetch(
                "select event, actor_type, detail from audit_event where account_id = $1 and starts_with(event, $2) "
                "order by tx, id", self.id, noun,
            )  # fmt: skip
        return [dict(row) for row in rows]


async def make_place(db: Database, slug: str) -> Place:
    return Place(db, await accounts.bootstrap(db, name=slug.title(), slug=slug, email=f"o@{slug}.test"))


@pytest.fixture
async def place(db: Database) -> Place:
    return await make_place(db, "home")


async def new_id() -> str:
    return await Keyring.local(NEW).key_id()


# ── what it does ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_data_keys_are_wrapped_anew_and_nothing_else_changes(db: Database, place: Place) -> None:
    await place.put("crm", "one")
    await place.put_credential("mail", "two")
    other = await make_place(db, "other")
    await other.put("crm", "three")
    before = await place.keys()
    seen: list[tuple[int, int]] = []
    tally = await rotation.run(db, BOTH, tell=lambda now: seen.append((now.done, now.accounts)))
    assert (tally.accounts, tally.rewrapped, tally.made, tally.resealed, tally.lost) == (2, 2, 0, 0, [])
    assert seen == [(0, 2), (1, 2), (2, 2)] and not tally.resumed
    assert await place.keys() == dict.fromkeys(before, await new_id())
    alone = Keyring.local(NEW)
    assert [await place.read("crm", alone), await place.read_credential("mail", alone)] == ["one", "two"]
    assert await other.read("crm", alone) == "three"
    made, line = await place.events("data_key.")
    assert (made["event"], line["event"], line["actor_type"]) == ("data_key.create", "data_key.rewrap", "system")
    assert line["detail"]["to"] == await new_id() and line["detail"]["from"] == await Keyring.local(OLD).key_id()
    again = await rotation.run(db, alone)
    assert (again.rewrapped, again.resealed, again.removed) == (0, 0, 0)


async def test_new_data_keys_seal_every_value_anew_and_the_old_ones_go(db: Database, place: Place) -> None:
    for number in range(rotation.PAGE + 5):
        await place.put(f"s{number}", f"value {number}")
    for name in ("mail", "calendar"):
        await place.put_credential(name, f"credential {name}")
    [before] = await place.keys()
    tally = await rotation.run(db, BOTH, replace=True)
    assert (tally.made, tally.resealed, tally.removed, tally.lost) == (1, rotation.PAGE + 7, 1, [])
    [after] = await place.keys()
    assert after != before
    alone = Keyring.local(NEW)
    assert await place.read(f"s{rotation.PAGE}", alone) == f"value {rotation.PAGE}"
    assert await place.read_credential("mail", alone) == "credential mail"
    events = [line["event"] for line in await place.events("data_key.")]
    assert events == ["data_key.create", "data_key.rewrap", "data_key.replace"]
    assert sum(line["detail"]["secrets"] for line in await place.events("secret.reseal")) == rotation.PAGE + 5
    assert "value" not in json.dumps(await place.events(""), default=str)


async def test_what_no_data_key_sealed_gets_one(db: Database, place: Place, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    for name in ("old", "older"):
        await connection.execute(
            "insert into retinue.secret (account_id, id, name, ciphertext) values ($1, $2, $3, $4)",
            place.id, ids.new(), name, directly(place.id, name, f"value of {name}", OLD),
        )  # fmt: skip
    await connection.close()
    assert await place.read("old") == "value of old"
    tally = await rotation.run(db, BOTH)
    assert (tally.resealed, tally.lost) == (2, [])
    assert await place.read("older", Keyring.local(NEW)) == "value of older"


async def test_what_no_known_key_opens_is_named_and_the_rest_is_done(db: Database, place: Place) -> None:
    lost = await make_place(db, "lost")
    await lost.put("gone", "x", Keyring.local("a key that nobody has"))
    await place.put("crm", "one")
    tally = await rotation.run(db, BOTH)
    assert (tally.lost, tally.rewrapped, tally.done) == ([(lost.id, "gone")], 1, 2)
    tally = await rotation.run(db, BOTH, replace=True)
    assert tally.lost == [(lost.id, "gone")] and tally.made == 2
    assert await place.read("crm", Keyring.local(NEW)) == "one"
    assert await lost.read("gone", Keyring.local("a key that nobody has")) == "x", "what is lost may yet be found"


async def test_after_a_key_is_given_up_its_account_can_store_again(db: Database, place: Place) -> None:
    await place.put("crm", "x", Keyring.local("a key that nobody has"))
    with pytest.raises(wrapping.KeyUnknown):
        await place.put("crm", "again", BOTH)
    tally = await rotation.run(db, BOTH, give_up=True)
    assert tally.lost == [(place.id, "crm")]
    assert len(await place.events("data_key.give_up")) == 1
    await place.put("crm", "again", BOTH)
    assert await place.read("crm") == "again"
    assert (await rotation.run(db, BOTH)).removed == 1, "now nothing needs the lost one"


# ── while nodes run ──────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def busy(place: Place) -> AsyncIterator[dict[str, int]]:
    """Writers and readers of both kinds of values. What is read is what was written last before, or later."""
    stop = False
    count = {"written": 0, "read": 0}
    done: dict[str, int] = dict.fromkeys(("s1", "s2", "s3", "c1", "c2"), 0)

    async def write(name: str) -> None:
        while not stop:
            count["written"] += 1
            mine = count["written"]
            await place.write(name, f"{name} {mine}")
            done[name] = mine

    async def read(name: str) -> None:
        while not stop:
            least = done[name]
            kind, _, number = (await place.look(name)).partition(" ")
            assert kind == name and int(number) >= least
            count["read"] += 1

    for name in done:
        await place.write(name, f"{name} 0", Keyring.local(OLD))
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for name in done:
            group.create_task(write(name))
            group.create_task(read(name))
        try:
            yield count
        finally:
            stop = True


async def test_racing_writers_and_readers_never_meet_a_value_that_does_not_open(db: Database, place: Place) -> None:
    async with busy(place) as count:
        for _ in range(5):
            begun = dict(count)
            tally = await rotation.run(db, BOTH, replace=True)
            assert tally.lost == [] and tally.made == 1
            async with asyncio.timeout(20):
                while any(count[kind] < begun[kind] + 20 for kind in count):
                    await asyncio.sleep(0.01)
    assert (await rotation.run(db, BOTH)).lost == []
    assert len(await place.keys()) == 1
    for name in ("s1", "s2", "s3", "c1", "c2"):
        assert (await place.look(name, Keyring.local(NEW))).startswith(name)


async def test_two_rotations_at_once_do_no_harm(db: Database, place: Place) -> None:
    async with busy(place):
        first, second = await asyncio.gather(*(rotation.run(db, BOTH, replace=True) for _ in range(2)))
    assert (first.lost, second.lost) == ([], [])
    await rotation.run(db, BOTH)
    assert len(await place.keys()) == 1
    assert (await place.read("s1", Keyring.local(NEW))).startswith("s1")


async def test_many_who_store_an_accounts_first_secret_make_one_data_key(db: Database, place: Place) -> None:
    await asyncio.gather(*(place.put(f"s{number}", "x", BOTH) for number in range(10)))
    assert len(await place.keys()) == 1


async def test_a_rotation_waits_for_those_who_seal_with_the_old_data_key(db: Database, place: Place) -> None:
    await place.put("crm", "one")
    sealer = Sealer(BOTH)
    async with asyncio.TaskGroup() as group, db.tenant_tx(place.id) as tx:
        await secrets.put(tx, sealer, place.owner, "late", "written in the end")
        going = group.create_task(rotation.run(db, BOTH, replace=True))
        async with asyncio.timeout(20):
            while not await tx.fetchval("select count(*) from pg_locks where not granted"):
                await asyncio.sleep(0.01)
        assert not going.done()
    assert going.result().resealed == 2
    assert await place.read("late", Keyring.local(NEW)) == "written in the end"


async def test_one_that_broke_off_is_taken_up_and_does_nothing_twice(db: Database, place: Place) -> None:
    others = [await make_place(db, f"p{number}") for number in range(4)]
    for one in (place, *others):
        await one.put("crm", f"value of {one.id}")

    def break_off(now: Tally) -> None:
        if now.done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await rotation.run(db, BOTH, replace=True, tell=break_off)
    async with db.system_tx() as tx:
        assert await rotation.unfinished(tx) is not None
    for one in (place, *others):
        assert await one.read("crm") == f"value of {one.id}"
    tally = await rotation.run(db, BOTH)  # that it was to make data keys is remembered
    assert tally.resumed and (tally.made, tally.rewrapped, tally.accounts) == (3, 3, 5)
    for one in (place, *others):
        assert await one.read("crm", Keyring.local(NEW)) == f"value of {one.id}"
        assert len(await one.events("data_key.replace")) == 1
    async with db.system_tx() as tx:
        assert await rotation.unfinished(tx) is None


# ── what is looked at ────────────────────────────────────────────────────────────────────────────────────────────


async def test_nodes_that_were_not_given_the_key_are_named(db: Database) -> None:
    listening = [await db.listening() for _ in range(3)]
    rings = (Keyring.local(OLD), BOTH, None)
    for number, (connection, ring) in enumerate(zip(listening, rings, strict=True)):
        keys = {} if ring is None else {"wrapping_keys": ring.sorts}
        await nodes.register(connection, ids.new(), host=f"h{number}", pid=os.getpid(), version="1", **keys)

    async def late(key_id: str, *, wrapping: bool) -> list[str]:
        return sorted(node["host"] for node in await rotation.nodes_without(db, key_id, wrapping=wrapping))

    old_id = await Keyring.local(OLD).key_id()
    assert await late(await new_id(), wrapping=False) == await late(await new_id(), wrapping=True) == ["h0", "h2"]
    assert await late(old_id, wrapping=False) == ["h2"]
    assert await late(old_id, wrapping=True) == ["h1", "h2"], "one that knows the old key wraps with the new one"
    for connection in listening:
        await connection.close()


async def test_a_survey_names_what_does_not_open(db: Database, place: Place) -> None:
    await place.put("crm", "one")
    await place.put_credential("mail", "two")
    bound = user_agent_config.bound_name(place.owner.user_id, place.agent, "mail")
    found = await key_survey.survey(db, Keyring.local(OLD))
    assert (found.lost, found.direct, found.unfinished) == ([], 0, None)
    assert found.wrapped == {found.current: 1}
    stranger = await key_survey.survey(db, Keyring.local("a wrong key"))
    assert stranger.lost == [(place.id, "crm"), (place.id, bound)]
    assert (await key_survey.survey(db, BOTH)).wrapped == {await Keyring.local(OLD).key_id(): 1}


async def test_the_record_of_audit_stays_verifiable_after_the_key_has_changed(db: Database, place: Place) -> None:
    await place.put("crm", "one")
    first, second = seals.Signer(OLD), seals.Signer(NEW)
    await seals.run(db, first)
    await rotation.run(db, BOTH, replace=True)
    await seals.run(db, second)
    report = await seals.verify(db, second, place.id, (1, 10))
    assert report.ok and report.seals == 2 and set(report.keys) >= {first.id, second.id}

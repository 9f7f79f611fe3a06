"""A key management service behind a program: it wraps and unwraps, fails and hangs, and nothing of it stays behind."""

import shlex
import sys
import time
from pathlib import Path

import psutil
import pytest

from retinue import errors
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Bootstrapped, Principal, Role
from retinue.domain.sealing import Binding, DataKey, Wrapped
from retinue.settings import Settings
from retinue.store import accounts, data_keys, rotation, secrets, wrapping
from retinue.store.kms import KmsCommand, KmsDown
from retinue.store.secrets import Sealer, Vault
from retinue.store.wrapping import Keyring, KeyUnknown

PROGRAM = Path(__file__).parents[1] / "kms_program.py"
KEY = bytes(range(32))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The service's own: one key to begin with."""
    made = tmp_path / "the service"
    made.mkdir()
    (made / "key-1").write_bytes(bytes(32))
    return made


def command(folder: Path) -> str:
    return shlex.join([sys.executable, str(PROGRAM), str(folder)])


def calls(folder: Path) -> list[str]:
    file = folder / "calls"
    return [line.split()[0] for line in file.read_text().splitlines()] if file.exists() else []


def ring(folder: Path, home: Path, *, local: bool = False, seconds: float = 20.0) -> Keyring:
    settings = Settings(home=home, secret_key="k", kms_command=command(folder), kms_seconds=seconds)
    return wrapping.of(settings, local=local)


@pytest.fixture
async def world(db: Database) -> Bootstrapped:
    return await accounts.bootstrap(db)


async def put(db: Database, world: Bootstrapped, name: str, sealer: Sealer) -> None:
    owner = Principal(account_id=world.account.id, user_id=world.owner.id, role=Role.OWNER)
    async with db.tenant_tx(world.account.id) as tx:
        await secrets.put(tx, sealer, owner, name, f"value of {name}")


async def test_what_it_wraps_it_unwraps_for_the_same_place_alone(folder: Path) -> None:
    kms = KmsCommand(command(folder))
    here, there = Binding(ids.new(), ids.new()), Binding(ids.new(), ids.new())
    wrapped = await kms.wrap(here, KEY)
    assert wrapped.by == "kms:key-1" and KEY not in wrapped.content
    assert await kms.unwrap(here, wrapped) == KEY
    with pytest.raises(KmsDown, match="InvalidCiphertext"):
        await kms.unwrap(there, wrapped)


async def test_it_sees_none_of_our_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETINUE_SECRET_KEY", "not for others")
    await KmsCommand(command(folder)).key_id()
    assert (folder / "calls").read_text() == "wrap \n"


async def test_no_shell_reads_its_arguments(tmp_path: Path) -> None:
    odd = tmp_path / "$(touch harm); echo"
    odd.mkdir()
    (odd / "key-1").write_bytes(bytes(32))
    assert await KmsCommand(command(odd)).key_id() == "kms:key-1"
    assert not Path("harm").exists()


async def test_an_unwrapped_key_is_not_asked_for_again_at_once(folder: Path) -> None:
    kms = KmsCommand(command(folder))
    binding = Binding(ids.new(), ids.new())
    wrapped = await kms.wrap(binding, KEY)
    for _ in range(3):
        await kms.unwrap(binding, wrapped)
    assert calls(folder) == ["wrap", "unwrap"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [("down", "ended with 7: AccessDenied for [redacted]"), ("nonsense", "did not answer with a JSON object"),
     ("flood", "did not answer with a JSON object"), ("deaf", "named no key_id")],
)  # fmt: skip
async def test_each_way_it_can_fail_is_said(folder: Path, fault: str, words: str) -> None:
    (folder / "fault").write_text(fault)
    kms = KmsCommand(command(folder))
    with pytest.raises(KmsDown) as caught:
        await kms.wrap(Binding(ids.new(), ids.new()), KEY)
    assert words in caught.value.detail
    with pytest.raises(KmsDown):
        await kms.unwrap(Binding(ids.new(), ids.new()), Wrapped("kms:key-1", b"x"))


async def test_one_that_hangs_is_ended_in_time_and_leaves_no_process(folder: Path) -> None:
    (folder / "fault").write_text("hang")
    began = time.monotonic()
    with pytest.raises(KmsDown, match=r"within 0\.5 seconds"):
        await KmsCommand(command(folder), 0.5).wrap(Binding(ids.new(), ids.new()), KEY)
    assert time.monotonic() - began < 10
    assert not [one for one in psutil.Process().children(recursive=True) if str(folder) in " ".join(one.cmdline())]


@pytest.mark.parametrize(("given", "words"), [("", "no program"), ("'open", "cannot be read")])
def test_a_command_that_cannot_be_read_is_refused_at_the_start(given: str, words: str) -> None:
    with pytest.raises(errors.Misconfigured, match=words):
        KmsCommand(given)


async def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(KmsDown, match="/no/such/program cannot be started"):
        await KmsCommand("/no/such/program").key_id()


async def test_a_service_that_does_not_give_back_what_it_wrapped_loses_nothing(
    db: Database, world: Bootstrapped, folder: Path, home: Path
) -> None:
    (folder / "fault").write_text("forgets")
    with pytest.raises(errors.Misconfigured, match="Nothing was stored"):
        await put(db, world, "crm", Sealer(ring(folder, home)))
    async with db.tenant_tx(world.account.id) as tx:
        assert await data_keys.of_account(tx, world.account.id) == []


async def test_secrets_go_over_to_a_service_and_to_its_next_key_and_back(
    db: Database, world: Bootstrapped, folder: Path, home: Path
) -> None:
    local = Sealer(Keyring.local("k"))
    await put(db, world, "crm", local)

    async def wrapped_by(ring: Keyring) -> str:
        tally = await rotation.run(db, ring)
        assert (tally.rewrapped, tally.resealed, tally.lost) == (1, 0, [])
        assert await Vault(db, Sealer(ring)).read(world.account.id, ["crm"]) == {"crm": "value of crm"}
        async with db.tenant_tx(world.account.id) as tx:
            [key] = await data_keys.of_account(tx, world.account.id)
        return key.wrapped.by

    assert await wrapped_by(ring(folder, home)) == "kms:key-1"
    with pytest.raises(KeyUnknown, match="RETINUE_KMS_COMMAND"):
        await Vault(db, local).read(world.account.id, ["crm"])
    (folder / "key-2").write_bytes(b"2" * 32)
    assert await wrapped_by(ring(folder, home)) == "kms:key-2"
    assert (await wrapped_by(ring(folder, home, local=True))).startswith("local:")
    assert await Vault(db, local).read(world.account.id, ["crm"]) == {"crm": "value of crm"}


async def test_a_service_that_is_away_fails_the_rotation_which_then_goes_on(
    db: Database, world: Bootstrapped, folder: Path, home: Path
) -> None:
    await put(db, world, "crm", Sealer(Keyring.local("k")))
    (folder / "fault").write_text("down")
    with pytest.raises(KmsDown):
        await rotation.run(db, ring(folder, home))
    (folder / "fault").unlink()
    assert (await rotation.run(db, ring(folder, home))).rewrapped == 1


async def test_no_transaction_waits_for_the_service(
    db: Database, world: Bootstrapped, folder: Path, home: Path
) -> None:
    sealer = await Sealer(ring(folder, home)).warm(db, world.account.id)
    (folder / "fault").write_text("down")
    await put(db, world, "crm", sealer)
    assert await Vault(db, sealer).read(world.account.id, ["crm"]) == {"crm": "value of crm"}


async def test_something_that_is_no_key_is_not_used(folder: Path) -> None:
    kms = KmsCommand(command(folder))
    binding = Binding(ids.new(), ids.new())
    short = DataKey(binding, await kms.wrap(binding, b"short"))
    with pytest.raises(KeyUnknown, match="no data key"):
        await Keyring([kms]).unwrap(short)

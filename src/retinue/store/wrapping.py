"""The keys that wrap data keys: derived from the installation's secret keys, or held by a key management service.

The first wraps whatever is wrapped now, all of them open. Not here: what data keys seal (``store.secrets``), and going
over to another key (``store.rotation``).
"""

import os
from collections.abc import Sequence
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from retinue import errors, settings
from retinue.domain.sealing import KEY_BYTES, NONCE_BYTES, Binding, DataKey, Wrapped
from retinue.settings import Settings
from retinue.store.kms import KmsCommand


class KeyUnknown(errors.Misconfigured):
    """No known key opens this."""

    code = "key_unknown"


class KeyWrapper(Protocol):
    """One key that wraps others. Where it lives is its own business; only wrapped keys leave it."""

    @property
    def sort(self) -> str:
        """What it can open, for others to see: its id, or ``kms`` for any key of a key management service."""
        ...

    async def key_id(self) -> str:
        """The id of the key that would wrap now. It changes when what was wrapped before should be wrapped anew."""
        ...

    def opens(self, key_id: str) -> bool:
        """Whether what this key has wrapped is opened here."""
        ...

    async def wrap(self, binding: Binding, key: bytes) -> Wrapped:
        """The key, wrapped. Raises ``KmsDown``."""
        ...

    async def unwrap(self, binding: Binding, wrapped: Wrapped) -> bytes:
        """The key. Raises ``KmsDown``, ``KeyUnknown``."""
        ...


def derived(secret_key: str, purpose: bytes) -> bytes:
    """A key of 32 bytes for one purpose alone, from the installation's secret key (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(secret_key.encode())


class LocalWrapper:
    """Wraps with AES-256-GCM under a key derived from a secret key."""

    def __init__(self, secret_key: str) -> None:
        self._cipher = AESGCM(derived(secret_key, b"retinue data key wrapping 1"))
        self.sort = "local:" + derived(secret_key, b"retinue data key wrapping id 1")[:8].hex()

    async def key_id(self) -> str:
        return self.sort

    def opens(self, key_id: str) -> bool:
        return key_id == self.sort

    async def wrap(self, binding: Binding, key: bytes) -> Wrapped:
        nonce = os.urandom(NONCE_BYTES)
        return Wrapped(self.sort, nonce + self._cipher.encrypt(nonce, key, binding.bytes(self.sort)))

    async def unwrap(self, binding: Binding, wrapped: Wrapped) -> bytes:
        nonce, content = wrapped.content[:NONCE_BYTES], wrapped.content[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, content, binding.bytes(wrapped.by))
        except (InvalidTag, ValueError) as error:
            raise KeyUnknown(f"A data key of account {binding.account_id} was changed or moved.") from error


class Keyring:
    """All keys of an installation."""

    def __init__(self, wrappers: Sequence[KeyWrapper], secret_keys: Sequence[str] = ()) -> None:
        """``secret_keys``: what values from before there were data keys are sealed with."""
        if not wrappers:
            raise errors.Misconfigured("There is no RETINUE_SECRET_KEY: nothing can be sealed.")
        self._wrappers = tuple(wrappers)
        self.direct = tuple(AESGCM(derived(key, b"retinue secret v1")) for key in secret_keys)
        """Open values that no data key sealed."""

    @classmethod
    def local(cls, *secret_keys: str) -> "Keyring":
        """Of secret keys alone, the current one first."""
        return cls([LocalWrapper(key) for key in secret_keys], secret_keys)

    @property
    def sorts(self) -> tuple[str, ...]:
        """What it can open, as a node tells the others."""
        return tuple(dict.fromkeys(wrapper.sort for wrapper in self._wrappers))

    async def key_id(self) -> str:
        """The id of the key that wraps now. Raises ``KmsDown``."""
        return await self._wrappers[0].key_id()

    def knows(self, key_id: str) -> bool:
        """Whether a key of this id opens here."""
        return any(wrapper.opens(key_id) for wrapper in self._wrappers)

    async def make(self, binding: Binding) -> DataKey:
        """A new data key, wrapped. Raises ``KmsDown``, ``Misconfigured``."""
        return DataKey(binding, await self.wrap(binding, AESGCM.generate_key(KEY_BYTES * 8)))

    async def wrap(self, binding: Binding, key: bytes) -> Wrapped:
        """The key, wrapped by the current one, and seen to open again: what a broken service gave would be lost.

        Raises ``KmsDown``, ``Misconfigured``.
        """
        wrapped = await self._wrappers[0].wrap(binding, key)
        if await self._wrappers[0].unwrap(binding, wrapped) != key:
            raise errors.Misconfigured(
                "RETINUE_KMS_COMMAND does not give back what it has wrapped. Nothing was stored."
            )
        return wrapped

    async def unwrap(self, key: DataKey) -> bytes:
        """The data key. Raises ``KeyUnknown``, ``KmsDown``."""
        for wrapper in self._wrappers:
            if wrapper.opens(key.wrapped.by):
                found = await wrapper.unwrap(key.binding, key.wrapped)
                if len(found) != KEY_BYTES:
                    raise KeyUnknown(f"{key.wrapped.by} gave back something that is no data key.")
                return found
        raise KeyUnknown(
            f"It is sealed under the key {key.wrapped.by}, and here are only {', '.join(self.sorts)}. {ADVICE}"
        )


ADVICE = (
    "Give the secret key it was stored under back, as RETINUE_SECRET_KEY or in RETINUE_SECRET_KEY_PREVIOUS "
    "(for a kms: key RETINUE_KMS_COMMAND). If that key is lost: retinue secrets rotate --give-up-lost, then store the "
    "secrets again."
)


def of(configured: Settings, *, local: bool = False) -> Keyring:
    """The keys that the settings name. ``local``: wrap with the secret key although there is a key management service.

    Raises ``Misconfigured``.
    """
    keys = settings.secret_keys(configured)
    wrappers: list[KeyWrapper] = [LocalWrapper(key) for key in keys]
    if configured.kms_command:
        program = KmsCommand(configured.kms_command, configured.kms_seconds)
        wrappers.insert(1 if local else 0, program)
    return Keyring(wrappers, keys)


def sorts(configured: Settings) -> tuple[str, ...]:
    """What a node with these settings can open; nothing without a secret key."""
    return of(configured).sorts if configured.secret_key else ()

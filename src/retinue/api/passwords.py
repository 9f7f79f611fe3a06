"""Passwords: argon2id, off the event loop, two at a time (each takes 64 MB), as long for a stranger as for a user."""

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor

import argon2

HASHER = argon2.PasswordHasher()
THREADS = ThreadPoolExecutor(2, "argon2")


async def hash_password(password: str) -> str:
    """The argon2id hash to keep, its salt and parameters inside."""
    return await asyncio.get_running_loop().run_in_executor(THREADS, HASHER.hash, password)


async def verify_password(password: str, hashed: str | None) -> bool:
    """Whether this is the password. With no hash it takes as long and is False."""
    return await asyncio.get_running_loop().run_in_executor(THREADS, _verify, password, hashed)


def needs_rehash(hashed: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return HASHER.check_needs_rehash(hashed)


def _verify(password: str, hashed: str | None) -> bool:
    try:
        return HASHER.verify(hashed or _nobody(), password) and hashed is not None
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


@functools.cache
def _nobody() -> str:
    return HASHER.hash("nobody has this password")

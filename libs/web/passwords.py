"""Password hashes (argon2id), computed outside the event loop, two at a time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# 46 MiB, one lane, one pass: the OWASP recommendation for argon2id. Two at once bound memory and CPU.
_hasher: Final = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
_LONGEST: Final = 1024
_workers: Final = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")


async def hash_password(password: str) -> str:
    """The text to store. ValueError for an empty password or one over 1,024 characters."""
    if not 0 < len(password) <= _LONGEST:
        raise ValueError("a password has 1 to 1,024 characters")
    return await asyncio.get_running_loop().run_in_executor(_workers, _hasher.hash, password)


async def verify_password(stored: str | None, password: str) -> bool:
    """Is it the password of `stored`? With None (no such person) it takes as long and says no."""
    if len(password) > _LONGEST:
        return False
    return await asyncio.get_running_loop().run_in_executor(_workers, _verify, stored, password)


def needs_rehash(stored: str) -> bool:
    """True when the hash was made with weaker parameters than today's: hash again after a good sign-in."""
    return _hasher.check_needs_rehash(stored)


def _verify(stored: str | None, password: str) -> bool:
    try:
        return _hasher.verify(stored or _nobody(), password) and stored is not None
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher.hash("nobody has this password")

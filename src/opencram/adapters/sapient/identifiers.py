"""ULIDs that are the same whenever the same data is reported: time and a hash of what they stand for."""

import hashlib
from typing import Final

_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32
_MS_MAX: Final = (1 << 48) - 1


def ulid(t_ns: int, *names: object) -> str:
    """Return the ULID of these names at this time: 48 bits of milliseconds, 80 of hash, 26 characters."""
    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()[:10]
    value = min(max(t_ns // 1_000_000, 0), _MS_MAX) << 80 | int.from_bytes(digest, "big")
    return "".join(_DIGITS[value >> shift & 31] for shift in range(125, -1, -5))

"""Time-ordered identifiers."""

import secrets
import time
from uuid import UUID

_RANDOM_BITS = 62
_VERSION_7 = 0x7 << 76
_VARIANT_RFC = 0b10 << 62


def uuid7() -> UUID:
    """A UUID version 7: 48 bits of Unix milliseconds, then random bits (RFC 9562, section 5.7)."""
    now = time.time_ns()
    milliseconds, rest = divmod(now, 1_000_000)
    fraction = rest * 4096 // 1_000_000
    high = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | _VERSION_7 | fraction << 64
    return UUID(int=high | _VARIANT_RFC | secrets.randbits(_RANDOM_BITS))

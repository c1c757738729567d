"""UUIDs of versions 4 and 7, and a reversible way to show a UUIDv7 as a UUIDv4."""

from random import Random

_FREE_BITS = 122
_MASK = (1 << _FREE_BITS) - 1
_STIR = 0x2F0B4C47D9A3E51B6C8D1F9075A3B5
_UNSTIR = pow(_STIR, -1, 1 << _FREE_BITS)


def uuid4(rng: Random) -> str:
    """A random UUIDv4."""
    return _uuid(rng.getrandbits(_FREE_BITS), 4)


def uuid7(rng: Random, milliseconds: int) -> str:
    """A UUIDv7 created at that instant."""
    return _uuid(milliseconds << 74 | rng.getrandbits(74), 7)


def milliseconds_of(identifier: str) -> int:
    """The creation instant that a UUIDv7 carries."""
    return int(identifier[:8] + identifier[9:13], 16)


def as_uuid4(identifier: str) -> str:
    """The UUIDv4 that stands for this UUIDv7 (one to one, and no hint of its time)."""
    return _uuid(_free_bits(identifier) * _STIR & _MASK, 4)


def as_uuid7(identifier: str) -> str:
    """The UUIDv7 for which this UUIDv4 stands."""
    return _uuid(_free_bits(identifier) * _UNSTIR & _MASK, 7)


def _uuid(bits: int, version: int) -> str:
    text = (
        f"{bits >> 74:012x}{version:x}{bits >> 62 & 0xFFF:03x}{bits & (1 << 62) - 1 | 1 << 63:016x}"
    )
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _free_bits(identifier: str) -> int:
    value = int(identifier.replace("-", ""), 16)
    return value >> 80 << 74 | (value >> 64 & 0xFFF) << 62 | value & (1 << 62) - 1

"""`SeenIds`: which ids a reading has seen, in some ten bytes each."""

from array import array
from hashlib import blake2b

_FULL = 16  # ids a bucket


def digest_of(text: str) -> int:
    """A stable 64-bit hash of an id.

    Two of a million ids have the same one in about one of 40 million cases.
    """
    raw = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(raw, "little")


class SeenIds:
    """A set of 64-bit digests, kept in buckets of plain numbers."""

    def __init__(self) -> None:
        self._buckets = [array("Q") for _ in range(64)]
        self._count = 0

    def add(self, digest: int) -> bool:
        """Add a digest; whether it was not there yet."""
        bucket = self._buckets[digest & (len(self._buckets) - 1)]
        if digest in bucket:
            return False
        bucket.append(digest)
        self._count += 1
        if self._count > _FULL * len(self._buckets):
            self._grow()
        return True

    def _grow(self) -> None:
        old, self._buckets = self._buckets, [array("Q") for _ in range(4 * len(self._buckets))]
        mask = len(self._buckets) - 1
        for bucket in old:
            for digest in bucket:
                self._buckets[digest & mask].append(digest)

    def __contains__(self, digest: int) -> bool:
        return digest in self._buckets[digest & (len(self._buckets) - 1)]

    def __len__(self) -> int:
        """How many different digests were added."""
        return self._count

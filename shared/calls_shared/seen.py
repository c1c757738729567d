"""`SeenIds`: which ids a pass has seen, in about 8 bytes each."""

from array import array

_BUCKETS = 4096


class SeenIds:
    """A set of texts, kept as 64-bit hashes in buckets, so that a million ids take 8 MB.

    Two different ids with the same hash (Python's hash is keyed anew in each process) would count
    as one. That happens to two of a million ids in about one of 40 million syncs.
    """

    def __init__(self) -> None:
        self._buckets = [array("q") for _ in range(_BUCKETS)]

    def add(self, text: str) -> None:
        """Add an id; repeats are counted out by `len`."""
        digest = hash(text)
        self._buckets[digest % _BUCKETS].append(digest)

    def __contains__(self, text: str) -> bool:
        digest = hash(text)
        return digest in self._buckets[digest % _BUCKETS]

    def __len__(self) -> int:
        """How many different ids were added."""
        return sum(len(set(bucket)) for bucket in self._buckets)

"""What a datagram says, for an observer of the network: what a fragment is a piece of."""

from __future__ import annotations

from samebeat.codec import decode
from samebeat.messages import AnyBody, Fragment


class Observer:
    """Puts together the fragments that it sees, and so knows what each of them belongs to."""

    def __init__(self) -> None:
        self._pieces: dict[tuple[str, str, int, int, int], dict[int, bytes]] = {}

    def body(self, source: str, to: str, data: bytes) -> AnyBody:
        """Return the message that is in a datagram; a piece of one until all pieces were seen."""
        found = decode(data).body
        if not isinstance(found, Fragment):
            return found
        key = (source, to, found.boot, found.sequence, found.size)
        pieces = self._pieces.setdefault(key, {})
        pieces[found.index] = found.data
        if len(pieces) < -(-found.length // found.size):
            return found
        return decode(b"".join(pieces[i] for i in range(len(pieces)))).body

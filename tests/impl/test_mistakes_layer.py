"""The message layer, as far as nothing else here looks at it.

Each of these tests was written for generated mutants that had survived (`make mutants`).
"""

from __future__ import annotations

from samebeat_conformance.linked import Linked

from .ends import SETTINGS, fragment, hear, receiver


def test_what_has_come_of_a_message_that_was_given_up_is_forgotten() -> None:
    """Property bounded_memory: or a peer that gives up many fills the memory."""
    b = receiver()
    for sequence in range(1, 50):
        piece = fragment(sequence, floor=sequence, size=64, length=100, data=bytes(64))
        assert hear(b, piece) == []
        assert set(b.receiving.partials) == {sequence}


def test_a_sender_that_has_restarted_is_not_taken_for_the_one_before() -> None:
    """Property never_silently_lost: its first numbers are not copies of those that have come."""
    link = Linked(SETTINGS)
    before = [b"one", b"two", b"three"]
    for data in before:
        link.enqueue("a", data)
    link.run(0)
    link.restart("a")
    link.enqueue("a", b"after")
    link.run(500)
    assert link.ends["b"].delivered == [*before, b"after"]

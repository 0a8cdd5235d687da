"""The claim registry is complete, ordered and written by its own rules."""

import re

import pytest

from samebeat_models.claims_table import claim_rows
from samebeat_spec.claims import (
    CITABLE_IDS,
    CLAIM_IDS,
    CLAIMS,
    DESIGN_NOTES,
    Claim,
    UnknownClaim,
    claim,
)
from samebeat_spec.specs import SPEC_NAMES, load_spec

CLAIM_COUNT = 31
ROWS = CLAIMS + DESIGN_NOTES
LETTERS = {
    1: "abcdef",
    7: "ab",
    12: "ab",
    13: "ab",
    19: "ab",
    23: "ab",
    25: "ab",
    26: "ab",
    31: "ab",
}
LETTERED = {f"{number}({letter})" for number, letters in LETTERS.items() for letter in letters}
ID = re.compile(r"(?P<number>\d+)(?:\((?P<letter>[a-f])\))?(?:\.(?P<part>[a-z_]+))?")


def place(row: Claim) -> tuple[int, str, bool]:
    """Where a row belongs: by claim, then letter, the plain id before its parts."""
    match = ID.fullmatch(row.id)
    assert match is not None, f"{row.id!r} is not a claim id"
    return int(match["number"]), match["letter"] or "", match["part"] is not None


def test_ids_are_unique() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS)


def test_rows_are_ordered_by_claim_then_letter() -> None:
    places = [place(row) for row in CLAIMS]
    assert places == sorted(places)


def test_every_claim_has_a_row_and_no_other_number_does() -> None:
    assert {place(row)[0] for row in CLAIMS} == set(range(1, CLAIM_COUNT + 1))


def test_every_lettered_element_has_a_row() -> None:
    assert LETTERED <= CLAIM_IDS
    assert {row.id.partition(".")[0] for row in CLAIMS if place(row)[1]} == LETTERED


def test_claim_3_has_eleven_parameters_and_combinations() -> None:
    rows = [row.id for row in CLAIMS if place(row)[0] == 3]
    assert len(rows) == 12
    assert all(row.startswith("3.") for row in rows)
    assert rows[-1] == "3.combinations"


def test_design_notes_are_c1_to_c8_and_citable_beside_the_claims() -> None:
    notes = [row.id for row in DESIGN_NOTES]
    assert notes == [f"C{number}" for number in range(1, 9)]
    assert CLAIM_IDS | set(notes) == CITABLE_IDS
    assert CLAIM_IDS.isdisjoint(notes)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_only_a_row_that_is_not_behaviour_names_what_stands_for_it(row: Claim) -> None:
    assert row.behaviour == (row.stands_for == "")
    assert row.stands_for == row.stands_for.strip()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_only_a_row_that_is_behaviour_says_what_is_left_out(row: Claim) -> None:
    assert row.behaviour or not row.left_out
    assert row.left_out == row.left_out.strip().rstrip(".")
    assert len(row.left_out) <= 100


def test_what_no_spec_shows_of_the_parameters_is_said() -> None:
    """In full: the interval, the two parameters of acks, and three limits of messages."""
    full = {row.id for row in CLAIMS if row.id.startswith("3.") and not row.left_out}
    assert full == {
        "3.heartbeat_interval",
        "3.heartbeat_ack_timeout",
        "3.heartbeat_ack_failure_threshold",
        "3.maximum_fragment_size",
        "3.message_send_window",
        "3.send_queue_overflow_threshold",
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_text_is_one_short_sentence(row: Claim) -> None:
    assert row.text[0].isupper()
    assert row.text.endswith(".")
    assert row.text.count(".") == 1
    assert len(row.text) <= 160


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_row_is_found_by_its_id(row: Claim) -> None:
    assert claim(row.id) is row


@pytest.mark.parametrize(
    ("unknown", "close"),
    [
        ("7(b).recipt", "7(b).receipt"),
        ("1(g)", "1(f)"),
        ("C9", "C8"),
        ("3", "3.heartbeat_interval"),
        ("12", "12(b).undo"),
    ],
)
def test_an_unknown_id_is_named_with_close_matches(unknown: str, close: str) -> None:
    with pytest.raises(UnknownClaim) as caught:
        claim(unknown)
    message = str(caught.value)
    assert message.startswith("no claim element or design note ")
    assert repr(unknown) in message
    assert close in message.partition("; close: ")[2].split(", ")


def test_an_unknown_id_like_no_other_is_still_named() -> None:
    with pytest.raises(KeyError) as caught:
        claim("zzz")
    assert str(caught.value) == "no claim element or design note 'zzz'"


def test_every_element_of_the_claims_has_an_action_and_a_property_or_is_no_behaviour() -> None:
    """So that `samebeat claims` has nothing to report as missing there."""
    rows = claim_rows([load_spec(name) for name in SPEC_NAMES], ())
    lacking = {row.claim.id for row in rows if row.lacks}
    assert lacking & CLAIM_IDS == set()

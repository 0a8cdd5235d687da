"""Wishes: numbers and names as they are written, and one line for what cannot be judged."""

from fractions import Fraction

import pytest

from samebeat_models.advice.judgement import Advice
from samebeat_models.advice.numbers import NumberError, exact, for_json, plain
from samebeat_models.advice.wish import Wish, WishError, from_options, from_toml

INTERVAL, TIMEOUT, THRESHOLD, RATIO = (
    "heartbeat_interval",
    "heartbeat_message_timeout",
    "heartbeat_failure_threshold",
    "receive_send_timer_ratio",
)
WINDOW = "message_send_window"
REAL = {INTERVAL: 1000, TIMEOUT: 2000, THRESHOLD: 3}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.1", Fraction(1, 10)),
        ("1_000", 1000),
        ("2.0", 2),
        ("1e3", 1000),
        ("999999999999999999", 10**18 - 1),
    ],
)
def test_numbers_are_exact(text, number):
    assert exact(text) == number


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nan", "is no number"),
        ("inf", "is no number"),
        ("5ms", "is no number"),
        ("", "is no number"),
        ("\N{ARABIC-INDIC DIGIT THREE}", "is no number: write it with the digits 0 to 9"),
        ("1000000000000000000", "is too large: 18 digits are the most"),
        ("1e99", "is too large: 18 digits are the most"),
        ("1e-30", "is too close to 0: 18 decimals are the most"),
        ("0." + "1" * 40, "has too many digits: 36 are the most"),
    ],
)
def test_numbers_that_are_none_or_extreme_are_refused_and_said_why(text, problem):
    with pytest.raises(NumberError) as caught:
        exact(text)
    assert str(caught.value) == problem


def test_numbers_are_written_as_people_do():
    assert [plain(x) for x in (5, Fraction(1, 100), Fraction(-5, 2), 1_000_000)] == [
        "5",
        "0.01",
        "-2.5",
        "1000000",
    ]
    assert [for_json(x) for x in (5, Fraction(6, 2), Fraction(1, 8))] == [5, 3, 0.125]


def test_a_tenth_is_a_tenth_at_the_very_edge():
    """In binary floats 3 * 1000 * 1.1 is more than 3300."""
    now = {INTERVAL: 1000, TIMEOUT: 3300, THRESHOLD: 1}
    text = from_options([f"{n}={x}" for n, x in now.items()], [f"{TIMEOUT}=3300"], {"losses": "2"})
    file = from_toml("[network]\ndrift = 0.1", "w.toml")
    advice = Advice(text.over(file))
    assert advice.decides.margin == 0
    assert advice.safe
    assert 3 * 1000 * (1 + 0.1) > 3300


def test_options_override_the_file():
    file = from_toml(
        f"[now]\n{INTERVAL} = 5\n[want]\n{TIMEOUT} = 'none'\n[network]\ndelay = 2", "w"
    )
    over = from_options([f"{INTERVAL}=6"], [f"{RATIO}=2.5"], {"delay": "3"}).over(file)
    assert over == Wish({INTERVAL: 6}, {TIMEOUT: None, RATIO: Fraction(5, 2)}, {"delay": 3})


@pytest.mark.parametrize(
    ("now", "want", "network", "problem"),
    [
        ({}, {}, {}, "nothing is wanted; say --want NAME=VALUE, or give a file"),
        (REAL, {INTERVAL: 0}, {}, "heartbeat_interval: 0 lies outside 1..3600000 ms"),
        (REAL, {INTERVAL: Fraction(5, 2)}, {}, f"{INTERVAL}: 2.5 is no whole number of ms"),
        ({**REAL, INTERVAL: 0}, {INTERVAL: 1}, {}, f"present values: {INTERVAL}: 0 lies outside"),
        (REAL, {WINDOW: 3}, {}, f"{WINDOW} has no present value"),
        (REAL, {RATIO: 3}, {}, f"wanted values: exactly one of {TIMEOUT} and {RATIO} must be set"),
        ({INTERVAL: 5}, {INTERVAL: 6}, {}, f"present values: exactly one of {TIMEOUT} and"),
        ({**REAL, RATIO: 2}, {INTERVAL: 6}, {}, f"present values: exactly one of {TIMEOUT}"),
        ({INTERVAL: 5, TIMEOUT: 9}, {INTERVAL: 6}, {}, f"give the present value of {THRESHOLD}"),
        (REAL, {INTERVAL: 5}, {"drift": 1}, "drift: 1 is no part of one; one per cent is 0.01"),
        (REAL, {INTERVAL: 5}, {"delay": -1}, "delay: -1 is less than 0"),
        (
            REAL,
            {INTERVAL: 5},
            {"losses": Fraction(1, 2)},
            "losses: 0.5 is no whole number of heart",
        ),
        (REAL, {INTERVAL: 5}, {"ack_losses": Fraction(1, 2)}, "0.5 is no whole number of acks"),
    ],
)
def test_a_wish_that_cannot_be_judged_says_why(now, want, network, problem):
    with pytest.raises(WishError) as caught:
        Wish(now, want, network).check()
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[now", "w.toml: not TOML: "),
        ("[nov]", "w.toml: nov is none of the tables [now], [want], [network]"),
        ("now = 3", "w.toml: [now] must be a table"),
        ("[now]\nhartbeat_interval = 3", "now: 'hartbeat_interval' is no parameter; did you mean"),
        ("[now]\nx = 3", "now: 'x' is no parameter; there are heartbeat_message_timeout, "),
        ("[network]\ndelai = 3", "network: 'delai' is no assumption; did you mean delay?"),
        ("[network]\ndrift = nan", "network: drift: 'NaN' is no number"),
        ("[network]\ndrift = true", "network: drift: 'True' is no number"),
    ],
)
def test_a_file_that_is_wrong_says_where(text, problem):
    with pytest.raises(WishError) as caught:
        from_toml(text, "w.toml")
    assert problem in str(caught.value)

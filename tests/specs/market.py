"""A stall with a bounded stock, buyers with little money, and prices that move.

Not modelled: haggling. Numbers all have bounds, of the class or of the instance.
"""

from __future__ import annotations

from samebeat_models import Model
from samebeat_spec.language import (
    Formula,
    Integer,
    Sort,
    State,
    action,
    always_reachable,
    count,
    every,
    exists,
    forall,
    function,
    guard,
    implies,
    initial,
    invariant,
    ite,
    relation,
    step_property,
    variable,
    witness,
)


class Buyer(Sort, symmetric=True):
    """Somebody with money."""


class Stock(Integer):
    """How many pieces; the instance says how many there is room for."""


class Price(Integer, low=-1, high=1):
    """What a piece costs; now and then a buyer is paid for taking one."""


class Money(Integer):
    """What a buyer has; the instance gives both bounds."""


class Market(State):
    """The stall and the buyers."""

    room = variable(Stock, constant=True)
    usual = function(Price, to=Price, constant=True)
    """the price that may follow a price"""

    stock = variable(Stock)
    price = variable(Price)
    money = function(Buyer, to=Money)
    owns = relation(Buyer)
    sold_at = relation(Price)


@initial
def morning(s: Market, p: Price) -> None:
    """The stall is full, a low price is chosen, buyers are equally rich."""
    guard(p <= 0, "the price is low")

    s.stock = s.room
    s.price = p
    s.money[every] = 2


@action()
def buy(s: Market, b: Buyer) -> None:
    """`b` buys a piece."""
    guard(s.stock > 0, "there is a piece left")
    guard(~s.owns[b], "b has none")
    guard(s.price <= s.money[b], "b can pay")
    guard(s.money[b] - s.price <= 3, "b's purse has room")

    s.stock = s.stock - 1
    s.money[b] = s.money[b] - s.price
    s.owns[b] = True
    s.sold_at[s.price] = True


@action()
def bring(s: Market, k: Stock) -> None:
    """`k` owners bring their pieces back."""
    guard(count(Buyer, lambda b: s.owns[b]) == k, "k own a piece")
    guard(s.stock + k <= s.room, "there is room")

    s.stock = s.stock + k
    s.owns[every] = False


@action()
def wages(s: Market, b: Buyer) -> None:
    """`b` spends or earns something elsewhere."""
    s.money[b] = 2


@action()
def move_price(s: Market) -> None:
    """The price moves, and at the end of the range it turns round."""
    s.price = ite(s.stock < 2, s.usual[s.price], s.price)


@invariant()
def pieces_are_kept(s: Market) -> Formula:
    """Every piece is at the stall or with a buyer."""
    owned = count(Buyer, lambda b: s.owns[b])
    return forall(Stock, lambda k: implies(s.stock == k, owned == s.room - k))


@invariant()
def nobody_owes(s: Market) -> Formula:
    """No buyer has less than nothing."""
    return forall(Buyer, lambda b: s.money[b] >= 0)


@step_property()
def price_changes_by_one(s: Market, t: Market) -> Formula:
    """Prices move slowly: by one, or from the top back to the bottom."""
    return implies(
        s.price != t.price,
        (t.price == s.price + 1) | ((s.price == 1) & (t.price == -1)),
    )


@always_reachable()
def stall_full(s: Market) -> Formula:
    """Pieces can always come back."""
    return s.stock == s.room


@witness()
def paid_to_buy(s: Market) -> Formula:
    """Somebody has been paid for taking a piece."""
    return exists(Buyer, lambda b: s.money[b] > 2) & s.sold_at[-1]


@witness()
def odd_prices(s: Market) -> Formula:
    """A piece was sold at each price that is odd."""
    return forall(Price, lambda p: implies((p == -1) | (p == 1), s.sold_at[p]))


USUAL = {"-1": 0, "0": 1, "1": -1}

MODELS = [
    Model(
        name="market-2",
        states=602,
        transitions=2_920,
        depth=14,
        sizes={"Buyer": 2, "Stock": 3, "Money": (0, 3)},
        constants={"room": 2, "usual": USUAL},
    ),
    Model(
        name="market-2-sym",
        states=350,
        depth=14,
        sizes={"Buyer": 2, "Stock": 3, "Money": (0, 3)},
        constants={"room": 2, "usual": USUAL},
        symmetry=True,
    ),
]

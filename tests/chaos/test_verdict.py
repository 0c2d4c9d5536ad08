"""Does the judge see what it is there for?"""

from collections import Counter
from dataclasses import replace
from decimal import Decimal as D

import pytest

from tests.chaos.ledger import Ledger
from tests.chaos.verdict import Belief, judge

ADD = ("add_margin", "BTCUSDT", D("12.5"))
LEDGER = Ledger(
    effects=Counter({ADD: 1}),
    stops=frozenset({"pl2"}),
    times=(1,),
    futures=D(90),
    spot=D(50),
    booked=D(-10),
    moved_in=D(0),
    liquidations=0,
)
BELIEF = Belief(
    effects=Counter({ADD: 1}),
    stops=frozenset({"pl2"}),
    events=frozenset({"sent:pl1"}),
    excess=(),
    settled=Counter(),
    open=(),
    decisions=Counter(),
    reasons=Counter(),
)


def words(ledger: Ledger, belief: Belief, *acknowledged: str) -> tuple[int, int, D]:
    found = judge(ledger, belief, futures=D(100), spot=D(50), acknowledged=frozenset(acknowledged))
    return len(found.lost), len(found.doubled), found.created


def test_what_both_say_is_clean() -> None:
    assert words(LEDGER, BELIEF, "sent:pl1") == (0, 0, D(0))


@pytest.mark.parametrize(
    ("ledger", "belief", "expected"),
    [
        (replace(LEDGER, effects=Counter({ADD: 2})), BELIEF, (0, 1, D(0))),
        (replace(LEDGER, effects=Counter()), BELIEF, (1, 0, D(0))),
        (replace(LEDGER, stops=frozenset({"pl2", "pl3"})), BELIEF, (0, 1, D(0))),
        (LEDGER, replace(BELIEF, excess=("more",)), (0, 1, D(0))),
        (LEDGER, replace(BELIEF, events=frozenset()), (1, 0, D(0))),
        (replace(LEDGER, futures=D(91)), BELIEF, (0, 0, D(1))),
        (replace(LEDGER, spot=D(49)), BELIEF, (0, 0, D(1))),
    ],
    ids=["twice", "missing", "stop", "larger", "forgotten", "from_nothing", "vanished"],
)
def test_what_they_disagree_on_is_named(
    ledger: Ledger, belief: Belief, expected: tuple[int, int, D]
) -> None:
    assert words(ledger, belief, "sent:pl1") == expected

"""Answers of Binance broken in every way: what is broken is named, and nothing is invented."""

import dataclasses
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import Action, AddMargin, PlaceStop, ReducePosition, Transfer
from bot.domain.position import PositionKey, Side
from bot.exchanges.numbers import LARGEST
from bot.paper.engine import Engine
from tests.kit.bad_answers import (
    FEW,
    Ground,
    Spoils,
    a_broken_answer_is_named_or_leaves_sane_numbers,
    a_broken_answer_to_a_write_never_says_rejected,
    a_broken_history_invents_nothing,
)
from tests.kit.coins import a_coin_engine
from tests.kit.spoiled import spoilings

SOL = PositionKey("SOL/USDT:USDT", Side.LONG)
COIN = PositionKey("BTC/USD:BTC", Side.LONG)
WALLETS = ("/sapi/v1/account/apiRestrictions", "/sapi/v3/asset/getUserAsset")
BOTH = (
    "v1/time", "v1/exchangeInfo", "v1/positionSide/dual", "v1/premiumIndex", "v1/depth",
    "v1/markPriceKlines", "v1/openAlgoOrders",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host of Binance: its exchange, what is read there, and what is written.

    Attributes:
        ground: Its exchange.
        host: Begins the paths of its futures.
        own: Paths that only this one has, without the host.
        margin: Adds to the first position.
        order: Reduces it.
        transfer: Into its wallet.
        stop: Of it.
    """

    ground: Ground
    host: str
    own: tuple[str, ...]
    margin: AddMargin
    order: ReducePosition
    transfer: Transfer
    stop: PlaceStop

    @property
    def writes(self) -> tuple[tuple[str, Action], ...]:
        """Each with its path; the last has no history of its own."""
        return (
            (f"/{self.host}/v1/positionMargin", self.margin),
            (f"/{self.host}/v1/order", self.order),
            ("/sapi/v1/asset/transfer", self.transfer),
            (f"/{self.host}/v1/algoOrder", self.stop),
        )

    @property
    def reads(self) -> tuple[str, ...]:
        """Paths of the start and of a look."""
        return (*WALLETS, *(f"/{self.host}/{path}" for path in (*BOTH, *self.own)))


def in_coin() -> Engine:
    engine = a_coin_engine()
    engine.hold("BTCUSD_PERP", D(12_000), leverage=10)
    engine.hold("ETHUSD_PERP", D(-900), leverage=20)
    return engine


HOSTS = {
    "binanceusdm": Host(
        ground=Ground(venue="binanceusdm"),
        host="fapi",
        own=("v1/leverageBracket", "v1/symbolConfig", "v3/positionRisk", "v3/account"),
        margin=AddMargin(key=SOL, amount=D("100.00"), currency="USDT"),
        order=ReducePosition(key=SOL, size=D(7), limit_price=D("149.00")),
        transfer=Transfer(source="spot", destination="futures", amount=D(50), currency="USDT"),
        stop=PlaceStop(key=SOL, size=D(50), stop_price=D("140.00"), is_needed=True),
    ),
    "binancecoinm": Host(
        ground=Ground(
            venue="binancecoinm",
            engine=in_coin,
            symbols=("BTC/USD:BTC", "ETH/USD:ETH"),
            largest=200 * LARGEST,  # of a size: contracts times 100 dollars
        ),
        host="dapi",
        own=("v2/leverageBracket", "v1/positionRisk", "v1/account"),
        margin=AddMargin(key=COIN, amount=D("0.00123456"), currency="BTC"),
        order=ReducePosition(key=COIN, size=D(700), limit_price=D("59000.0")),
        transfer=Transfer(source="spot", destination="futures", amount=D("0.05"), currency="BTC"),
        stop=PlaceStop(key=COIN, size=D(12_000), stop_price=D("55000.0"), is_needed=True),
    ),
}
READ = [(venue, path) for venue, host in HOSTS.items() for path in host.reads]
WRITES = [(venue, path, action) for venue, host in HOSTS.items() for path, action in host.writes]
SETTLED = [
    (venue, path, action) for venue, host in HOSTS.items() for path, action in host.writes[:3]
]
HISTORY = {"positionMargin": "positionMargin/history", "order": "allOrders", "transfer": "transfer"}
"""Where a write is looked for, by the last word of its path."""


@pytest.mark.parametrize(("name", "path"), READ)
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_is_named_or_leaves_an_observation_of_sane_numbers(
    name: str, path: str, spoil: Spoils
) -> None:
    a_broken_answer_is_named_or_leaves_sane_numbers(HOSTS[name].ground, path, spoil)


@pytest.mark.parametrize(("name", "path", "action"), WRITES, ids=str)
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_to_a_write_that_took_effect_never_says_rejected(
    name: str, path: str, action: Action, spoil: Spoils
) -> None:
    a_broken_answer_to_a_write_never_says_rejected(HOSTS[name].ground, path, action, spoil)


@pytest.mark.parametrize(("name", "path", "action"), SETTLED, ids=str)
@FEW
@given(spoil=spoilings(), was_sent=st.booleans())
def test_a_broken_history_invents_no_more_than_was_asked_for(
    name: str, path: str, action: Action, spoil: Spoils, was_sent: bool
) -> None:
    ground = HOSTS[name].ground
    head, _, last = path.rpartition("/")
    history = f"{head}/{HISTORY[last]}"
    a_broken_history_invents_nothing(ground, history, action, spoil, was_sent=was_sent)

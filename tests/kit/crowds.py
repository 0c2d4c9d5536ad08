"""Accounts of several positions, each with a trigger of its own, as laws draw them."""

from dataclasses import dataclass, replace
from decimal import Decimal as D

from hypothesis import strategies as st

from bot.domain.band import Levels, LeverageBand
from bot.domain.instrument import Instrument, MarginRelease
from bot.domain.market import Market
from bot.domain.observation import Observation
from bot.domain.position import Position
from bot.domain.risk import PositionRisk
from bot.leverage import distance
from bot.margin.assess import assess
from bot.margin.bands import band_at_distances
from tests.kit.builders import a_market, an_observation
from tests.kit.kinds import IN_COIN, QUOTE, Kind

MARKS = {
    QUOTE: {
        "BNB/USDT:USDT": 600,
        "BTC/USDT:USDT": 60000,
        "ETH/USDT:USDT": 3000,
        "SOL/USDT:USDT": 150,
    },
    IN_COIN: {
        "BTC/EUR:BTC": 55000,
        "BTC/GBP:BTC": 48000,
        "BTC/USD:BTC": 60000,
        "BTC/USDC:BTC": 60010,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """An account and the bands of its positions.

    Attributes:
        observation: Of the account.
        triggers: Distance by symbol. [ratio]
        kind: Of its contracts.
        emergency: Distance of emergencies, of that of the trigger. [ratio]
        is_measured: Whether triggers follow from a volatility.
    """

    observation: Observation
    triggers: dict[str, D]
    kind: Kind = QUOTE
    emergency: D = D("0.5")
    is_measured: bool = True

    def choose(self, risk: PositionRisk, market: Market) -> LeverageBand:
        """Choose as a strategy does, a band from the trigger of the symbol."""
        trigger = self.triggers[market.symbol]
        band = band_at_distances(
            risk,
            Levels(
                emergency=trigger * self.emergency,
                trigger=trigger,
                target=trigger * D("1.4"),
                give_back=trigger * D("2.2"),
            ),
        )
        return replace(band, volatility=D("0.01") if self.is_measured else None)

    def standing(self, position: Position, instrument: Instrument) -> float:
        """Return how far a position stands, in log distances of its trigger."""
        found = assess(position, instrument).distance
        if found is None or (position.size > 0 and found >= 1):
            return float("inf")
        if position.size < 0 and found <= -1:
            return float("-inf")
        return distance.to_log(found, position.side) / distance.to_log(
            self.triggers[position.symbol], position.side
        )


WALLETS = st.tuples(st.integers(0, 20_000).map(D), st.sampled_from([D(0), D(3000)]))


@st.composite
def crowds(
    draw: st.DrawFn,
    *,
    wallets: st.SearchStrategy[tuple[D, D]] = WALLETS,
    kinds: tuple[Kind, ...] = (QUOTE,),
) -> Crowd:
    """Draw two to four positions, most of them endangered, and what the wallets hold.

    Args:
        draw: Of Hypothesis.
        wallets: Futures and spot, in about US dollars.
        kinds: Of contracts; all of an account are of one.
    """
    kind = draw(st.sampled_from(kinds))
    marks = MARKS[kind]
    symbols = draw(st.permutations(sorted(marks)))[: draw(st.integers(2, 4))]
    positions, instruments, markets, triggers = [], [], [], {}
    for symbol in symbols:
        mark = marks[symbol]
        side = draw(st.sampled_from([1, -1]))
        notional = draw(st.integers(500, 200_000))
        per = 1 if kind is IN_COIN else mark
        lots = max(1, round(D(notional) / per / kind.lot))
        trigger = draw(st.sampled_from([D("0.04"), D("0.07"), D("0.1"), D("0.16")]))
        share = D("0.004") + trigger * draw(st.sampled_from([D(n) / 20 for n in range(1, 25)]))
        won = draw(st.sampled_from([D("-0.2"), D("-0.03"), D(0), share * D("0.8")]))
        entry = (mark * (1 - side * won)).quantize(D("0.1"))
        position = kind.position(symbol, lots=lots * side, entry=entry, share=share, mark=mark)
        instrument = kind.instrument(
            symbol, margin_release=draw(st.sampled_from(list(MarginRelease)))
        )
        risk = assess(position, instrument)
        positions.append(replace(position, venue_liquidation_price=risk.liquidation_price))
        instruments.append(instrument)
        depth = str(D(draw(st.sampled_from([1, 300, 10**7]))) / per)
        markets.append(a_market(symbol, mark=str(mark), depth=draw(st.sampled_from([None, depth]))))
        triggers[symbol] = trigger
    futures, spot = draw(wallets)
    return Crowd(
        observation=an_observation(
            *positions,
            futures=str(kind.money(futures)),
            spot=str(kind.money(spot)),
            currency=kind.settle,
            instruments=tuple(sorted(instruments, key=lambda i: i.symbol)),
            markets=tuple(sorted(markets, key=lambda m: m.symbol)),
        ),
        triggers=triggers,
        kind=kind,
        is_measured=draw(st.sampled_from([True, True, False])),
    )

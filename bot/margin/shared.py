"""How near to liquidation do positions stand that share one wallet?

Of each symbol while all others stand still, and of all prices together. What a venue counts beside
one wallet (other currencies, haircuts, orders) is not known here: whoever asks compares with the
venue's own prices before it believes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from bot.domain.instrument import Contract, Instrument
from bot.domain.position import Position, PositionKey, Side
from bot.domain.risk import PositionRisk
from bot.margin import account as accounts
from bot.margin import isolated
from bot.margin.account import Account, Holding
from bot.margin.curve import ZERO
from bot.margin.legs import Leg
from bot.margin.tiers import maintenance_margin


def assess_shared(
    positions: Sequence[Position], instruments: Mapping[str, Instrument], *, wallet: Decimal
) -> dict[PositionKey, PositionRisk]:
    """Return our numbers for all cross positions of one account; none when it is liquidatable.

    Args:
        positions: All that share the wallet, at least one, all of one kind and settle currency.
        instruments: Rules by symbol.
        wallet: Without profit, signed. [settle]

    Raises:
        ValueError: If an instrument has no tiers.
    """
    account = _account(positions, instruments, wallet)
    left = accounts.buffer(account)
    if left <= 0:
        return {}
    spans, joint = accounts.spans(account), _joint(account)
    found = {}
    for position in positions:
        instrument = instruments[position.symbol]
        span = spans[position.symbol]
        price = span.below if position.side is Side.LONG else span.above
        liquidation = price if ZERO < price < isolated.HIGHEST else None
        equity = left + _needed(position, instrument)
        found[position.key] = _risk(position, instrument, equity, liquidation, joint)
    return found


def as_shown(position: Position, instrument: Instrument) -> PositionRisk:
    """Return what is known of a position when what stands behind it is not: the venue's price.

    Raises:
        ValueError: If the instrument has no tiers.
    """
    found = _risk(position, instrument, ZERO, position.venue_liquidation_price, None)
    return replace(found, equity=found.unrealized_pnl, leverage=None, is_known=False)


def _risk(
    position: Position,
    instrument: Instrument,
    equity: Decimal,
    liquidation: Decimal | None,
    joint: Decimal | None,
) -> PositionRisk:
    contract = instrument.contract
    notional = isolated.value(contract, size=position.size, price=position.mark_price)
    return PositionRisk(
        position=position,
        instrument=instrument,
        notional=notional,
        unrealized_pnl=isolated.unrealized_pnl(
            contract,
            size=position.size,
            entry_price=position.entry_price,
            price=position.mark_price,
        ),
        equity=equity,
        maintenance_margin=_needed(position, instrument),
        liquidation_price=liquidation,
        distance=isolated.distance(
            size=position.size, mark_price=position.mark_price, liquidation=liquidation
        ),
        leverage=notional / equity if equity > 0 else None,
        joint_distance=joint,
    )


def _needed(position: Position, instrument: Instrument) -> Decimal:
    value = isolated.value(instrument.contract, size=position.size, price=position.mark_price)
    return maintenance_margin(instrument.tiers, notional=value)


def _account(
    positions: Sequence[Position], instruments: Mapping[str, Instrument], wallet: Decimal
) -> Account:
    legs: dict[str, list[Leg]] = {}
    for position in positions:
        leg = Leg(
            size=position.size,
            entry_price=position.entry_price,
            tiers=instruments[position.symbol].tiers,
        )
        legs.setdefault(position.symbol, []).append(leg)
    marks = {position.symbol: position.mark_price for position in positions}
    return Account(
        contract=instruments[positions[0].symbol].contract,
        margin=wallet,
        holdings=tuple(
            Holding(symbol=symbol, mark_price=marks[symbol], legs=tuple(of))
            for symbol, of in legs.items()
        ),
    )


def _joint(account: Account) -> Decimal | None:
    """Return how far all prices may move against the account together. [ratio]."""
    steps = {}
    for holding in account.holdings:
        net = sum((leg.size for leg in holding.legs), ZERO)
        if net:
            steps[holding.symbol] = Decimal(-1 if net > 0 else 1)
    if not steps:
        return None
    if account.contract is Contract.INVERSE and len(set(steps.values())) > 1:
        return None  # one over a price is straight only where all move alike
    return accounts.along(account, steps)

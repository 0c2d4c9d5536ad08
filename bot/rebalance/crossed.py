"""Where do cross positions stand, as far as that can be known?

Nothing is planned for them, but a person reads their numbers. An account may hold more than one
wallet that stands behind them, so our figures are believed only where the venue's prices say the
same of every one; else the venue's prices are what is shown.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from bot.domain.instrument import Contract, Instrument
from bot.domain.observation import Observation
from bot.domain.position import MarginMode, Position, PositionKey
from bot.domain.risk import PositionRisk
from bot.margin.shared import as_shown, assess_shared
from bot.rebalance.policy import Policy


def assess_crossed(observation: Observation, policy: Policy) -> dict[PositionKey, PositionRisk]:
    """Return numbers of all cross positions.

    Args:
        observation: Of the poll.
        policy: Names the wallet, and says how far a price may be from the venue's.

    Raises:
        ValueError: If an instrument has no tiers.
    """
    instruments = {i.symbol: i for i in observation.instruments}
    groups: dict[tuple[str, Contract], list[Position]] = {}
    for position in observation.account.positions:
        if position.margin_mode is not MarginMode.ISOLATED:
            instrument = instruments[position.symbol]
            groups.setdefault((instrument.settle, instrument.contract), []).append(position)
    found: dict[PositionKey, PositionRisk] = {}
    for (settle, _), positions in groups.items():
        wallet = observation.account.wallet(policy.futures_wallet, settle)
        ours: dict[PositionKey, PositionRisk] = {}
        if wallet is not None:
            ours = assess_shared(positions, instruments, wallet=wallet.total)
        if not _are_confirmed(positions, ours, dispute=policy.max_liquidation_dispute):
            ours = _as_shown(positions, instruments)
        found |= ours
    return found


def _as_shown(
    positions: Sequence[Position], instruments: Mapping[str, Instrument]
) -> dict[PositionKey, PositionRisk]:
    return {p.key: as_shown(p, instruments[p.symbol]) for p in positions}


def _are_confirmed(
    positions: Sequence[Position], ours: Mapping[PositionKey, PositionRisk], *, dispute: Decimal
) -> bool:
    """Whether the venue's liquidation price of every position is ours.

    It may show one price for both sides of a symbol.
    """
    for position in positions:
        prices = [
            risk.liquidation_price
            for key, risk in ours.items()
            if key.symbol == position.symbol and risk.liquidation_price is not None
        ]
        theirs = position.venue_liquidation_price
        if theirs is None:
            if prices:
                return False
        elif not any(abs(price - theirs) <= dispute * theirs for price in prices):
            return False
    return bool(ours)

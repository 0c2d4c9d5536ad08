"""How much of a position may be closed, at which price, and does that help?"""

from dataclasses import replace
from decimal import Decimal

from bot.domain.account import Account
from bot.domain.action import AddMargin, ReducePosition
from bot.domain.instrument import Contract, Instrument, MarginRelease
from bot.domain.market import Market
from bot.domain.position import Position, Side
from bot.margin import isolated
from bot.margin.legs import coordinate
from bot.rebalance import book
from bot.rebalance.policy import Policy
from bot.rebalance.project import position_of, released_by
from bot.rebalance.rounding import down, up
from bot.rebalance.sizing import reduction_need


def worst_price(
    position: Position,
    instrument: Instrument,
    market: Market,
    policy: Policy,
    *,
    is_emergency: bool,
) -> Decimal:
    """Return the limit price of a close: the slippage allowed, and none that does not help.

    Closing moves the liquidation price away only while it costs less of the value than the equity
    is of it. Halfway from the best price in sight to where it does no more, so that the worst fill
    still leaves something to add back.
    """
    found = book.worst_price(
        market,
        instrument,
        position.side,
        slippage=policy.emergency_slippage if is_emergency else policy.slippage,
        furthest=policy.emergency_slippage,
    )
    bound = (_best(position, instrument, market) + _even(position, instrument)) / 2
    if instrument.contract is Contract.INVERSE:
        if bound <= 0:
            return found  # no price of a close costs so much
        bound = 1 / bound
    if position.side is Side.LONG:
        return max(found, up(bound, step=instrument.price_step))
    return min(found, down(bound, step=instrument.price_step))


def pays(position: Position, instrument: Instrument, market: Market) -> bool:
    """Whether a close at the best price in sight would move the liquidation price away."""
    gap = _best(position, instrument, market) - _even(position, instrument)
    return isolated.direction(instrument.contract, size=position.size) * gap > 0


def most(
    position: Position,
    instrument: Instrument,
    market: Market,
    policy: Policy,
    *,
    limit_price: Decimal,
) -> Decimal:
    """Return the size that may be closed at once and finds a counterpart. [base or quote]."""
    whole = abs(position.size)
    found = min(whole, instrument.max_market_size, whole * policy.max_reduction_per_action)
    depth = book.resting(market, position.side, limit_price=limit_price)
    return found if depth is None else min(found, depth)


def reduction(
    position: Position,
    instrument: Instrument,
    market: Market,
    policy: Policy,
    *,
    distance: Decimal,
    limit_price: Decimal,
) -> ReducePosition | None:
    """Return the close that brings the rest to a distance, or as near as one order can.

    ``None`` where the book shows too little for the smallest order.

    Args:
        position: With any margin that is added first, or will come.
        instrument: Its rules.
        market: With its book.
        policy: Limits.
        distance: To reach. [ratio]
        limit_price: Worst fill. [quote/base]
    """
    whole = abs(position.size)
    wanted = reduction_need(position, instrument, distance=distance, limit_price=limit_price)
    size = min(wanted, most(position, instrument, market, policy, limit_price=limit_price))
    if size < whole:
        size = down(size, step=instrument.size_step)
    if size < instrument.min_size:
        size = min(whole, instrument.min_size)
        depth = book.resting(market, position.side, limit_price=limit_price)
        if depth is not None and depth < size:
            return None
    wider = _returnable(position, instrument, policy, size=size, price=limit_price)
    if wider <= most(position, instrument, market, policy, limit_price=limit_price):
        size = wider
    return ReducePosition(key=position.key, size=size, limit_price=limit_price)


def _returnable(
    position: Position, instrument: Instrument, policy: Policy, *, size: Decimal, price: Decimal
) -> Decimal:
    """Return the least close, not below a size, whose release can be added back. [base or quote].

    Where margin leaves with the part that is closed, a close alone moves no liquidation price: one
    that releases too little for a move would be made again at each poll.
    """
    if instrument.margin_release is MarginRelease.STAYS:
        return size
    needed = policy.least_move + 2 * instrument.margin_step
    shared = replace(instrument, margin_release=MarginRelease.PRO_RATA)  # as it may be if unknown
    released = released_by(position, shared, size=size, price=price)
    if not 0 < released < needed:
        return size
    return min(abs(position.size), up(size * needed / released, step=instrument.size_step))


def re_add(
    before: Position,
    account: Account,
    reduce: ReducePosition,
    instrument: Instrument,
    policy: Policy,
) -> AddMargin | None:
    """Return the second half of the pair on venues that release margin pro rata.

    What a better fill releases beyond it, or one move may not carry, enters when a later look finds
    it in the wallet.
    """
    if instrument.margin_release is not MarginRelease.PRO_RATA:
        return None
    if position_of(account, before.key) is None:
        return None
    released = released_by(before, instrument, size=reduce.size, price=reduce.limit_price)
    # A step less: what is sent carries digits of its own, and there may be nothing else to take.
    amount = down(released, step=instrument.margin_step) - instrument.margin_step
    amount = min(amount, policy.max_margin_per_action)
    if amount < policy.least_move:
        return None
    return AddMargin(
        key=before.key, amount=amount, currency=instrument.settle, after_reduction=True
    )


def _best(position: Position, instrument: Instrument, market: Market) -> Decimal:
    """Return the coordinate of the best price in sight."""
    levels = market.bids if position.side is Side.LONG else market.asks
    return coordinate(instrument.contract, levels[0].price if levels else market.mark_price)


def _even(position: Position, instrument: Instrument) -> Decimal:
    """Return the coordinate of the fill where a close costs of the value what equity is of it.

    ``rises * (mark - fill) + fee * fill = equity / size``, mark and fill as coordinates and
    ``rises`` 1 where equity rises with them, else -1.
    """
    contract = instrument.contract
    rises = isolated.direction(contract, size=position.size)
    equity = isolated.equity(
        contract,
        size=position.size,
        entry_price=position.entry_price,
        margin=position.margin,
        price=position.mark_price,
    )
    room = equity / abs(position.size)
    mark = coordinate(contract, position.mark_price)
    return (mark - rises * room) / (1 - rises * instrument.taker_fee)

"""What does the paper exchange keep and tell?

A size is [size]: coins of the base for a linear contract, face value in the quote for an inverse
one, which is contracts times the value of one. What a size is worth, and every balance, margin, fee
and result, is [asset], the coin the contract settles in. No asset is ever converted into another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class Reason(StrEnum):
    """Why the exchange refuses, in no venue's words; each wire API has its own codes."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    BAD_AMOUNT = "bad_amount"
    TOO_PRECISE = "too_precise"
    ABOVE_MAXIMUM = "above_maximum"
    BELOW_NOTIONAL = "below_notional"
    PRICE_OUT_OF_BOUNDS = "price_out_of_bounds"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    INSUFFICIENT_MARGIN = "insufficient_margin"
    NO_POSITION = "no_position"
    NOT_ISOLATED = "not_isolated"
    NOT_REMOVABLE = "not_removable"
    REDUCE_ONLY = "reduce_only"
    POSITION_SIDE = "position_side"
    DUPLICATE_ID = "duplicate_id"
    UNKNOWN_ORDER = "unknown_order"
    UNCHANGED_MARGIN = "unchanged_margin"
    UNCHANGED_MODE = "unchanged_mode"
    MARGIN_WITH_POSITION = "margin_with_position"
    MARGIN_WITH_ORDERS = "margin_with_orders"
    MODE_WITH_POSITION = "mode_with_position"
    MODE_WITH_ORDERS = "mode_with_orders"
    LEVERAGE_WITH_POSITION = "leverage_with_position"
    BAD_LEVERAGE = "bad_leverage"
    HALTED = "halted"
    WOULD_TRIGGER = "would_trigger"
    CLOSING_STOP_EXISTS = "closing_stop_exists"


class Kind(StrEnum):
    """How a contract settles."""

    LINEAR = "linear"
    INVERSE = "inverse"


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """The exchange does not do what was asked; nothing has changed."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """One step of a maintenance table.

    Attributes:
        floor: Smallest worth at mark. [asset]
        cap: [asset]
        rate: [ratio]
        cum: Deduction that keeps the table continuous. [asset]
        leverage: Highest setting. [x]
    """

    floor: Decimal
    cap: Decimal
    rate: Decimal
    cum: Decimal
    leverage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The rules of one perpetual, and what its sizes come to.

    Attributes:
        id: The venue's name, ``BTCUSDT`` or ``BTCUSD_PERP``.
        kind: Whether it settles in the quote or in the base.
        base: Coin.
        quote: What prices are in.
        asset: Of margin, fees and profit.
        face: What one contract stands for. [size]
        tick: [quote/base]
        lot: [size]
        maximum: Largest limit order. [size]
        market_maximum: Largest market order. [size]
        notional: Smallest opening order. [asset]
        bound: Largest gap between a limit price and mark. [ratio]
        maker: Fee. [ratio]
        taker: Fee. [ratio]
        liquidation_fee: Taken when a position is taken over. [ratio]
        depth: Worth of what rests within one hundredth of mid, per side. [asset]
        half_spread: [ratio]
        brackets: Ascending.
    """

    id: str
    kind: Kind
    base: str
    quote: str
    asset: str
    face: Decimal
    tick: Decimal
    lot: Decimal
    maximum: Decimal
    market_maximum: Decimal
    notional: Decimal
    bound: Decimal
    maker: Decimal
    taker: Decimal
    liquidation_fee: Decimal
    depth: Decimal
    half_spread: Decimal
    brackets: tuple[Bracket, ...]

    def worth(self, size: Decimal, price: Decimal) -> Decimal:
        """Return what a size comes to at a price, with its sign. [asset]."""
        return size * price if self.kind is Kind.LINEAR else size / price

    def size_of(self, worth: Decimal, price: Decimal) -> Decimal:
        """Return the size that is worth so much at a price. [size]."""
        return worth / price if self.kind is Kind.LINEAR else worth * price

    def average(self, size: Decimal, worth: Decimal) -> Decimal:
        """Return the one price at which a size comes to its worth. [quote/base].

        Prices of an inverse contract so average harmonically.
        """
        return worth / size if self.kind is Kind.LINEAR else size / worth

    def profit(self, amount: Decimal, entry: Decimal, price: Decimal) -> Decimal:
        """Return the result of a signed size between two prices. [asset]."""
        if self.kind is Kind.LINEAR:
            return amount * (price - entry)
        return self.worth(amount, entry) - self.worth(amount, price)


Demand = Callable[[Contract, Decimal, Decimal], Decimal]
"""What a position of a [size] must hold at a price [quote/base], fees included where a venue adds
them; one that holds no more is taken over. [asset]"""


def by_worth(contract: Contract, size: Decimal, price: Decimal) -> Decimal:
    """Return maintenance margin from the bracket of what the size is worth. [asset]."""
    worth = contract.worth(size, price)
    found = contract.brackets[0]
    for bracket in contract.brackets:
        if worth >= bracket.floor:
            found = bracket
    return worth * found.rate - found.cum


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The market of one contract in one second.

    Attributes:
        mark: [quote/base]
        index: [quote/base]
        last: [quote/base]
        depth: Factor on what rests in the contract's book. [ratio]
        funding: Rate of the running interval. [ratio]
        halted: Nothing trades.
    """

    mark: Decimal
    index: Decimal
    last: Decimal
    depth: Decimal = Decimal(1)
    funding: Decimal = Decimal("0.0001")
    halted: bool = False


@dataclass(slots=True, kw_only=True)
class Holding:
    """An open position.

    Attributes:
        symbol: The contract's id.
        side: ``BOTH``, ``LONG`` or ``SHORT``.
        amount: Signed. [size]
        entry: Average price, harmonic for an inverse contract. [quote/base]
        isolated: Whether it has margin of its own.
        margin: Its own margin without unrealized PnL; 0 for cross. [asset]
        updated_ms: Last change of the position. [ms]
        liquidation: Liquidation price as last searched for, ``None`` before; 0 is none.
            [quote/base]
    """

    symbol: str
    side: str
    amount: Decimal
    entry: Decimal
    isolated: bool
    margin: Decimal
    updated_ms: int
    liquidation: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a client wants traded.

    Attributes:
        symbol: The contract's id.
        side: ``BUY`` or ``SELL``.
        type: ``MARKET``, ``LIMIT`` or ``STOP_MARKET``.
        size: [size]
        position_side: ``BOTH``, ``LONG`` or ``SHORT``.
        price: Limit; 0 for none. [quote/base]
        stop: Trigger; 0 for none. [quote/base]
        time_in_force: ``GTC``, ``IOC`` or ``FOK``.
        reduce_only: Only ever shrinks a position.
        close_position: A stop for whatever is open then.
        on_mark: Whether the trigger watches mark; else last.
        client_id: Given by the client; empty for none.
        conditional: Listed apart from ordinary orders.
    """

    symbol: str
    side: str
    type: str
    size: Decimal = ZERO
    position_side: str = "BOTH"
    price: Decimal = ZERO
    stop: Decimal = ZERO
    time_in_force: str = "GTC"
    reduce_only: bool = False
    close_position: bool = False
    on_mark: bool = False
    client_id: str = ""
    conditional: bool = False


@dataclass(slots=True, kw_only=True)
class Order:
    """An order and what became of it.

    Attributes:
        id: Given by the exchange.
        client_id: Given by the client, or made by the exchange.
        ask: As asked.
        size: As asked, or what was open when a closing stop fired. [size]
        status: ``NEW``, ``FILLED``, ``PARTIALLY_FILLED``, ``EXPIRED``, ``CANCELED``.
        filled: [size]
        cost: What it filled came to, each fill at its price; `Contract.average` of the two is
            the average price. [asset]
        at_ms: [ms]
        updated_ms: [ms]
    """

    id: int
    client_id: str
    ask: Ask
    size: Decimal
    status: str
    filled: Decimal
    cost: Decimal
    at_ms: int
    updated_ms: int

    @property
    def is_open(self) -> bool:
        """Whether it may still fill."""
        return self.status in ("NEW", "PARTIALLY_FILLED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One fill.

    Attributes:
        id: Given by the exchange.
        order_id: Of the order.
        symbol: The contract's id.
        side: ``BUY`` or ``SELL``.
        position_side: ``BOTH``, ``LONG`` or ``SHORT``.
        size: [size]
        price: [quote/base]
        profit: Realized. [asset]
        fee: > 0 is paid. [asset]
        asset: Of profit and fee.
        maker: Whether it rested.
        at_ms: [ms]
    """

    id: int
    order_id: int
    symbol: str
    side: str
    position_side: str
    size: Decimal
    price: Decimal
    profit: Decimal
    fee: Decimal
    asset: str
    maker: bool
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginMove:
    """A change of isolated margin that somebody asked for.

    Attributes:
        symbol: The contract's id.
        side: ``BOTH``, ``LONG`` or ``SHORT``.
        asset: The collateral.
        amount: Signed: > 0 is into the position. [asset]
        at_ms: [ms]
    """

    symbol: str
    side: str
    asset: str
    amount: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A move between wallets.

    Attributes:
        id: Given by the exchange.
        source: ``spot`` or ``futures``.
        destination: ``spot`` or ``futures``.
        asset: The collateral.
        amount: [asset]
        at_ms: When it left. [ms]
        arrives_ms: When it is credited. [ms]
        client_id: Given by the client; empty for none.
    """

    id: int
    source: str
    destination: str
    asset: str
    amount: Decimal
    at_ms: int
    arrives_ms: int
    client_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Income:
    """A line of the futures ledger.

    Attributes:
        id: Given by the exchange.
        symbol: The contract's id; empty for transfers.
        type: ``REALIZED_PNL``, ``COMMISSION``, ``FUNDING_FEE``, ``TRANSFER``, ``INSURANCE_CLEAR``.
        amount: Signed. [asset]
        asset: The collateral.
        at_ms: [ms]
    """

    id: int
    symbol: str
    type: str
    amount: Decimal
    asset: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidation:
    """A position, or a part of it, taken over by the exchange.

    Attributes:
        symbol: The contract's id.
        side: ``BOTH``, ``LONG`` or ``SHORT``.
        size: Signed as the position was. [size]
        price: Mark at which it was taken. [quote/base]
        loss: What the owner lost of margin by it. [asset]
        at_ms: [ms]
    """

    symbol: str
    side: str
    size: Decimal
    price: Decimal
    loss: Decimal
    at_ms: int

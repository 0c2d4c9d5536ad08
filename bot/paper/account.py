"""What does the account at the exchange amount to, and how do people move what is in it?

The liquidation price that is shown is found by search over equity and maintenance margin. Nothing
here is shared with the bot's margin rules, so a mistake in its algebra cannot hide in its judge.
"""

from collections.abc import Callable, Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Literal

from bot.paper.values import (
    ZERO,
    Ask,
    Contract,
    Holding,
    Income,
    Liquidation,
    MarginMove,
    Order,
    Quote,
    Reason,
    Refused,
    Trade,
    Transfer,
)

CENT = Decimal("0.00000001")
"""Finest step of any balance. [quote]"""
SEARCH_STEPS = 60
Wallet = Literal["spot", "futures"]


class Account:
    """Balances, positions, orders and settings; nothing happens to them by itself."""

    def __init__(
        self,
        *,
        contracts: dict[str, Contract],
        quotes: Mapping[str, Quote],
        start_ms: int,
        releases_margin: Literal["pro_rata", "stays"],
        transfer_delay_ms: int,
        history_lag_ms: int,
        insurance: Decimal,
    ) -> None:
        self.contracts = contracts
        self.quotes = quotes
        self.now_ms = start_ms
        self.hedge_mode = False
        self.releases_margin = releases_margin
        self.transfer_delay_ms = transfer_delay_ms
        self.history_lag_ms = history_lag_ms
        """How long after its effect a row is missing from what history shows. [ms]"""
        self.insurance = insurance
        self.grosses_added = False
        """Whether margin beyond the initial is grossed by the taker fee, for a long up and for a
        short down."""
        self.funds_from_wallet = False
        """Whether funding is paid by the wallet first, also of isolated positions."""
        self.spot: dict[str, Decimal] = {"USDT": ZERO}
        self.cross: dict[str, Decimal] = {"USDT": ZERO}
        """Futures wallet without isolated margin."""
        self.holdings: dict[tuple[str, str], Holding] = {}
        self.leverage: dict[str, int] = dict.fromkeys(self.contracts, 20)
        self.isolated: dict[str, bool] = dict.fromkeys(self.contracts, True)
        self.orders: dict[int, Order] = {}
        self.trades: list[Trade] = []
        self.margin_moves: list[MarginMove] = []
        self.transfers: list[Transfer] = []
        self.income: list[Income] = []
        self.liquidations: list[Liquidation] = []
        self.exchange_account = ZERO
        """The other side of every fee, result and funding payment, for conservation. [quote]"""
        self._last_id = 0
        self._in_transit: list[Transfer] = []
        self._client_ids: dict[str, int] = {}

    # what it amounts to

    def profit(self, holding: Holding, mark: Decimal | None = None) -> Decimal:
        """Return the unrealized result of a position, at mark or at a price. [quote]."""
        price = self.quotes[holding.symbol].mark if mark is None else mark
        return holding.amount * (price - holding.entry)

    def maintenance(self, holding: Holding, mark: Decimal | None = None) -> Decimal:
        """Return the maintenance margin of a position, at mark or at a price. [quote]."""
        price = self.quotes[holding.symbol].mark if mark is None else mark
        value = abs(holding.amount) * price
        found = self.contracts[holding.symbol].brackets[0]
        for bracket in self.contracts[holding.symbol].brackets:
            if value >= bracket.floor:
                found = bracket
        return value * found.rate - found.cum

    def initial(self, holding: Holding) -> Decimal:
        """Return the initial margin of a position at mark and its leverage setting. [quote]."""
        value = abs(holding.amount) * self.quotes[holding.symbol].mark
        return value / self.leverage[holding.symbol]

    def backing(self, holding: Holding) -> Decimal:
        """Return what counts of the margin of a position. [quote]."""
        if not (self.grosses_added and holding.isolated):
            return holding.margin
        size = abs(holding.amount)
        added = holding.margin - size * holding.entry / self.leverage[holding.symbol]
        if added <= 0:
            return holding.margin
        taker = self.contracts[holding.symbol].taker
        turn = 1 - taker if holding.amount > 0 else 1 + taker
        return holding.margin - added + added / turn

    def order_initial(self) -> Decimal:
        """Return the margin that opening orders hold. [quote]."""
        return sum(
            (
                (o.size - o.filled) * o.ask.price / self.leverage[o.ask.symbol]
                for o in self.open_orders()
                if o.ask.type == "LIMIT" and not self._reduces(o.ask)
            ),
            ZERO,
        )

    def available(self, asset: str = "USDT") -> Decimal:
        """Return what may be moved or opened with now. [asset]."""
        crossed = [h for h in self.holdings.values() if not h.isolated]
        losses = sum((self.profit(h) for h in crossed), ZERO)
        held = sum((self.initial(h) for h in crossed), ZERO) + self.order_initial()
        return max(ZERO, self.cross[asset] + min(losses, ZERO) - held)

    def wallet_balance(self, asset: str = "USDT") -> Decimal:
        """Return the futures wallet with the margin inside positions. [asset]."""
        return self.cross[asset] + sum((h.margin for h in self.holdings.values()), ZERO)

    def liquidation_price(self, holding: Holding) -> Decimal:
        """Return the mark at which the position is taken over; 0 when there is none. [quote/base].

        Found by bisection on equity minus maintenance. For a cross position the rest of the
        account is held where it is now.
        """
        if holding.isolated and holding.liquidation is not None:
            return holding.liquidation
        others = ZERO
        if not holding.isolated:
            rest = [h for h in self.holdings.values() if not h.isolated and h is not holding]
            others = self.cross[self.contracts[holding.symbol].asset] + sum(
                (self.profit(h) - self.maintenance(h) for h in rest), ZERO
            )

        backing = self.backing(holding)

        def is_safe(price: Decimal) -> bool:
            equity = backing + others + self.profit(holding, price)
            return equity > self.maintenance(holding, price)

        found = _edge(is_safe, self.quotes[holding.symbol].mark, is_long=holding.amount > 0)
        if holding.isolated:
            holding.liquidation = found
        return found

    def removable(self, holding: Holding) -> Decimal:
        """Return how much isolated margin may leave now. [quote]."""
        above_maintenance = holding.margin - self.maintenance(holding)
        above_initial = holding.margin + self.profit(holding) - self.initial(holding)
        return max(ZERO, min(above_maintenance, above_initial)).quantize(CENT, rounding=ROUND_FLOOR)

    def open_orders(self, symbol: str | None = None) -> list[Order]:
        """Return open orders, of one symbol or all."""
        return [
            o
            for o in self.orders.values()
            if o.is_open and (symbol is None or o.ask.symbol == symbol)
        ]

    def _reduces(self, ask: Ask) -> bool:
        """Whether the order may only ever shrink: asked for, or by its side in hedge mode."""
        if ask.reduce_only or ask.close_position:
            return True
        return (ask.position_side, ask.side) in (("LONG", "SELL"), ("SHORT", "BUY"))

    def _is_safe(self, holding: Holding) -> bool:
        return self.backing(holding) + self.profit(holding) > self.maintenance(holding)

    # moves of collateral

    def move_margin(self, symbol: str, side: str, amount: Decimal, *, add: bool) -> None:
        """Move collateral into an isolated position or out of it.

        Raises:
            Refused: With the reason; nothing has changed.
        """
        contract = self.contract(symbol)
        if not amount.is_finite() or amount <= 0:
            raise Refused(Reason.BAD_AMOUNT, "Amount must be positive.")
        if amount % CENT != 0:
            raise Refused(Reason.TOO_PRECISE, "Precision is over the maximum defined.")
        holding = self.holdings.get((symbol, side))
        if holding is None:
            raise Refused(Reason.NO_POSITION, "Cannot adjust margin: position is 0.")
        if not holding.isolated:
            raise Refused(Reason.NOT_ISOLATED, "Cannot adjust margin of a cross position.")
        if add and amount > self.available(contract.asset):
            raise Refused(Reason.INSUFFICIENT_BALANCE, "Margin is insufficient.")
        if not add and amount > self.removable(holding):
            raise Refused(Reason.NOT_REMOVABLE, "Isolated balance insufficient.")
        change = amount if add else -amount
        holding.margin += change
        self.cross[contract.asset] -= change
        self._touched(holding)
        self.margin_moves.append(
            MarginMove(
                symbol=symbol,
                side=side,
                asset=contract.asset,
                amount=change,
                at_ms=self.now_ms,
            )
        )

    def transfer(self, source: Wallet, destination: Wallet, asset: str, amount: Decimal) -> int:
        """Move collateral between wallets; return the id of the transfer.

        Raises:
            Refused: With the reason; nothing has changed.
        """
        if not amount.is_finite() or amount <= 0:
            raise Refused(Reason.BAD_AMOUNT, "Amount must be positive.")
        if amount % CENT != 0:
            raise Refused(Reason.TOO_PRECISE, "Precision is over the maximum defined.")
        if source == destination:
            raise Refused(Reason.BAD_AMOUNT, "Wallets must differ.")
        balance = self.spot.get(asset, ZERO) if source == "spot" else ZERO
        if source == "futures" and asset in self.cross:
            balance = self.available(asset)
        if amount > balance:
            raise Refused(Reason.INSUFFICIENT_BALANCE, "Balance is insufficient.")
        moved = Transfer(
            id=self._next_id(),
            source=source,
            destination=destination,
            asset=asset,
            amount=amount,
            at_ms=self.now_ms,
            arrives_ms=self.now_ms + self.transfer_delay_ms,
        )
        if source == "spot":
            self.spot[asset] -= amount
        else:
            self.cross[asset] -= amount
            self._book("", "TRANSFER", -amount, asset)
        self.transfers.append(moved)
        if self.transfer_delay_ms:
            self._in_transit.append(moved)
        else:
            self._credit(moved)
        return moved.id

    def is_shown(self, at_ms: int) -> bool:
        """Whether history shows what happened then already. [ms]."""
        return at_ms + self.history_lag_ms <= self.now_ms

    def in_transit(self, asset: str = "USDT") -> Decimal:
        """Return what left one wallet and has not reached the other. [asset]."""
        return sum((t.amount for t in self._in_transit if t.asset == asset), ZERO)

    def _credit(self, moved: Transfer) -> None:
        if moved.destination == "spot":
            self.spot[moved.asset] = self.spot.get(moved.asset, ZERO) + moved.amount
        else:
            self.cross[moved.asset] = self.cross.get(moved.asset, ZERO) + moved.amount
            self._book("", "TRANSFER", moved.amount, moved.asset)

    # settings

    def contract(self, symbol: str) -> Contract:
        """Return the rules of a contract.

        Raises:
            Refused: It is not listed.
        """
        if symbol not in self.contracts:
            raise Refused(Reason.UNKNOWN_SYMBOL, "Invalid symbol.")
        return self.contracts[symbol]

    def set_leverage(self, symbol: str, leverage: int) -> None:
        """Change the leverage setting.

        Raises:
            Refused: Out of range, or lower with an isolated position.
        """
        contract = self.contract(symbol)
        if not 1 <= leverage <= contract.brackets[0].leverage:
            raise Refused(Reason.BAD_LEVERAGE, f"Leverage {leverage} is not valid")
        held = [h for h in self.holdings.values() if h.symbol == symbol and h.isolated]
        if held and leverage < self.leverage[symbol]:
            raise Refused(
                Reason.LEVERAGE_WITH_POSITION,
                "Leverage reduction is not supported in Isolated Margin Mode with open positions",
            )
        self.leverage[symbol] = leverage

    def set_isolated(self, symbol: str, *, isolated: bool) -> None:
        """Change the margin type of a symbol.

        Raises:
            Refused: Unchanged, or with a position or open orders.
        """
        self.contract(symbol)
        if self.isolated[symbol] == isolated:
            raise Refused(Reason.UNCHANGED_MARGIN, "No need to change margin type.")
        if self.open_orders(symbol):
            raise Refused(
                Reason.MARGIN_WITH_ORDERS, "Margin type cannot be changed with open orders."
            )
        if any(h.symbol == symbol for h in self.holdings.values()):
            raise Refused(
                Reason.MARGIN_WITH_POSITION, "Margin type cannot be changed with a position."
            )
        self.isolated[symbol] = isolated

    def set_hedge_mode(self, *, hedge: bool) -> None:
        """Change the position mode.

        Raises:
            Refused: Unchanged, or with positions or open orders.
        """
        if self.hedge_mode == hedge:
            raise Refused(Reason.UNCHANGED_MODE, "No need to change position side.")
        if self.open_orders():
            raise Refused(
                Reason.MODE_WITH_ORDERS, "Position side cannot be changed with open orders."
            )
        if self.holdings:
            raise Refused(
                Reason.MODE_WITH_POSITION, "Position side cannot be changed with positions."
            )
        self.hedge_mode = hedge

    # bookkeeping

    def _touched(self, holding: Holding) -> None:
        holding.updated_ms, holding.liquidation = self.now_ms, None

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _pay(self, asset: str, symbol: str, kind: str, amount: Decimal) -> None:
        self.cross[asset] += amount
        self.exchange_account -= amount
        self._book(symbol, kind, amount, asset)

    def _book(self, symbol: str, kind: str, amount: Decimal, asset: str) -> None:
        if amount:
            self.income.append(
                Income(
                    id=self._next_id(),
                    symbol=symbol,
                    type=kind,
                    amount=amount,
                    asset=asset,
                    at_ms=self.now_ms,
                )
            )


def _edge(is_safe: Callable[[Decimal], bool], mark: Decimal, *, is_long: bool) -> Decimal:
    """Return the price where safety ends, by bisection; 0 where it never does. [quote/base]."""
    low, high = ZERO, mark
    if is_long:
        if is_safe(mark / 10**6):
            return ZERO
        while not is_safe(high):
            low, high = high, high * 2
    else:
        while is_safe(high):
            low, high = high, high * 2
    for _ in range(SEARCH_STEPS):
        middle = (low + high) / 2
        if is_safe(middle) == is_long:
            high = middle
        else:
            low = middle
    return high

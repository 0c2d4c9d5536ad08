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
    Demand,
    Holding,
    Income,
    Kind,
    Liquidation,
    MarginMove,
    Order,
    Quote,
    Reason,
    Refused,
    Trade,
    Transfer,
    by_worth,
)

CENT = Decimal("0.00000001")
"""Finest step of any balance. [asset]"""
SEARCH_STEPS = 60
FIRST_ID = 2_146_760_000_000_000_000
"""Of orders, fills and moves: 19 digits, as long as those of venues."""
REACH = 10**6
"""How far from mark the edge of safety is looked for first, as a factor."""
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
        # What contracts settle in, USDT also where none does.
        assets = ["USDT", *(contract.asset for contract in contracts.values())]
        self.insurance = dict.fromkeys(assets, insurance)
        """What the fund of each asset has left. [asset]"""
        self.grosses_added = False
        """Whether margin beyond the initial is grossed by the taker fee: up for what gains with the
        worth of its contract, a linear long or an inverse short, and down for the other two."""
        self.funds_from_wallet = False
        """Whether funding is paid by the wallet first, also of isolated positions."""
        self.spot = dict.fromkeys(assets, ZERO)
        self.cross = dict.fromkeys(assets, ZERO)
        """Futures wallets without isolated margin. [asset]"""
        self.holdings: dict[tuple[str, str], Holding] = {}
        self.leverage: dict[str, int] = dict.fromkeys(self.contracts, 20)
        self.isolated: dict[str, bool] = dict.fromkeys(self.contracts, True)
        self.orders: dict[int, Order] = {}
        self.trades: list[Trade] = []
        self.margin_moves: list[MarginMove] = []
        self.transfers: list[Transfer] = []
        self.income: list[Income] = []
        self.liquidations: list[Liquidation] = []
        self.demand: Demand = by_worth
        """What a position must hold; venues differ, `bot.paper.fronts` knows."""
        self.exchange_account = dict.fromkeys(assets, ZERO)
        """The other side of every fee, result and funding payment, for conservation. [asset]"""
        self._last_id = FIRST_ID
        self._in_transit: list[Transfer] = []
        self._client_ids: dict[str, int] = {}

    # what it amounts to

    def profit(self, holding: Holding, mark: Decimal | None = None) -> Decimal:
        """Return the unrealized result of a position, at mark or at a price. [asset]."""
        price = self.quotes[holding.symbol].mark if mark is None else mark
        return self.contracts[holding.symbol].profit(holding.amount, holding.entry, price)

    def maintenance(self, holding: Holding, mark: Decimal | None = None) -> Decimal:
        """Return the maintenance margin of a position, at mark or at a price. [asset]."""
        price = self.quotes[holding.symbol].mark if mark is None else mark
        return self.demand(self.contracts[holding.symbol], abs(holding.amount), price)

    def initial(self, holding: Holding) -> Decimal:
        """Return the initial margin of a position at mark and its leverage setting. [asset]."""
        contract, mark = self.contracts[holding.symbol], self.quotes[holding.symbol].mark
        return contract.worth(abs(holding.amount), mark) / self.leverage[holding.symbol]

    def backing(self, holding: Holding) -> Decimal:
        """Return what counts of the margin of a position. [asset]."""
        if not (self.grosses_added and holding.isolated):
            return holding.margin
        contract = self.contracts[holding.symbol]
        entered = contract.worth(abs(holding.amount), holding.entry)
        added = holding.margin - entered / self.leverage[holding.symbol]
        if added <= 0:
            return holding.margin
        gains = (holding.amount > 0) == (contract.kind is Kind.LINEAR)
        turn = 1 - contract.taker if gains else 1 + contract.taker
        return holding.margin - added + added / turn

    def order_initial(self, asset: str = "USDT") -> Decimal:
        """Return the margin that opening orders hold. [asset]."""
        held = ZERO
        for order in self.open_orders():
            ask, contract = order.ask, self.contracts[order.ask.symbol]
            if ask.type == "LIMIT" and contract.asset == asset and not self._reduces(ask):
                worth = contract.worth(order.size - order.filled, ask.price)
                held += worth / self.leverage[ask.symbol]
        return held

    def available(self, asset: str = "USDT") -> Decimal:
        """Return what may be moved or opened with now. [asset]."""
        crossed = [h for h in self.settled_in(asset) if not h.isolated]
        losses = sum((self.profit(h) for h in crossed), ZERO)
        held = sum((self.initial(h) for h in crossed), ZERO) + self.order_initial(asset)
        return max(ZERO, self.cross[asset] + min(losses, ZERO) - held)

    def wallet_balance(self, asset: str = "USDT") -> Decimal:
        """Return the futures wallet with the margin inside positions. [asset]."""
        return self.cross[asset] + sum((h.margin for h in self.settled_in(asset)), ZERO)

    def equity(self, asset: str = "USDT") -> Decimal:
        """Return the futures wallet with margin and unrealized results of positions. [asset]."""
        profits = (self.profit(h) for h in self.settled_in(asset))
        return self.wallet_balance(asset) + sum(profits, ZERO)

    def settled_in(self, asset: str) -> list[Holding]:
        """Return the open positions of the contracts that settle in an asset."""
        return [h for h in self.holdings.values() if self.contracts[h.symbol].asset == asset]

    def liquidation_price(self, holding: Holding) -> Decimal:
        """Return the mark at which the position is taken over; 0 when there is none. [quote/base].

        Found by bisection on equity minus maintenance margin, both in the asset the contract
        settles in. A cross position moves with the other side of its hedge, and both have one
        price; what else shares that asset's wallet is held where it is now. Where no price is safe
        any more it is mark for a hedge, else it lies out of reach on the side of gains.
        """
        if holding.isolated and holding.liquidation is not None:
            return holding.liquidation
        contract, mark = self.contracts[holding.symbol], self.quotes[holding.symbol].mark
        legs, fixed = [holding], self.backing(holding)
        if not holding.isolated:
            shared = [h for h in self.settled_in(contract.asset) if not h.isolated]
            legs = [h for h in shared if h.symbol == holding.symbol]
            rest = [h for h in shared if h.symbol != holding.symbol]
            fixed = self.cross[contract.asset] + sum(
                (self.profit(h) - self.maintenance(h) for h in rest), ZERO
            )

        def is_safe(price: Decimal) -> bool:
            equity = sum((self.profit(h, price) for h in legs), fixed)
            return equity > sum((self.maintenance(h, price) for h in legs), ZERO)

        is_long = sum((h.amount for h in legs), ZERO) > 0
        if len(legs) > 1 and not is_safe(mark):
            return mark
        found = _edge(is_safe, mark, contract.kind, is_long=is_long)
        far = mark * REACH if is_long else mark / REACH
        if len(legs) > 1 and not found and not is_safe(far):
            # What the larger side gains is less than what both need more.
            found = _edge(is_safe, mark, contract.kind, is_long=not is_long)
        if holding.isolated:
            holding.liquidation = found
        return found

    def removable(self, holding: Holding) -> Decimal:
        """Return how much isolated margin may leave now. [asset]."""
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

    def transfer(
        self,
        source: Wallet,
        destination: Wallet,
        asset: str,
        amount: Decimal,
        *,
        client_id: str = "",
    ) -> int:
        """Move collateral between wallets; return the id of the transfer.

        Raises:
            Refused: With the reason; nothing has changed.
        """
        if client_id and any(moved.client_id == client_id for moved in self.transfers):
            raise Refused(Reason.DUPLICATE_ID, "Transfer id is duplicated.")
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
            client_id=client_id,
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

    def transfer_of(
        self, *, transfer_id: int | None = None, client_id: str | None = None
    ) -> Transfer | None:
        """Return a transfer by either id, ``None`` where there is none."""
        for moved in self.transfers:
            if moved.id == transfer_id or (client_id and moved.client_id == client_id):
                return moved
        return None

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

    def set_all_isolated(self, *, isolated: bool) -> None:
        """Change the margin type of every symbol at once, where a venue has one per account.

        Raises:
            Refused: Unchanged, or with any position or open order.
        """
        if all(now == isolated for now in self.isolated.values()):
            raise Refused(Reason.UNCHANGED_MARGIN, "No need to change margin type.")
        if self.open_orders():
            raise Refused(
                Reason.MARGIN_WITH_ORDERS, "Margin type cannot be changed with open orders."
            )
        if self.holdings:
            raise Refused(
                Reason.MARGIN_WITH_POSITION, "Margin type cannot be changed with a position."
            )
        self.isolated = dict.fromkeys(self.contracts, isolated)

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
        self.exchange_account[asset] -= amount
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


def _edge(
    is_safe: Callable[[Decimal], bool], mark: Decimal, kind: Kind, *, is_long: bool
) -> Decimal:
    """Return the price where safety ends; 0 where it never does. [quote/base].

    An inverse contract is straight in one over the price, and long there is short.
    """
    if kind is Kind.LINEAR:
        return _bisect(is_safe, mark, is_long=is_long)
    found = _bisect(lambda inverted: is_safe(1 / inverted), 1 / mark, is_long=not is_long)
    return 1 / found if found else ZERO


def _bisect(is_safe: Callable[[Decimal], bool], mark: Decimal, *, is_long: bool) -> Decimal:
    """Return where safety ends below a long's mark or above a short's; 0 where it never does."""
    low, high = ZERO, mark
    if is_long:
        if is_safe(mark / REACH):
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

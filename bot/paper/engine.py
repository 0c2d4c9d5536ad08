"""What happens on the exchange as time passes and clients ask for things?

Liquidation steps equity against maintenance margin at mark, second by second; the liquidation
price that is shown is found by search over the same two functions. Nothing here is shared with
the bot's margin rules, so a mistake in its algebra cannot hide in its judge.
"""

from collections.abc import Callable, Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Literal

from bot.paper import book
from bot.paper.market import HOUR, SECOND, Candles, Feed
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

FUNDING_INTERVAL = 8 * HOUR
CENT = Decimal("0.00000001")
"""Finest step of any balance. [quote]"""
SEARCH_STEPS = 60
Wallet = Literal["spot", "futures"]


class Engine:
    """One account on one exchange."""

    def __init__(
        self,
        *,
        contracts: Mapping[str, Contract],
        feed: Feed,
        start_ms: int,
        releases_margin: Literal["pro_rata", "stays"] = "pro_rata",
        transfer_delay_ms: int = 0,
        history_lag_ms: int = 0,
        insurance: Decimal = Decimal(10_000_000),
    ) -> None:
        self.contracts = {symbol: contracts[symbol] for symbol in feed.symbols}
        self.start_ms = start_ms
        self.now_ms = start_ms
        self.hedge_mode = False
        self.releases_margin = releases_margin
        self.transfer_delay_ms = transfer_delay_ms
        self.history_lag_ms = history_lag_ms
        """How long after its effect a row is missing from what history shows. [ms]"""
        self.insurance = insurance
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
        self._feed = feed
        self._last_id = 0
        self._in_transit: list[Transfer] = []
        self._client_ids: dict[str, int] = {}
        self.candles = {symbol: Candles(feed.history(symbol)) for symbol in self.contracts}
        self.quotes: Mapping[str, Quote] = feed.step(start_ms)
        self._take_candles()

    # time

    def advance(self, to_ms: int) -> None:
        """Let market time pass up to an instant, one second at a time. [ms]."""
        while self.now_ms + SECOND - self.now_ms % SECOND <= to_ms:
            self.now_ms += SECOND - self.now_ms % SECOND
            self._tick()
        self.now_ms = max(self.now_ms, to_ms)

    def _tick(self) -> None:
        self.quotes = self._feed.step(self.now_ms)
        self._take_candles()
        for transfer in [t for t in self._in_transit if t.arrives_ms <= self.now_ms]:
            self._in_transit.remove(transfer)
            self._credit(transfer)
        if self.orders:
            self._trigger_orders()
        if not self.holdings:
            return
        if self.now_ms % FUNDING_INTERVAL == 0:
            self._pay_funding()
        self._liquidate()

    def _take_candles(self) -> None:
        for symbol, quote in self.quotes.items():
            if not quote.halted:
                self.candles[symbol].take(self.now_ms, quote.last)

    # what an account amounts to

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

        def is_safe(price: Decimal) -> bool:
            equity = holding.margin + others + self.profit(holding, price)
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

    # settings of the account

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

    def hold(self, symbol: str, amount: Decimal, *, leverage: int, isolated: bool = True) -> None:
        """Open a position at mark without a trade, for the start of a scenario.

        Its initial margin leaves the futures wallet; in hedge mode it goes to its own side.

        Raises:
            Refused: The wallet does not cover it.
        """
        contract = self.contract(symbol)
        mark = self.quotes[symbol].mark
        needed = (abs(amount) * mark / leverage).quantize(CENT)
        self.leverage[symbol], self.isolated[symbol] = leverage, isolated
        side = "BOTH"
        if self.hedge_mode:
            side = "LONG" if amount > 0 else "SHORT"
        if needed > self.available(contract.asset):
            raise Refused(Reason.INSUFFICIENT_MARGIN, f"futures wallet must hold {needed}")
        if isolated:
            self.cross[contract.asset] -= needed
        self.holdings[symbol, side] = Holding(
            symbol=symbol,
            side=side,
            amount=amount,
            entry=mark,
            isolated=isolated,
            margin=needed if isolated else ZERO,
            updated_ms=self.now_ms,
        )

    def deleverage(self, symbol: str, side: str, size: Decimal) -> None:
        """Close a part of a position against a counterparty's, as auto-deleveraging does."""
        holding = self.holdings[symbol, side]
        self._close(holding, self.contracts[symbol], size, self.quotes[symbol].mark, releases=True)
        if holding.amount:
            self._touched(holding)
        else:
            del self.holdings[symbol, side]

    def pay_funding(self) -> None:
        """Let a funding interval end now."""
        self._pay_funding()

    # orders

    def place(self, ask: Ask) -> Order:
        """Take an order and fill what can be filled now.

        Raises:
            Refused: With the reason; nothing has changed.
        """
        contract = self.contract(ask.symbol)
        quote = self.quotes[ask.symbol]
        self._check_ask(ask, contract, quote)
        order = Order(
            id=self._next_id(),
            client_id=ask.client_id or f"x{self._last_id:012d}",
            ask=ask,
            size=ask.size,
            status="NEW",
            filled=ZERO,
            cost=ZERO,
            at_ms=self.now_ms,
            updated_ms=self.now_ms,
        )
        self.orders[order.id] = order
        self._client_ids[order.client_id] = order.id
        if ask.type != "STOP_MARKET":
            self._match(order, contract, quote)
        return order

    def order(self, *, order_id: int | None = None, client_id: str | None = None) -> Order:
        """Return an order by either id.

        Raises:
            Refused: There is none.
        """
        if order_id is None and client_id is not None:
            order_id = self._client_ids.get(client_id)
        found = self.orders.get(order_id) if order_id is not None else None
        if found is None:
            raise Refused(Reason.UNKNOWN_ORDER, "Order does not exist.")
        return found

    def cancel(self, order: Order) -> None:
        """Cancel an open order.

        Raises:
            Refused: It is not open any more.
        """
        if not order.is_open:
            raise Refused(Reason.UNKNOWN_ORDER, "Unknown order sent.")
        order.status, order.updated_ms = "CANCELED", self.now_ms

    def open_orders(self, symbol: str | None = None) -> list[Order]:
        """Return open orders, of one symbol or all."""
        return [
            o
            for o in self.orders.values()
            if o.is_open and (symbol is None or o.ask.symbol == symbol)
        ]

    def _check_ask(self, ask: Ask, contract: Contract, quote: Quote) -> None:
        if ask.client_id and ask.client_id in self._client_ids:
            raise Refused(Reason.DUPLICATE_ID, "ClientOrderId is duplicated.")
        if (ask.position_side != "BOTH") != self.hedge_mode or (
            self.hedge_mode and ask.reduce_only
        ):
            raise Refused(
                Reason.POSITION_SIDE, "Order's position side does not match user's setting."
            )
        if ask.type == "STOP_MARKET":
            self._check_stop(ask, contract, quote)
        if not (ask.type == "STOP_MARKET" and ask.close_position):
            self._check_size(ask, contract)
        if ask.type == "LIMIT":
            self._check_price(ask, contract, quote)
        if quote.halted:
            raise Refused(Reason.HALTED, "Symbol is not trading.")
        if self._reduces(ask):
            if self._closable(ask) <= 0:
                raise Refused(Reason.REDUCE_ONLY, "ReduceOnly Order is rejected.")
        elif ask.type != "STOP_MARKET":
            self._check_opening(ask, contract, quote)

    def _check_stop(self, ask: Ask, contract: Contract, quote: Quote) -> None:
        if ask.stop <= 0:
            raise Refused(Reason.BAD_AMOUNT, "Stop price must be positive.")
        if ask.stop % contract.tick != 0:
            raise Refused(Reason.TOO_PRECISE, "Price not increased by tick size.")
        if _is_reached(ask, quote):
            raise Refused(Reason.WOULD_TRIGGER, "Order would immediately trigger.")
        twins = [o.ask for o in self.open_orders(ask.symbol) if o.ask.close_position]
        if ask.close_position and (ask.side, ask.position_side) in {
            (twin.side, twin.position_side) for twin in twins
        }:
            raise Refused(
                Reason.CLOSING_STOP_EXISTS,
                "An open stop or take profit order with GTE and closePosition in the direction is "
                "existing.",
            )

    def _check_price(self, ask: Ask, contract: Contract, quote: Quote) -> None:
        if ask.price <= 0 or not ask.price.is_finite():
            raise Refused(Reason.BAD_AMOUNT, "Price must be positive.")
        if ask.price % contract.tick != 0:
            raise Refused(Reason.TOO_PRECISE, "Price not increased by tick size.")
        if abs(ask.price - quote.mark) > quote.mark * contract.bound:
            raise Refused(Reason.PRICE_OUT_OF_BOUNDS, "Price is out of bounds.")

    def _check_opening(self, ask: Ask, contract: Contract, quote: Quote) -> None:
        value = ask.size * (ask.price if ask.type == "LIMIT" else quote.last)
        if value < contract.notional:
            raise Refused(
                Reason.BELOW_NOTIONAL,
                f"Order's notional must be no smaller than {contract.notional}",
            )
        needed = value / self.leverage[ask.symbol] + value * contract.taker
        if ask.size > self._closable(ask) and needed > self.available(contract.asset):
            raise Refused(Reason.INSUFFICIENT_MARGIN, "Margin is insufficient.")

    def _check_size(self, ask: Ask, contract: Contract) -> None:
        if not ask.size.is_finite() or ask.size <= 0:
            raise Refused(Reason.BAD_AMOUNT, "Quantity less than or equal to zero.")
        if ask.size % contract.lot != 0:
            raise Refused(Reason.TOO_PRECISE, "Precision is over the maximum defined.")
        most = contract.market_maximum if ask.type != "LIMIT" else contract.maximum
        if ask.size > most:
            raise Refused(Reason.ABOVE_MAXIMUM, "Quantity greater than max quantity.")

    def _reduces(self, ask: Ask) -> bool:
        """Whether the order may only ever shrink: asked for, or by its side in hedge mode."""
        if ask.reduce_only or ask.close_position:
            return True
        return (ask.position_side, ask.side) in (("LONG", "SELL"), ("SHORT", "BUY"))

    def _closable(self, ask: Ask) -> Decimal:
        holding = self.holdings.get((ask.symbol, ask.position_side))
        if holding is None:
            return ZERO
        closes = holding.amount < 0 if ask.side == "BUY" else holding.amount > 0
        return abs(holding.amount) if closes else ZERO

    def _match(self, order: Order, contract: Contract, quote: Quote) -> None:
        ask = order.ask
        wanted = order.size - order.filled
        if self._reduces(ask):
            wanted = min(wanted, self._closable(ask))
        limit = ask.price if ask.type == "LIMIT" else None
        fills = book.fill(contract, quote, ask.side, size=wanted, limit=limit)
        if ask.time_in_force == "FOK" and sum((s for _, s in fills), ZERO) < order.size:
            fills = []
        for price, size in fills:
            self._trade(order, contract, price, size, maker=False)
        order.updated_ms = self.now_ms
        rests = ask.type == "LIMIT" and ask.time_in_force == "GTC"
        if order.filled >= order.size:
            order.status = "FILLED"
        elif not rests:
            order.status = "EXPIRED"
        elif order.filled:
            order.status = "PARTIALLY_FILLED"

    def _trigger_orders(self) -> None:
        for order in self.open_orders():
            ask = order.ask
            contract, quote = self.contracts[ask.symbol], self.quotes[ask.symbol]
            if quote.halted:
                continue
            if ask.type == "STOP_MARKET":
                if _is_reached(ask, quote):
                    if ask.close_position:
                        order.size = self._closable(ask)
                    self._match(order, contract, quote)
                    if not order.size:
                        order.status = "EXPIRED"
                continue
            crossed = quote.last <= ask.price if ask.side == "BUY" else quote.last >= ask.price
            if crossed:
                size = order.size - order.filled
                if self._reduces(ask):
                    size = min(size, self._closable(ask))
                if size > 0:
                    self._trade(order, contract, ask.price, size, maker=True)
                order.status = "FILLED" if order.filled >= order.size else "EXPIRED"
                order.updated_ms = self.now_ms

    def _trade(
        self, order: Order, contract: Contract, price: Decimal, size: Decimal, *, maker: bool
    ) -> None:
        ask = order.ask
        signed = size if ask.side == "BUY" else -size
        profit = self._apply(contract, ask.position_side, signed, price)
        rate = contract.maker if maker else contract.taker
        paid = (size * price * rate).quantize(CENT)
        order.filled += size
        order.cost += size * price
        self._pay(contract.asset, ask.symbol, "COMMISSION", -paid)
        self.trades.append(
            Trade(
                id=self._next_id(),
                order_id=order.id,
                symbol=ask.symbol,
                side=ask.side,
                position_side=ask.position_side,
                size=size,
                price=price,
                profit=profit,
                fee=paid,
                maker=maker,
                at_ms=self.now_ms,
            )
        )

    def _apply(self, contract: Contract, side: str, signed: Decimal, price: Decimal) -> Decimal:
        """Change a position by a fill; return the realized result. [quote]."""
        key = (contract.id, side)
        holding = self.holdings.get(key)
        if holding is None:
            holding = Holding(
                symbol=contract.id,
                side=side,
                amount=ZERO,
                entry=price,
                isolated=self.isolated[contract.id],
                margin=ZERO,
                updated_ms=self.now_ms,
            )
            self.holdings[key] = holding
        profit = ZERO
        closing = min(abs(holding.amount), abs(signed)) if holding.amount * signed < 0 else ZERO
        if closing:
            profit = self._close(holding, contract, closing, price)
        opening = abs(signed) - closing
        if opening:
            self._open(holding, contract, opening if signed > 0 else -opening, price)
        if holding.amount == 0:
            del self.holdings[key]
        else:
            self._touched(holding)
        return profit

    def _close(
        self,
        holding: Holding,
        contract: Contract,
        size: Decimal,
        price: Decimal,
        *,
        releases: bool = False,
    ) -> Decimal:
        """Close a part; return the realized result. [quote]."""
        releases = releases or self.releases_margin == "pro_rata"
        before = abs(holding.amount)
        sign = 1 if holding.amount > 0 else -1
        profit = (sign * size * (price - holding.entry)).quantize(CENT)
        holding.amount -= sign * size
        if holding.isolated and (releases or not holding.amount):
            released = (
                holding.margin
                if not holding.amount
                else (holding.margin * size / before).quantize(CENT)
            )
            holding.margin -= released
            self.cross[contract.asset] += released
        self._pay(contract.asset, holding.symbol, "REALIZED_PNL", profit)
        return profit

    def _open(self, holding: Holding, contract: Contract, signed: Decimal, price: Decimal) -> None:
        total = holding.amount + signed
        holding.entry = (holding.amount * holding.entry + signed * price) / total
        holding.amount = total
        if holding.isolated:
            margin = (abs(signed) * price / self.leverage[holding.symbol]).quantize(CENT)
            holding.margin += margin
            self.cross[contract.asset] -= margin

    def _touched(self, holding: Holding) -> None:
        holding.updated_ms, holding.liquidation = self.now_ms, None

    # what the exchange does by itself

    def _pay_funding(self) -> None:
        for holding in self.holdings.values():
            quote = self.quotes[holding.symbol]
            paid = (holding.amount * quote.mark * quote.funding).quantize(CENT)
            asset = self.contracts[holding.symbol].asset
            if holding.isolated:
                holding.margin -= paid
                self.exchange_account += paid
                self._book(holding.symbol, "FUNDING_FEE", -paid, asset)
                self._touched(holding)
            else:
                self._pay(asset, holding.symbol, "FUNDING_FEE", -paid)

    def _liquidate(self) -> None:
        for key, holding in list(self.holdings.items()):
            if holding.isolated and not self._is_safe(holding):
                self._take_over(key, holding)
        crossed = [(k, h) for k, h in self.holdings.items() if not h.isolated]
        if crossed:
            equity = sum((self.profit(h) for _, h in crossed), self.cross["USDT"])
            if equity <= sum((self.maintenance(h) for _, h in crossed), ZERO):
                for key, holding in crossed:
                    self._take_over(key, holding)

    def _is_safe(self, holding: Holding) -> bool:
        return holding.margin + self.profit(holding) > self.maintenance(holding)

    def _take_over(self, key: tuple[str, str], holding: Holding) -> None:
        """Take a position over in steps down the brackets until the rest is safe."""
        contract = self.contracts[holding.symbol]
        for order in self.open_orders(holding.symbol):
            self.cancel(order)
        mark = self.quotes[holding.symbol].mark
        while key in self.holdings:
            size = self._step_down(holding, contract, mark)
            signed = size if holding.amount > 0 else -size
            wallet, margin = self.cross[contract.asset], holding.margin
            self._close(holding, contract, size, mark, releases=True)
            fee = (size * mark * contract.liquidation_fee).quantize(CENT)
            self._pay(contract.asset, holding.symbol, "INSURANCE_CLEAR", -fee)
            # The fund pays what the margin of the part does not: an isolated position never
            # costs more than its margin, an account never more than it holds.
            floor = wallet if holding.isolated else ZERO
            shortfall = floor - self.cross[contract.asset]
            if shortfall > 0:
                self._pay(contract.asset, holding.symbol, "INSURANCE_CLEAR", shortfall)
                self.insurance -= shortfall
            lost = wallet + margin - self.cross[contract.asset] - holding.margin
            self.liquidations.append(
                Liquidation(
                    symbol=holding.symbol,
                    side=holding.side,
                    size=signed,
                    price=mark,
                    loss=lost,
                    at_ms=self.now_ms,
                )
            )
            if not holding.amount:
                del self.holdings[key]
                return
            self._touched(holding)
            if holding.isolated and self._is_safe(holding):
                return

    def _step_down(self, holding: Holding, contract: Contract, mark: Decimal) -> Decimal:
        """Return how much is taken at once: down to the next lower bracket, else all."""
        value = abs(holding.amount) * mark
        floors = [b.floor for b in contract.brackets if 0 < b.floor < value]
        if not floors:
            return abs(holding.amount)
        keep = (floors[-1] / mark / contract.lot).to_integral_value(ROUND_FLOOR) * contract.lot
        return abs(holding.amount) - keep if keep else abs(holding.amount)

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


def _is_reached(ask: Ask, quote: Quote) -> bool:
    """Whether the price that a stop watches has got there."""
    price = quote.mark if ask.on_mark else quote.last
    return price >= ask.stop if ask.side == "BUY" else price <= ask.stop


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

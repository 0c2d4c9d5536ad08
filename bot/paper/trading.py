"""How are orders taken, and what does a fill change?"""

from decimal import Decimal

from bot.paper import book
from bot.paper.account import CENT, Account
from bot.paper.values import (
    ZERO,
    Ask,
    Contract,
    Holding,
    Order,
    Quote,
    Reason,
    Refused,
    Trade,
)


class Trading(Account):
    """An account whose orders are matched."""

    def hold(self, symbol: str, amount: Decimal, *, leverage: int, isolated: bool = True) -> None:
        """Open a position of a signed size at mark without a trade, for the start of a scenario.

        Its initial margin leaves the futures wallet; in hedge mode it goes to its own side.

        Raises:
            Refused: The wallet does not cover it.
        """
        contract = self.contract(symbol)
        mark = self.quotes[symbol].mark
        needed = (contract.worth(abs(amount), mark) / leverage).quantize(CENT)
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

    def fills(self, order: Order) -> list[Trade]:
        """Return what an order traded so far, time ascending."""
        return [trade for trade in self.trades if trade.order_id == order.id]

    def cancel(self, order: Order) -> None:
        """Cancel an open order.

        Raises:
            Refused: It is not open any more.
        """
        if not order.is_open:
            raise Refused(Reason.UNKNOWN_ORDER, "Unknown order sent.")
        order.status, order.updated_ms = "CANCELED", self.now_ms

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
        worth = contract.worth(ask.size, ask.price if ask.type == "LIMIT" else quote.last)
        if worth < contract.notional:
            raise Refused(
                Reason.BELOW_NOTIONAL,
                f"Order's notional must be no smaller than {contract.notional}",
            )
        needed = worth / self.leverage[ask.symbol] + worth * contract.taker
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
        worth = contract.worth(size, price)
        paid = (worth * rate).quantize(CENT)
        order.filled += size
        order.cost += worth
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
                asset=contract.asset,
                maker=maker,
                at_ms=self.now_ms,
            )
        )

    def _apply(self, contract: Contract, side: str, signed: Decimal, price: Decimal) -> Decimal:
        """Change a position by a fill; return the realized result. [asset]."""
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
        """Close a part; return the realized result. [asset]."""
        releases = releases or self.releases_margin == "pro_rata"
        before = abs(holding.amount)
        sign = 1 if holding.amount > 0 else -1
        profit = contract.profit(sign * size, holding.entry, price).quantize(CENT)
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
        if holding.amount:
            worth = contract.worth(holding.amount, holding.entry) + contract.worth(signed, price)
            holding.entry = contract.average(total, worth)
        else:
            holding.entry = price
        holding.amount = total
        if holding.isolated:
            worth = contract.worth(abs(signed), price)
            margin = (worth / self.leverage[holding.symbol]).quantize(CENT)
            holding.margin += margin
            self.cross[contract.asset] -= margin


def _is_reached(ask: Ask, quote: Quote) -> bool:
    """Whether the price that a stop watches has got there."""
    price = quote.mark if ask.on_mark else quote.last
    return price >= ask.stop if ask.side == "BUY" else price <= ask.stop

"""What happens on the exchange as time passes?

Liquidation steps equity against maintenance margin at mark, second by second.
"""

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Literal

from bot.paper.account import CENT
from bot.paper.market import HOUR, SECOND, Candles, Feed
from bot.paper.trading import Trading
from bot.paper.values import ZERO, Contract, Holding, Liquidation

FUNDING_INTERVAL = 8 * HOUR


class Engine(Trading):
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
        super().__init__(
            contracts={symbol: contracts[symbol] for symbol in feed.symbols},
            quotes=feed.step(start_ms),
            start_ms=start_ms,
            releases_margin=releases_margin,
            transfer_delay_ms=transfer_delay_ms,
            history_lag_ms=history_lag_ms,
            insurance=insurance,
        )
        self.start_ms = start_ms
        self._feed = feed
        self.candles = {symbol: Candles(feed.history(symbol)) for symbol in self.contracts}
        self._take_candles()

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
            self.pay_funding()
        self._liquidate()

    def _take_candles(self) -> None:
        for symbol, quote in self.quotes.items():
            if not quote.halted:
                self.candles[symbol].take(self.now_ms, quote.last)

    # what the exchange does by itself

    def pay_funding(self) -> None:
        """Let a funding interval end now."""
        for holding in self.holdings.values():
            quote = self.quotes[holding.symbol]
            contract = self.contracts[holding.symbol]
            paid = (contract.worth(holding.amount, quote.mark) * quote.funding).quantize(CENT)
            asset = contract.asset
            if holding.isolated and not self._wallet_pays(asset, paid):
                holding.margin -= paid
                self.exchange_account[asset] += paid
                self._book(holding.symbol, "FUNDING_FEE", -paid, asset)
                self._touched(holding)
            else:
                self._pay(asset, holding.symbol, "FUNDING_FEE", -paid)

    def _wallet_pays(self, asset: str, paid: Decimal) -> bool:
        return self.funds_from_wallet and paid <= self.available(asset)

    def deleverage(self, symbol: str, side: str, size: Decimal) -> None:
        """Close a part of a position against a counterparty's, as auto-deleveraging does."""
        holding = self.holdings[symbol, side]
        self._close(holding, self.contracts[symbol], size, self.quotes[symbol].mark, releases=True)
        if holding.amount:
            self._touched(holding)
        else:
            del self.holdings[symbol, side]

    def _liquidate(self) -> None:
        for key, holding in list(self.holdings.items()):
            if holding.isolated and not self._is_safe(holding):
                self._take_over(key, holding)
        for asset, wallet in list(self.cross.items()):
            crossed = [h for h in self.settled_in(asset) if not h.isolated]
            if not crossed:
                continue
            equity = sum((self.profit(h) for h in crossed), wallet)
            if equity <= sum((self.maintenance(h) for h in crossed), ZERO):
                for holding in crossed:
                    self._take_over((holding.symbol, holding.side), holding)

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
            fee = (contract.worth(size, mark) * contract.liquidation_fee).quantize(CENT)
            self._pay(contract.asset, holding.symbol, "INSURANCE_CLEAR", -fee)
            # The fund pays what the margin of the part does not: an isolated position never
            # costs more than its margin, an account never more than it holds.
            floor = wallet if holding.isolated else ZERO
            shortfall = floor - self.cross[contract.asset]
            if shortfall > 0:
                self._pay(contract.asset, holding.symbol, "INSURANCE_CLEAR", shortfall)
                self.insurance[contract.asset] -= shortfall
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
        worth = contract.worth(abs(holding.amount), mark)
        floors = [b.floor for b in contract.brackets if 0 < b.floor < worth]
        if not floors:
            return abs(holding.amount)
        lots = contract.size_of(floors[-1], mark) / contract.lot
        keep = lots.to_integral_value(ROUND_FLOOR) * contract.lot
        return abs(holding.amount) - keep if keep else abs(holding.amount)

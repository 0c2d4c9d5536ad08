"""What do the exchange's own books say, as plain rows for the judge?"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar
from urllib.parse import parse_qs

from bot.execute.books import Books as OwnBooks
from bot.execute.transit import Place, margin_of
from bot.judge.ledger import Fill, Limits, Move, Passage, faults, unbalanced
from bot.paper.engine import Engine
from bot.simulate.network import Sent
from bot.simulate.weather import Wire

T = TypeVar("T")
OWNED = frozenset({"spot", "futures"})
ZERO = Decimal(0)
EXACT = Decimal("0.00000001")


class Books:
    """Watches an exchange from outside: after each event it books what is new."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.moves: list[Move] = []
        self.passages: list[Passage] = []
        self.fills: list[Fill] = []
        self.unbalanced: list[str] = []
        self._moves = self._passages = self._trades = 0
        self._sizes = self._held()
        self._opening = self._total()
        self._outside = engine.exchange_account["USDT"]

    def around(self, act: Callable[[], T]) -> T:
        """Let a request of the bot take effect, and book it."""
        self._sizes = self._held()
        result = act()
        self.look()
        return result

    def look(self, *, by_bot: bool = True) -> None:
        """Book what is new since the last look."""
        engine = self._engine
        for move in engine.margin_moves[self._moves :]:
            self.moves.append(
                Move(
                    at_ms=move.at_ms,
                    position=f"{move.symbol} {move.side}",
                    amount=move.amount,
                    left=engine.cross["USDT"],
                    by_bot=by_bot,
                )
            )
        for moved in engine.transfers[self._passages :]:
            left = engine.spot["USDT"] if moved.source == "spot" else engine.cross["USDT"]
            self.passages.append(
                Passage(
                    at_ms=moved.at_ms,
                    arrived_ms=moved.arrives_ms,
                    source=moved.source,
                    destination=moved.destination,
                    amount=moved.amount,
                    left=left,
                )
            )
        if len(engine.trades) > self._trades:
            self._book_fills()
        self._moves, self._passages = len(engine.margin_moves), len(engine.transfers)
        self._trades = len(engine.trades)
        self._balance()

    def faults(
        self,
        writes: Sequence[Sent],
        *,
        margin_per_hour: Decimal,
        margin_per_day: Decimal,
        floors: Mapping[str, Decimal],
    ) -> list[str]:
        """Return what the judge finds in the books."""
        limits = Limits(
            margin_per_hour=margin_per_hour,
            margin_per_day=margin_per_day,
            floors=dict(floors),
            wallets=OWNED,
        )
        twice = frozenset(
            Decimal(amount)
            for sent in writes
            if sent.fault is Wire.DUPLICATED
            for amount in parse_qs(sent.content).get("amount", [])
        )
        found = faults(self.moves, self.passages, self.fills, limits, delivered_twice=twice)
        return [*found, *self.unbalanced[:1]]

    def digest(self) -> str:
        """Return a hash over every row, in hex."""
        rows = repr((self.moves, self.passages, self.fills))
        return hashlib.sha256(rows.encode()).hexdigest()

    def _book_fills(self) -> None:
        now = self._held()
        at_ms = self._engine.trades[-1].at_ms
        new = self._engine.trades[self._trades :]
        for key in dict.fromkeys(f"{t.symbol} {t.position_side}" for t in new):
            before, after = self._sizes.get(key, ZERO), now.get(key, ZERO)
            self.fills.append(Fill(at_ms=at_ms, position=key, before=before, after=after))
        self._sizes = now

    def _held(self) -> dict[str, Decimal]:
        return {f"{h.symbol} {h.side}": h.amount for h in self._engine.holdings.values()}

    def _total(self) -> Decimal:
        engine = self._engine
        return engine.wallet_balance() + engine.spot["USDT"] + engine.in_transit()

    def _balance(self) -> None:
        engine = self._engine
        margins = sum((h.margin for h in engine.holdings.values()), ZERO)
        self.unbalanced += unbalanced(
            wallets=engine.cross["USDT"] + engine.spot["USDT"],
            margins=margins,
            pending=engine.in_transit(),
            opening=self._opening,
            booked=self._outside - engine.exchange_account["USDT"],
        )


def disagreements(own: OwnBooks | None, engine: Engine) -> list[str]:
    """Return where a bot's books and the exchange's differ, once nothing is on its way.

    Args:
        own: The bot's.
        engine: The exchange.
    """
    if own is None:
        return ["the bot has no books"]
    if own.picture or own.ledger.is_pending():
        return [f"I4: the bot's books are open: {own.picture or 'something is on its way'}"]
    there: dict[Place, Decimal] = {
        Place("futures", "USDT"): engine.cross["USDT"],
        Place("spot", "USDT"): engine.spot["USDT"],
    }
    for holding in engine.holdings.values():
        place = margin_of(f"{holding.symbol.removesuffix('USDT')}/USDT:USDT")
        there[place] = there.get(place, ZERO) + holding.margin
    ours = own.ledger.balances()
    return [
        f"I4: the bot's books have {ours.get(place, ZERO)} at {place.where}, the exchange "
        f"{there.get(place, ZERO)}"
        for place in sorted({*ours, *there})
        if abs(ours.get(place, ZERO) - there.get(place, ZERO)) >= EXACT
    ]

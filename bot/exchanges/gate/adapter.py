"""How does one Gate account look, and how is it acted on?

Sizes are contracts at the venue and coins everywhere else: they change in `parse` and `write`. The
wallet that the bot calls ``futures`` is the futures account settled in USDT, ``spot`` the owner's
spot account.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.account import Wallet
from bot.domain.intent import Intent
from bot.domain.ledger import LedgerRow
from bot.domain.market import Bars, Market
from bot.domain.observation import Observation
from bot.domain.position import MarginMode, Position, PositionKey, PositionMode
from bot.errors import Denied, Incomplete
from bot.exchanges.adapter import TornError
from bot.exchanges.client import Client, all_of
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.dialect import Write
from bot.exchanges.faults import NoSuchOrderError
from bot.exchanges.gate import parse
from bot.exchanges.gate.dialect import WINDOW_MS
from bot.exchanges.gate.evidence import Evidence
from bot.exchanges.gate.glance import Glance
from bot.exchanges.gate.history import MARK, GateHistory
from bot.exchanges.gate.ledger import Statement
from bot.exchanges.gate.pages import all_pages
from bot.exchanges.gate.parse import SETTLE
from bot.exchanges.gate.rules import Rules
from bot.exchanges.gate.stops import Stops
from bot.exchanges.gate.write import COLLATERAL_STEP, applied, write_for
from bot.exchanges.margins import Margins
from bot.exchanges.numbers import instant, number, rows, table, text, whole
from bot.exchanges.quota import Lane
from bot.exchanges.unlisted import Unlisted
from bot.exchanges.venue_time import VenueTime

BOOK_LEVELS = 50
MOST_BARS = 1999
INTERVALS = {300: "5m", 900: "15m", 3600: "1h"}
COIN_SETTLE = "btc"
"""Of contracts that are not protected, and must not be lost."""
DUST = Decimal("0.01")
AGREES = Decimal("0.05")
"""Gap between the margins of positions and what the account says of them. [ratio]"""


class GateVenue(Unlisted):
    """One account; a `Venue`."""

    def __init__(self, settings: ConnectionSettings, client: Client, clock: VenueClock) -> None:
        rules = Rules(
            client,
            clock,
            venue=settings.venue,
            symbols=settings.symbols,
            margin_release=settings.margin_release,
        )
        stops, glance = Stops(client, clock, rules.coins), Glance(client, rules.ids)
        super().__init__(
            settings,
            client,
            clock,
            time=VenueTime(self._ask_time, clock),
            rules=rules,
            glance=glance,
            stops=stops,
            history=GateHistory(client, self._now_ms, sleep=clock.sleep),
        )
        self._rules: Rules = rules
        self._glance: Glance = glance
        self._api, self._coins = client.api, rules.coins
        self._margins = Margins(
            self._read_position, clock, window=WINDOW_MS / 1000, finest=COLLATERAL_STEP
        )
        self._statement = Statement(client, sleep=clock.sleep)
        self._evidence = Evidence(
            client,
            clock,
            stops=stops,
            margins=self._margins,
            statement=self._statement,
            ids=self._ids,
            coins=self._coins,
        )
        self._is_spot_empty = False
        """Whether two answers agreed that the spot account holds nothing."""

    async def rows(self, since: datetime) -> tuple[LedgerRow, ...]:
        """Return every line of the venue's ledger since an instant, by time.

        Raises:
            ExchangeError: A list could not be read to its end.
        """
        return await self._statement.read(
            since,
            self._now(),
            symbols={name: symbol for symbol, name in self._ids.items()},
            has_spot="spot" in self._settings.wallets,
        )

    def _write_for(self, intent: Intent) -> Write | str:
        return write_for(intent, self._ids, self._rules.mode, self._instruments, self._coins)

    def _applied(self, intent: Intent, write: Write, answer: Any) -> Decimal | None:
        del write
        return applied(intent, answer, self._rules.mode, self._ids, self._coins)

    async def _ask_time(self) -> datetime:
        answer = await self._client.read(self._api.publicSpotGetTime, {})
        return instant(whole(table(answer, "time"), "server_time"))

    async def _look(self) -> Observation:
        asked_at = self._now()
        wanted = self._settings.symbols
        held, others, account, funds, *tickers = await all_of([
            self._positions(SETTLE),
            self._coin_positions(),
            self._client.read(self._api.privateFuturesGetSettleAccounts, {"settle": SETTLE}),
            self._funds(),
            *(self._glance.row(self._ids[symbol]) for symbol in wanted),
        ])  # fmt: skip
        _check_kinds(others)
        owner = parse.owner(account)
        _check_whole(held, owner)
        self._rules.mode = owner.mode
        marks = dict(zip(wanted, tickers, strict=True))
        unwatched = await self._unwatched(held, marks)
        symbols = [*wanted, *unwatched]
        positions = [self._position(row) for row in held]
        self._margins.saw(p for p in positions if p.margin_mode is MarginMode.ISOLATED)
        depths = await self._beside(symbols, positions)
        wallets = [parse.futures_wallet(owner, positions), *funds]
        return self._observation(
            asked_at,
            positions,
            wallets,
            tuple(self._market(symbol, marks[symbol], asked_at, depths) for symbol in symbols),
        )

    async def _positions(self, settle: str) -> list[dict[str, Any]]:
        call = self._api.privateFuturesGetSettlePositions
        asked = {"settle": settle, "holding": "true"}
        found = await all_pages(self._client, call, asked, f"positions in {settle}")
        return [row for row in found if number(row, "size") != 0]

    async def _coin_positions(self) -> list[dict[str, Any]]:
        """Return what is held of contracts that settle in bitcoin; none without such an account."""
        try:
            return await self._positions(COIN_SETTLE)
        except NoSuchOrderError:
            return []

    async def _funds(self) -> list[Wallet]:
        """Return the spot wallet; a row that is missing is asked for again.

        The list leaves out what is 0, so a broken answer looks like an empty account: absence is
        believed once two answers agree on it.
        """
        if "spot" not in self._settings.wallets:
            return []
        found = await self._ask_funds()
        if not found and not self._is_spot_empty:
            found = await self._ask_funds()
        self._is_spot_empty = not found
        return [parse.spot_wallet(found)]

    async def _ask_funds(self) -> list[dict[str, Any]]:
        asked = {"currency": SETTLE.upper()}
        answer = await self._client.read(self._api.privateSpotGetAccounts, asked)
        return rows(answer, "spot account")

    async def _unwatched(
        self, held: list[dict[str, Any]], marks: dict[str, dict[str, Any]]
    ) -> list[str]:
        """Return held symbols that are not configured, with their marks and rules read."""
        new = sorted({self._rules.symbol(row) for row in held} - set(marks))
        tickers = await all_of([self._glance.row(self._ids[symbol]) for symbol in new])
        marks.update(zip(new, tickers, strict=True))
        await self._rules.need([*marks])
        return new

    def _position(self, row: Mapping[str, Any]) -> Position:
        symbol = self._rules.symbol(row)
        return parse.position(row, symbol, coins=self._coins[symbol])

    async def _read_position(self, key: PositionKey) -> Position | None:
        """Return one isolated position as it is now; ``None`` where it is not held.

        Raises:
            ExchangeError: No usable answer.
        """
        asked = {"settle": SETTLE, "contract": self._ids[key.symbol]}
        if self._rules.mode is PositionMode.ONE_WAY:
            call = self._api.privateFuturesGetSettlePositionsContract
        else:
            call = self._api.privateFuturesGetSettleDualCompPositionsContract
        answer = await self._client.read(call, asked, lane=Lane.SETTLE)
        found = [answer] if isinstance(answer, dict) else answer
        for row in rows(found, "position"):
            if text(row, "contract") != asked["contract"]:
                raise Incomplete(f"position must be of {asked['contract']}, was of another")
            if number(row, "size"):
                position = self._position(row)
                if position.key == key and position.margin_mode is MarginMode.ISOLATED:
                    return position
        return None

    async def _read_depth(self, symbol: str) -> Mapping[str, Any]:
        asked = {"settle": SETTLE, "contract": self._ids[symbol], "limit": BOOK_LEVELS}
        answer = await self._client.read(self._api.publicFuturesGetSettleOrderBook, asked)
        return parse.book(answer, symbol)

    async def _read_bars(self, symbol: str, now_ms: int) -> Bars:
        seconds = self._settings.bar_seconds
        answer = await self._client.read(
            self._api.publicFuturesGetSettleCandlesticks,
            {
                "settle": SETTLE,
                "contract": MARK + self._ids[symbol],
                "interval": INTERVALS[seconds],
                "limit": min(self._settings.bars + 1, MOST_BARS),
            },
        )
        return parse.bars(parse.candles(answer, symbol), seconds=seconds, now_ms=now_ms)

    def _market(
        self,
        symbol: str,
        ticker: Mapping[str, Any],
        at: datetime,
        depths: Mapping[str, Mapping[str, Any]],
    ) -> Market:
        return parse.market(
            ticker,
            symbol,
            at=at,
            bars=self._bars.of(symbol),
            depth=depths.get(symbol),
            coins=self._coins[symbol],
        )

    async def _check_rights(self) -> None:
        if self._settings.mode == "testnet":
            return  # the test hosts have money of their own, and no withdrawals
        answer = await self._client.read(self._api.privateAccountGetMainKeys, {})
        may_write = parse.rights(answer, self._settings.api_key)
        if any("withdraw" in name for name in may_write):
            raise Denied("the API key must not be able to withdraw: turn that right off")
        if not may_write.get("futures"):
            raise Denied("the API key must be able to trade perpetuals: turn that right on")
        is_able = may_write.get("wallet") and "spot" in may_write
        if "spot" in self._settings.wallets and not is_able:
            raise Denied(
                "the API key must be able to transfer and to read the spot account, since "
                "transfer_from names it: turn wallet on, and spot for reading"
            )


def _check_kinds(others: Sequence[Mapping[str, Any]]) -> None:
    """Accept an account only if all it holds is understood.

    Raises:
        Incomplete: It holds contracts that are settled in bitcoin.
    """
    if others:
        names = ", ".join(sorted({text(row, "contract") for row in others}))
        raise Incomplete(f"positions must be linear to be protected, were also {names}")


def _check_whole(held: Sequence[Mapping[str, Any]], owner: parse.Owner) -> None:
    """Accept positions only if the account tells the same margin behind isolated ones.

    An empty list is not flat until the account agrees: broken answers arrive as empty lists.
    Whether the account counts unrealised results as margin is not documented: either fits.

    Raises:
        TornError: They differ; the next look may be whole.
    """
    isolated = [row for row in held if number(row, "leverage") > 0]
    margins = sum((number(row, "margin") for row in isolated), Decimal(0))
    results = sum((number(row, "unrealised_pnl") for row in isolated), Decimal(0))
    room = AGREES * owner.isolated + DUST
    if all(abs(owner.isolated - told) > room for told in (margins, margins + results)):
        raise TornError(
            f"positions and account must tell the same margin, told {margins} and {owner.isolated}"
        )

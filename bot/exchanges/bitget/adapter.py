"""How does one Bitget account look, and how is it acted on?

The wallet that the bot calls ``futures`` is the account of contracts settled in USDT, ``spot`` the
owner's spot account. Contracts settled otherwise have accounts of their own, which are not looked
at.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.account import Wallet
from bot.domain.action import ReducePosition
from bot.domain.intent import Intent
from bot.domain.ledger import LedgerRow
from bot.domain.market import Bars, Market
from bot.domain.observation import Observation
from bot.domain.position import Position
from bot.errors import Denied, Incomplete
from bot.exchanges.adapter import Adapter, TornError
from bot.exchanges.bitget import parse
from bot.exchanges.bitget.answers import COIN, MIX, listed, page, single
from bot.exchanges.bitget.bars import BitgetHistory, MarkBars
from bot.exchanges.bitget.evidence import Evidence
from bot.exchanges.bitget.glance import Glance
from bot.exchanges.bitget.ledger import Statement
from bot.exchanges.bitget.rules import Rules
from bot.exchanges.bitget.stops import Stops
from bot.exchanges.bitget.write import applied, is_taken, write_for
from bot.exchanges.client import Client, all_of
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.dialect import Write
from bot.exchanges.numbers import amount, instant, number, text, whole
from bot.exchanges.patience import once_known
from bot.exchanges.venue_time import VenueTime

BOOK_LEVELS = "50"
ORDERS_PAGE = 100
FLAT = Decimal(0)
AGREES, SMALL = Decimal("0.001"), Decimal("0.01")
"""Gap between the margins of positions and what the account says it holds of them: what is written
with other digits. [ratio], [quote]"""


class BitgetVenue(Adapter):
    """One account; a `Venue`."""

    def __init__(self, settings: ConnectionSettings, client: Client, clock: VenueClock) -> None:
        rules = Rules(
            client,
            clock,
            venue=settings.venue,
            symbols=settings.symbols,
            margin_release=settings.margin_release,
        )
        stops, glance = Stops(client, clock), Glance(client, rules.ids)
        super().__init__(
            settings,
            client,
            clock,
            time=VenueTime(self._ask_time, clock),
            rules=rules,
            glance=glance,
            stops=stops,
            history=BitgetHistory(client, sleep=clock.sleep),
        )
        self._rules: Rules = rules
        self._glance: Glance = glance
        self._paged = MarkBars(
            client, seconds=settings.bar_seconds, count=settings.bars, sleep=clock.sleep
        )
        self._evidence: Evidence = Evidence(client, stops, self._ids)
        self._statement = Statement(client, sleep=clock.sleep)

    async def rows(self, since: datetime) -> tuple[LedgerRow, ...]:
        """Return every line of the venue's ledger since an instant, by time.

        Raises:
            ExchangeError: A list could not be read to its end.
        """
        return await self._statement.read(
            since, self._now(), ids=self._ids, has_spot="spot" in self._settings.wallets
        )

    def _write_for(self, intent: Intent) -> Write | str:
        return write_for(intent, self._ids, self._rules.mode, self._instruments)

    def _applied(self, intent: Intent, write: Write, answer: Any) -> Decimal | None:
        return applied(intent, write, answer)

    async def _confirmed(self, intent: Intent, write: Write, answer: Any) -> Decimal | None:
        """Return the confirmed effect; what an accepted order filled is asked for."""
        if not isinstance(intent.action, ReducePosition):
            return self._applied(intent, write, answer)
        if not is_taken(write, answer):
            return None
        # One that is not over yet is an answer that cannot be used.
        return await once_known(lambda: self._evidence.filled(intent), sleep=self._clock.sleep)

    async def _ask_time(self) -> datetime:
        answer = await self._client.read(self._client.api.publicCommonGetV2PublicTime, {})
        return instant(whole(single(answer, "time"), "serverTime"))

    async def _look(self) -> Observation:
        asked_at = self._now()
        api = self._client.api
        found, accounts, spot, tickers = await all_of([
            self._client.read(api.privateMixGetV2MixPositionAllPosition, dict(MIX)),
            self._client.read(api.privateMixGetV2MixAccountAccounts, dict(MIX)),
            self._spot(),
            self._glance.rows(),
        ])  # fmt: skip
        held = [row for row in listed(found, "positions") if number(row, "total") != 0]
        self._check_mode(held)
        account = _own(listed(accounts, "accounts"))
        isolated = await self._whole(held, account)
        wanted = self._settings.symbols
        symbols = list(dict.fromkeys([*wanted, *(self._rules.symbol(row) for row in held)]))
        await self._rules.need(symbols)
        self._rules.hold(self._legs(held))
        is_single = text(account, "assetMode") == "single"
        positions = [self._position(row, is_single=is_single) for row in held]
        depths = await self._beside(symbols, positions)
        return self._observation(
            asked_at,
            positions,
            [parse.futures_wallet(account, isolated), *spot],
            tuple(self._market(symbol, tickers, depths) for symbol in symbols),
        )

    async def _spot(self) -> list[Wallet]:
        """Return the wallet of the spot account, if it is ours; it is listed also with nothing."""
        if "spot" not in self._settings.wallets:
            return []
        call = self._client.api.privateSpotGetV2SpotAccountAssets
        answer = await self._client.read(call, {"coin": COIN})
        found = parse.spot_wallet(listed(answer, "spot account"))
        if found is None:
            raise Incomplete(f"spot account must list {COIN}, did not")
        return [found]

    def _check_mode(self, held: Sequence[Mapping[str, Any]]) -> None:
        """Accept positions only of the position mode that writes are made for.

        Raises:
            TornError: A person changed it; the next look reads it again.
            Incomplete: It is missing or unknown.
        """
        if any(parse.mode(row) is not self._rules.mode for row in held):
            self._rules.forget()
            raise TornError("position mode must be the one that was read, was another")

    async def _whole(
        self, held: Sequence[Mapping[str, Any]], account: Mapping[str, Any]
    ) -> Decimal:
        """Return the margin of the isolated positions, if the account says as much. [quote].

        An empty list is not flat until that agrees: broken answers arrive as empty lists. What the
        account holds for open orders is looked up where it does not.

        Raises:
            TornError: They differ; the next look may be whole.
            ExchangeError: The open orders could not be read to their end.
        """
        isolated = [row for row in held if row.get("marginMode") == "isolated"]
        found = sum((number(row, "marginSize") for row in isolated), FLAT)
        told, crossed = amount(account, "isolatedMargin"), amount(account, "crossedMargin")
        has_crossed = crossed == 0 or len(held) > len(isolated)
        if _agree(found, told) and has_crossed:
            return found
        orders = await self._orders()
        ours = [row for row in orders if row.get("marginMode") == "isolated"]
        ordered = sum((parse.ordered(row) for row in ours), FLAT)
        if not _agree(found + ordered, told):
            raise TornError(
                f"isolated margin of positions and orders must be {told}, was {found + ordered}"
            )
        if not has_crossed and len(orders) == len(ours):
            raise TornError("margin of crossed positions must be of a position or an order")
        return found

    async def _orders(self) -> list[dict[str, Any]]:
        call = self._client.api.privateMixGetV2MixOrderOrdersPending
        answer = await self._client.read(call, {**MIX, "limit": str(ORDERS_PAGE)})
        found, _ = page(answer, "entrustedList", "open orders")
        if len(found) >= ORDERS_PAGE:
            raise Incomplete("open orders must fit one page, did not")
        return found

    def _legs(self, held: Sequence[Mapping[str, Any]]) -> dict[str, frozenset[parse.Held]]:
        legs: dict[str, frozenset[parse.Held]] = {}
        for row in held:
            symbol = self._rules.symbol(row)
            legs[symbol] = legs.get(symbol, frozenset()) | {parse.held(row)}
        return legs

    def _position(self, row: Mapping[str, Any], *, is_single: bool) -> Position:
        is_planned = is_single and text(row, "marginCoin") == COIN
        return parse.position(row, self._rules.symbol(row), is_planned=is_planned)

    async def _read_depth(self, symbol: str) -> Mapping[str, Any]:
        asked = {**MIX, "symbol": self._ids[symbol], "limit": BOOK_LEVELS}
        answer = await self._client.read(self._client.api.publicMixGetV2MixMarketMergeDepth, asked)
        return single(answer, f"book of {symbol}")

    async def _read_bars(self, symbol: str, now_ms: int) -> Bars:
        return await self._paged.read(self._ids[symbol], symbol, now_ms)

    def _market(
        self,
        symbol: str,
        tickers: Mapping[str, Mapping[str, Any]],
        depths: Mapping[str, Mapping[str, Any]],
    ) -> Market:
        name = self._ids[symbol]
        if name not in tickers:
            raise Incomplete(f"ticker of {symbol} must be listed, was not")
        return parse.market(
            tickers[name], symbol, bars=self._bars.of(symbol), depth=depths.get(symbol)
        )

    async def _check_rights(self) -> None:
        if self._settings.mode == "testnet":
            return  # demo keys have no part in the spot account, which tells the rights
        answer = await self._client.read(self._client.api.privateSpotGetV2SpotAccountInfo, {})
        rights = parse.rights(single(answer, "key rights"))
        if any(parse.WITHDRAWS in word or "withdraw" in word for word in rights):
            raise Denied("the API key must not be able to withdraw: turn that right off")
        if not rights & {parse.ORDERS, parse.TRADES}:
            raise Denied("the API key must be able to trade contracts: turn that right on")
        if "spot" in self._settings.wallets and not rights & {parse.MOVES, parse.TRADES}:
            raise Denied(
                "the API key must be able to transfer between accounts of its owner, since "
                "transfer_from names one: turn that right on"
            )


def _own(accounts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the row of the account that backs positions.

    Raises:
        Incomplete: It is not listed once.
    """
    own = [row for row in accounts if text(row, "marginCoin").upper() == COIN]
    if len(own) != 1:
        raise Incomplete(f"accounts must list {COIN} once, did {len(own)} times")
    return {**own[0], "symbol": COIN}


def _agree(found: Decimal, told: Decimal) -> bool:
    return abs(found - told) <= max(SMALL, AGREES * told)

"""How does one OKX account look, and how is it acted on?

Sizes are contracts at the venue and coins everywhere else, or dollars where they are inverse: they
change in `parse` and `write`. Which swaps are understood follows from the configured symbols:
linear ones, or inverse ones of one coin. The wallet that the bot calls ``futures`` is the trading
account, ``spot`` the funding account.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.account import Wallet
from bot.domain.action import ReducePosition
from bot.domain.instrument import Contract
from bot.domain.intent import Intent
from bot.domain.ledger import LedgerRow
from bot.domain.market import Bars, Market
from bot.domain.observation import Observation
from bot.domain.position import Position
from bot.errors import Denied, Incomplete
from bot.exchanges.adapter import Adapter, TornError
from bot.exchanges.client import Client, all_of
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.dialect import Write
from bot.exchanges.numbers import instant, number, rows, text, whole
from bot.exchanges.okx import parse
from bot.exchanges.okx.answers import listed, single
from bot.exchanges.okx.bars import MarkBars
from bot.exchanges.okx.evidence import Evidence
from bot.exchanges.okx.funding import Funding
from bot.exchanges.okx.glance import Glance
from bot.exchanges.okx.history import OkxHistory
from bot.exchanges.okx.ledger import Statement
from bot.exchanges.okx.rules import Rules
from bot.exchanges.okx.stops import Stops
from bot.exchanges.okx.write import applied, is_taken, write_for
from bot.exchanges.patience import once_known
from bot.exchanges.venue_time import VenueTime

BOOK_LEVELS = 50
FLAT = Decimal(0)


class OkxVenue(Adapter):
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
            history=OkxHistory(client, sleep=clock.sleep),
        )
        self._rules: Rules = rules
        self._glance: Glance = glance
        self._coins = rules.coins
        self._paged = MarkBars(
            client, seconds=settings.bar_seconds, count=settings.bars, sleep=clock.sleep
        )
        self._funding = Funding(client, clock, self._ids)
        self._evidence: Evidence = Evidence(client, stops, self._ids, self._coins)
        self._statement = Statement(client, sleep=clock.sleep)
        self._empty: set[str] = set()
        """Currencies of which the funding account is known to hold nothing."""

    async def rows(self, since: datetime) -> tuple[LedgerRow, ...]:
        """Return every line of the venue's ledger since an instant, by time.

        Raises:
            ExchangeError: A list could not be read to its end.
        """
        return await self._statement.read(
            since, self._now(), ids=self._ids, has_spot="spot" in self._settings.wallets
        )

    def _write_for(self, intent: Intent) -> Write | str:
        return write_for(intent, self._ids, self._rules.mode, self._instruments, self._coins)

    def _applied(self, intent: Intent, write: Write, answer: Any) -> Decimal | None:
        return applied(intent, write, answer)

    async def _confirmed(self, intent: Intent, write: Write, answer: Any) -> Decimal | None:
        """Return the confirmed effect; what an accepted order filled is asked for."""
        if not isinstance(intent.action, ReducePosition):
            return self._applied(intent, write, answer)
        if not is_taken(intent, answer):
            return None
        # One that is not over yet is an answer that cannot be used.
        return await once_known(lambda: self._evidence.filled(intent), sleep=self._clock.sleep)

    async def _ask_time(self) -> datetime:
        answer = await self._client.read(self._client.api.publicGetPublicTime, {})
        return instant(whole(single(answer, "time"), "ts"))

    async def _look(self) -> Observation:
        asked_at = self._now()
        api = self._client.api
        wanted = self._settings.symbols
        found, balance, risk, funds, marks, indices = await all_of([
            self._client.read(api.privateGetAccountPositions, {}),
            self._client.read(api.privateGetAccountBalance, {}),
            self._client.read(api.privateGetAccountAccountPositionRisk, {}),
            self._funds(),
            self._glance.rows(),
            self._indices(),
        ])  # fmt: skip
        every = listed(found, "positions")
        held = [row for row in every if number(row, "pos") != 0]
        account, risks = single(balance, "balance"), single(risk, "risk of positions")
        _check_whole(held, risks)
        symbols = list(dict.fromkeys([*wanted, *(self._rules.symbol(row) for row in held)]))
        await self._rules.need(symbols)
        self._rules.hold(self._largest(held))
        positions = [self._position(row) for row in held]
        currencies = frozenset(self._instruments[symbol].settle for symbol in symbols)
        wallets = _wallets(account, risks, every, currencies)
        if funds is not None:
            wallets += parse.funding_wallets(funds, currencies)
        depths = await self._beside(symbols, positions, self._funding.refresh(symbols))
        return self._observation(
            asked_at,
            positions,
            wallets,
            tuple(self._market(symbol, marks, indices, depths) for symbol in symbols),
        )

    async def _funds(self) -> list[dict[str, Any]] | None:
        """Return the rows of the funding account; one that is missing is asked for again.

        The list leaves out what is 0, so a broken answer looks like an empty account: absence is
        believed once two answers agree on it.
        """
        if "spot" not in self._settings.wallets:
            return None
        wanted = {self._instruments[symbol].settle for symbol in self._settings.symbols}
        found = await self._ask_funds(wanted)
        if wanted - {text(row, "ccy") for row in found} - self._empty:
            found = await self._ask_funds(wanted)
        self._empty = wanted - {text(row, "ccy") for row in found}
        return found

    async def _ask_funds(self, currencies: Collection[str]) -> list[dict[str, Any]]:
        call = self._client.api.privateGetAssetBalances
        # Inverse swaps are each settled in a coin of their own: which are held is not known yet.
        is_any = self._rules.contract is Contract.INVERSE
        named = {} if is_any else {"ccy": ",".join(sorted(currencies))}
        answer = await self._client.read(call, named)
        return listed(answer, "funding account")

    async def _indices(self) -> dict[str, dict[str, Any]]:
        """Return the row of each index of a currency that is quoted in, by the venue's name."""
        quotes = sorted({quote_of(symbol) for symbol in self._settings.symbols})
        call = self._client.api.publicGetMarketIndexTickers
        answers = await all_of([self._client.read(call, {"quoteCcy": ccy}) for ccy in quotes])
        found = [row for answer in answers for row in listed(answer, "indices")]
        return {text(row, "instId"): row for row in found}

    def _largest(self, held: list[dict[str, Any]]) -> dict[str, Decimal]:
        """Return the larger leg of each symbol. [contracts]."""
        sizes: dict[str, Decimal] = {}
        for row in held:
            symbol = self._rules.symbol(row)
            sizes[symbol] = max(sizes.get(symbol, FLAT), abs(parse.signed(row)))
        return sizes

    def _position(self, row: Mapping[str, Any]) -> Position:
        symbol = self._rules.symbol(row)
        return parse.position(
            row,
            symbol,
            coins=self._coins[symbol],
            tick=self._instruments[symbol].price_step,
            is_planned=self._rules.is_planned,
        )

    async def _read_depth(self, symbol: str) -> Mapping[str, Any]:
        asked = {"instId": self._ids[symbol], "sz": str(BOOK_LEVELS)}
        answer = await self._client.read(self._client.api.publicGetMarketBooks, asked)
        return single(answer, f"book of {symbol}")

    async def _read_bars(self, symbol: str, now_ms: int) -> Bars:
        return await self._paged.read(self._ids[symbol], symbol, now_ms)

    def _market(
        self,
        symbol: str,
        marks: Mapping[str, Mapping[str, Any]],
        indices: Mapping[str, Mapping[str, Any]],
        depths: Mapping[str, Mapping[str, Any]],
    ) -> Market:
        name = self._ids[symbol]
        family = name.removesuffix("-SWAP")
        if name not in marks or family not in indices:
            raise Incomplete(f"mark and index of {symbol} must be listed, were not")
        return parse.market(
            marks[name],
            indices[family],
            symbol,
            funding=self._funding.of(symbol),
            bars=self._bars.of(symbol),
            depth=depths.get(symbol),
            coins=self._coins[symbol],
        )

    async def _check_rights(self) -> None:
        answer = await self._client.read(self._client.api.privateGetAccountConfig, {})
        rights = parse.owner(single(answer, "account config")).rights
        if "withdraw" in rights:
            raise Denied("the API key must not be able to withdraw: turn that right off")
        if "trade" not in rights:
            raise Denied("the API key must be able to trade: turn that right on")


def quote_of(symbol: str) -> str:
    """Return the currency that a unified name is quoted in."""
    return symbol.partition("/")[2].partition(":")[0]


def _wallets(
    account: Mapping[str, Any],
    risks: Mapping[str, Any],
    positions: list[dict[str, Any]],
    currencies: frozenset[str],
) -> list[Wallet]:
    """Return the wallets that back positions, if nothing contradicts the list of them.

    Args:
        account: Balances.
        risks: What the same account shows of one instant.
        positions: All rows, also those of which only margin is left.
        currencies: Of the wallets.

    Raises:
        TornError: A currency is missing that another answer shows, or the account has isolated
            margin where no position is listed.
    """
    details = rows(account.get("details"), "balances")
    there = {text(row, "ccy") for row in details}
    shown = {text(row, "ccy") for row in rows(risks.get("balData"), "balances of the risk")}
    lacking = (shown & currencies) - there
    if lacking:
        raise TornError(f"balances must list {', '.join(sorted(lacking))}, did not")
    isolated = {row.get("ccy") for row in positions if row.get("mgnMode") == "isolated"}
    for row in details:
        has_margin = bool(row.get("isoEq")) and number(row, "isoEq") > 0
        if has_margin and row["ccy"] in currencies - isolated:
            raise TornError(f"isolated margin of {row['ccy']} must be of a position")
    return list(parse.trading_wallets(details, currencies))


def _check_whole(held: list[dict[str, Any]], risks: Mapping[str, Any]) -> None:
    """Accept positions only if the list of their risks shows the same ones.

    An empty list is not flat until that agrees: broken answers arrive as empty lists.

    Raises:
        TornError: They differ; the next look may be whole.
    """
    theirs = _amounts(
        row for row in rows(risks.get("posData"), "positions of the risk") if number(row, "pos")
    )
    ours = _amounts(held)
    if ours != theirs:
        raise TornError(
            "positions and their risk must show the same amounts, showed "
            f"{_named(ours)} and {_named(theirs)}"
        )


def _amounts(listed_rows: Any) -> Counter[tuple[str, str, Decimal]]:
    return Counter(
        (text(row, "instId"), text(row, "posSide"), number(row, "pos")) for row in listed_rows
    )


def _named(amounts: Counter[tuple[str, str, Decimal]]) -> str:
    return ", ".join(f"{name} {leg} {amount}" for name, leg, amount in amounts) or "none"

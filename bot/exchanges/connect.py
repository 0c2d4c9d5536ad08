"""How is the adapter of a venue made?"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.clock import VenueClock
from bot.errors import Unavailable
from bot.exchanges.adapter import Adapter
from bot.exchanges.binance.adapter import BinanceVenue
from bot.exchanges.binance.dialect import COIN_DIALECT as BINANCE_COIN
from bot.exchanges.binance.dialect import DIALECT as BINANCE
from bot.exchanges.bitget.adapter import BitgetVenue
from bot.exchanges.bitget.dialect import DIALECT as BITGET
from bot.exchanges.bybit.adapter import BybitVenue
from bot.exchanges.bybit.dialect import DIALECT as BYBIT
from bot.exchanges.client import Client, Session
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.dialect import Dialect
from bot.exchanges.gate.adapter import GateVenue
from bot.exchanges.gate.dialect import DIALECT as GATE
from bot.exchanges.gateway import GatewaySettings
from bot.exchanges.hyperliquid.adapter import HyperliquidVenue
from bot.exchanges.hyperliquid.dialect import DIALECT as HYPERLIQUID
from bot.exchanges.kucoin.adapter import KucoinVenue
from bot.exchanges.kucoin.dialect import DIALECT as KUCOIN
from bot.exchanges.okx.adapter import OkxVenue
from bot.exchanges.okx.dialect import DIALECT as OKX
from bot.ports import BanNote, Clock, Rng

__all__ = ["ConnectionSettings", "GatewaySettings", "client_of", "connect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoken:
    """How a venue is spoken to.

    Attributes:
        dialect: Its words.
        adapter: Makes an adapter of its account.
    """

    dialect: Dialect
    adapter: Callable[[ConnectionSettings, Client, VenueClock], Adapter]


SPOKEN: dict[str, _Spoken] = {
    "binanceusdm": _Spoken(dialect=BINANCE, adapter=BinanceVenue),
    "bybit": _Spoken(dialect=BYBIT, adapter=BybitVenue),
    "binancecoinm": _Spoken(dialect=BINANCE_COIN, adapter=BinanceVenue),
    "okx": _Spoken(dialect=OKX, adapter=OkxVenue),
    "gate": _Spoken(dialect=GATE, adapter=GateVenue),
    "kucoinfutures": _Spoken(dialect=KUCOIN, adapter=KucoinVenue),
    "bitget": _Spoken(dialect=BITGET, adapter=BitgetVenue),
    "hyperliquid": _Spoken(dialect=HYPERLIQUID, adapter=HyperliquidVenue),
}
"""By the venue's id."""


def client_of(
    settings: ConnectionSettings,
    clock: Clock,
    *,
    rng: Rng,
    session: Session | None = None,
    bans: BanNote | None = None,
) -> Client:
    """Return a client of an account's venue; arguments as of `connect`."""
    return Client(
        dialect=SPOKEN[settings.venue].dialect,
        api_key=settings.api_key,
        secret=settings.secret,
        password=settings.password,
        clock=clock,
        gateway=settings.gateway,
        demo=settings.mode == "testnet",
        rng=rng,
        session=session,
        bans=bans,
    )


async def connect(
    settings: ConnectionSettings,
    clock: VenueClock,
    *,
    rng: Rng,
    session: Session | None = None,
    bans: BanNote | None = None,
) -> Adapter:
    """Return a venue that is ready to be observed; the clock is anchored to its time.

    Args:
        settings: How it is reached.
        clock: Anchored here, and again every ten minutes.
        rng: Spreads the return after a ban.
        session: Carries the requests; ``None`` opens one.
        bans: What is remembered of a ban; ``None`` forgets it with the run.

    Raises:
        ExchangeError: The venue gave no usable answer, or refuses the key.
        ConfigError: A configured symbol does not exist there.
    """
    client = client_of(settings, clock, rng=rng, session=session, bans=bans)
    venue = SPOKEN[settings.venue].adapter(settings, client, clock)
    try:
        await venue.start()
    except Unavailable as error:
        await client.close()
        where = (
            f"the gateway {settings.gateway.address} (is `plimsoll paper --serve-only` running?)"
            if settings.gateway is not None
            else settings.venue
        )
        raise Unavailable(f"{where} must answer at start: {error}") from None
    except BaseException:
        await client.close()
        raise
    return venue

"""How is the adapter of a venue made?"""

from bot.clock import VenueClock
from bot.errors import Unavailable
from bot.exchanges.binance import BinanceVenue, ConnectionSettings
from bot.exchanges.client import Client, Session
from bot.exchanges.gateway import GatewaySettings
from bot.ports import BanNote, Rng

__all__ = ["ConnectionSettings", "GatewaySettings", "connect"]


async def connect(
    settings: ConnectionSettings,
    clock: VenueClock,
    *,
    rng: Rng,
    session: Session | None = None,
    bans: BanNote | None = None,
) -> BinanceVenue:
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
    client = Client(
        api_key=settings.api_key,
        secret=settings.secret,
        clock=clock,
        gateway=settings.gateway,
        demo=settings.mode == "testnet",
        rng=rng,
        session=session,
        bans=bans,
    )
    venue = BinanceVenue(settings, client, clock)
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

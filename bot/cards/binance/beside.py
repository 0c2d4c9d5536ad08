"""What does Binance show of an account at v2, where the adapter asks v3?"""

from decimal import Decimal

from bot.cards.beside import Beside, Booked, Fate
from bot.domain.position import MarginMode
from bot.errors import Incomplete
from bot.exchanges.client import Client
from bot.exchanges.numbers import number, rows, table, text

MODES = {"isolated": MarginMode.ISOLATED, "cross": MarginMode.CROSS}
FATES: dict[str, Fate] = {"NEW": "standing", "CANCELED": "cancelled"}


async def position(client: Client, symbol: str, size: Decimal) -> Booked | None:
    """Return a position by symbol and signed size.

    Raises:
        ExchangeError: No usable answer.
    """
    name = symbol.partition(":")[0].replace("/", "")
    answer = await client.read(client.api.fapiPrivateV2GetPositionRisk, {"symbol": name})
    for row in rows(answer, "v2 positions"):
        if number(row, "positionAmt") == size:
            return Booked(
                margin=number(row, "isolatedWallet"),
                entry_price=number(row, "entryPrice"),
                leverage_setting=number(row, "leverage"),
                margin_mode=MODES[text(row, "marginType").lower()],
            )
    return None


async def wallet(client: Client, currency: str) -> Decimal:
    """Return the futures wallet.

    Raises:
        ExchangeError: No usable answer.
    """
    answer = await client.read(client.api.fapiPrivateV2GetBalance, {})
    for row in rows(answer, "v2 balance"):
        if row.get("asset") == currency:
            return number(row, "crossWalletBalance")
    raise Incomplete(f"v2 balance must list {currency}, did not")


async def fate(client: Client, client_id: str) -> Fate:
    """Return what the venue says of one stop, which the adapter looks for in a list.

    Raises:
        ExchangeError: No usable answer.
    """
    answer = await client.read(client.api.fapiPrivateGetAlgoOrder, {"clientAlgoId": client_id})
    return FATES.get(text(table(answer, "stop"), "algoStatus"), "other")


BESIDE = Beside(position=position, wallet=wallet, fate=fate)

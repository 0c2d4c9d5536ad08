"""How is Binance's adapter broken, or the exchange in its words?"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

from bot.cards.bench import Seam
from bot.cards.tongue import Tongue
from bot.exchanges.binance import adapter, ledger, parse, rules
from bot.paper.desk import Asked, Reply
from tests.kit.breakages.tools import Breaks, Patch, answering, deaf_to, misworded


def flags_are_dropped(patch: Patch, tongue: Tongue) -> Seam:
    lost = ("reduceOnly", "workingType", "newClientOrderId", "timeInForce")

    def without(sent: dict[str, str]) -> dict[str, str]:
        kept = {k: v for k, v in sent.items() if k not in lost}
        return kept | ({"timeInForce": "GTC"} if "timeInForce" in sent else {})

    return misworded(patch, tongue, without)


def positions_are_shifted(patch: Patch, tongue: Tongue) -> Seam:
    """The adapter reads another field than it should."""
    del patch
    mix = {
        '"isolatedWallet"': '"_"', '"isolatedMargin"': '"isolatedWallet"',
        '"crossWalletBalance"': '"_"', '"totalWalletBalance"': '"_"',
        '"walletBalance"': '"crossWalletBalance"', '"entryPrice"': '"_"',
        '"notional"': '"entryPrice"', "ISOLATED": "CROSSED", "CROSSED": "ISOLATED",
    }  # fmt: skip

    def change(asked: Asked, reply: Reply) -> Reply:
        if not asked.path.endswith(("positionRisk", "/v3/account", "symbolConfig")):
            return reply
        text = reply.text
        for word, other in mix.items():
            text = text.replace(word, other)
        return replace(reply, text=text)

    return answering(change)


def modes_are_mixed_up(patch: Patch, tongue: Tongue) -> Seam:
    del patch

    def change(asked: Asked, reply: Reply) -> Reply:
        if not asked.path.endswith("positionSide/dual"):
            return reply
        other = {"true": "false", "false": "true"}
        word = "true" if "true" in reply.text else "false"
        return replace(reply, text=reply.text.replace(word, other[word]))

    return answering(change)


def missing_is_zero(patch: Patch, tongue: Tongue) -> Seam:
    for name in ("number", "amount", "positive"):
        patch.setattr(parse, name, lambda row, key: D(row.get(key) or 0))
    return Seam()


def empty_is_flat(patch: Patch, tongue: Tongue) -> Seam:
    patch.setattr(adapter, "_check_whole", lambda *_: None)
    return Seam()


def one_page_is_all(patch: Patch, tongue: Tongue) -> Seam:
    async def complete(ask: Any, first: int, last: int, **_: Any) -> Any:
        return await ask(first, last)

    patch.setattr(ledger, "_complete", complete)
    return Seam()


def windows_never_close(patch: Patch, tongue: Tongue) -> Seam:
    patch.setattr("bot.paper.binance.desk.check_signature", lambda *_: None)
    return Seam()


def others_are_taken_for_ours(patch: Patch, tongue: Tongue) -> Seam:
    patch.setattr("bot.exchanges.binance.parse.is_own_name", lambda _: True)
    return Seam()


def rules_are_never_read_again(patch: Patch, tongue: Tongue) -> Seam:
    patch.setattr("bot.exchanges.rules.RULES_EVERY", timedelta(days=999))
    deaf_to(patch, tongue, mode_refused=frozenset())
    return Seam()


def settings_are_never_read_again(patch: Patch, tongue: Tongue) -> Seam:
    patch.setattr(rules, "CONFIG_EVERY", timedelta(days=999))
    patch.setattr("bot.exchanges.rules.RULES_EVERY", timedelta(days=999))
    return Seam()


def deposits_are_looked_at(patch: Patch, tongue: Tongue) -> Seam:
    """The adapter asks a path that can move collateral to others."""
    rows = adapter.BinanceVenue.rows

    async def curious(venue: Any, since: Any) -> Any:
        await venue._client.read(venue._client.api.sapiGetCapitalConfigGetall, {})
        return await rows(venue, since)

    patch.setattr(adapter.BinanceVenue, "rows", curious)
    return Seam()


BINANCE: tuple[Breaks, ...] = (
    flags_are_dropped,
    positions_are_shifted,
    modes_are_mixed_up,
    missing_is_zero,
    empty_is_flat,
    one_page_is_all,
    windows_never_close,
    others_are_taken_for_ours,
    rules_are_never_read_again,
    settings_are_never_read_again,
    deposits_are_looked_at,
)

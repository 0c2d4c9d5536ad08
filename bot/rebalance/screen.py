"""Is this observation good enough to act on?"""

from datetime import datetime
from decimal import Decimal

from bot.domain.decision import Refusal
from bot.domain.observation import Observation
from bot.rebalance.policy import Policy


def inputs_age_ms(observation: Observation) -> int:
    """Return the age of the oldest input that a held position needs. [ms]."""
    held = {position.symbol for position in observation.account.positions}
    stamps: list[datetime] = [observation.account_at]
    stamps += [market.mark_at for market in observation.markets if market.symbol in held]
    oldest = min(stamps)
    return max(0, int((observation.at - oldest).total_seconds() * 1000))


def screen(observation: Observation, policy: Policy) -> tuple[Refusal, ...]:
    """Return every reason why nothing may be decided from this observation.

    Stale, incomplete or contradictory inputs are named, never guessed around.
    """
    found: list[Refusal] = []
    markets = {market.symbol: market for market in observation.markets}
    instruments = {instrument.symbol: instrument for instrument in observation.instruments}
    age = (observation.at - observation.account_at).total_seconds()
    if age > policy.max_age_protective:
        found.append(
            Refusal(
                code="stale_account",
                text=f"age of positions must be <= {policy.max_age_protective} s, was {age:.1f} s",
            )
        )
    for position in observation.account.positions:
        symbol = position.symbol
        instrument = instruments.get(symbol)
        if instrument is None:
            found.append(
                Refusal(code="missing_instrument", text=f"rules of {symbol} must be known")
            )
        elif policy.serves(instrument) and (
            observation.account.wallet(policy.futures_wallet, instrument.settle) is None
        ):
            found.append(
                Refusal(
                    code="missing_wallet",
                    text=f"wallet {policy.futures_wallet} of {instrument.settle} must be known",
                )
            )
        market = markets.get(symbol)
        if market is None:
            found.append(Refusal(code="missing_market", text=f"mark of {symbol} must be known"))
            continue
        age = (observation.at - market.mark_at).total_seconds()
        if age > policy.max_age_protective:
            found.append(
                Refusal(
                    code="stale_mark",
                    text=f"age of the mark of {symbol} must be <= {policy.max_age_protective} s, "
                    f"was {age:.1f} s",
                )
            )
        split = _split(position.mark_price, market.mark_price)
        if split > policy.max_mark_split:
            found.append(
                Refusal(
                    code="mark_split",
                    text=f"marks of {symbol} must agree within {policy.max_mark_split}, were "
                    f"{position.mark_price} at the position and {market.mark_price} at the market",
                )
            )
    return tuple(found)


def _split(one: Decimal, other: Decimal) -> Decimal:
    return abs(one - other) / max(one, other)

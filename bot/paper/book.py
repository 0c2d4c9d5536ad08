"""Which orders rest around the last price?"""

from decimal import Decimal

from bot.paper.values import Contract, Quote

OFFSETS = tuple(
    Decimal(text)
    for text in (
        "0.0001", "0.0002", "0.0004", "0.0007", "0.0011", "0.0016", "0.0023", "0.0032",
        "0.0044", "0.006", "0.008", "0.0105", "0.0137", "0.0177", "0.0227", "0.029",
        "0.0369", "0.0468",
    )
)  # fmt: skip
"""Of the levels, from mid. [ratio]"""
HUNDREDTH = Decimal("0.01")

Level = tuple[Decimal, Decimal]
"""(price, size). [quote/base], [size]"""


def levels(contract: Contract, quote: Quote, side: str) -> list[Level]:
    """Return what an order of a side trades against, best first.

    What rests grows linearly with the distance from mid.

    Args:
        contract: Its depth within one hundredth of mid.
        quote: The market now.
        side: ``BUY`` meets asks, ``SELL`` meets bids.
    """
    if quote.halted:
        return []
    sign = 1 if side == "BUY" else -1
    worth = contract.depth * quote.depth / HUNDREDTH
    found: list[Level] = []
    reached = Decimal(0)
    for offset in OFFSETS:
        price = quote.last * (1 + sign * (contract.half_spread + offset))
        ticks = (price / contract.tick).to_integral_value()
        price = ticks * contract.tick
        resting = contract.size_of((offset - reached) * worth, price)
        lots = (resting / contract.lot).to_integral_value()
        reached = offset
        if price > 0 and lots > 0:
            found.append((price, lots * contract.lot))
    return found


def fill(
    contract: Contract, quote: Quote, side: str, *, size: Decimal, limit: Decimal | None
) -> list[Level]:
    """Return the fills of an order that takes: price and size each."""
    left = size
    fills: list[Level] = []
    for price, resting in levels(contract, quote, side):
        if left <= 0 or (limit is not None and (price > limit if side == "BUY" else price < limit)):
            break
        taken = min(left, resting)
        fills.append((price, taken))
        left -= taken
    return fills

"""What do exact liquidation prices cost?"""

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

from bench.measure import Timing, interleaved
from bot.domain.instrument import Contract, MarginTier
from bot.margin import account, legs, lone
from bot.margin.account import Account, Holding
from bot.margin.legs import Book, Leg
from bot.margin.tiers import check_tiers, continued

COUNT, SYMBOLS = 10_000, 50
STEPS = (
    ("0", "0.004"), ("50000", "0.005"), ("600000", "0.0065"), ("3000000", "0.01"),
    ("12000000", "0.02"), ("70000000", "0.025"), ("100000000", "0.05"), ("230000000", "0.1"),
    ("480000000", "0.125"), ("600000000", "0.15"),
)  # fmt: skip
"""Floors and rates of a large coin: ten tiers, as most tables have."""


def table() -> tuple[MarginTier, ...]:
    """Return the ten tiers with the amounts that make them continuous."""
    found: list[MarginTier] = []
    for floor, rate in STEPS:
        at, share = Decimal(floor), Decimal(rate)
        found.append(
            MarginTier(
                notional_floor=at,
                maintenance_rate=share,
                maintenance_amount=(
                    continued(found[-1], floor=at, rate=share) if found else Decimal(0)
                ),
                max_leverage=1 / share,
            )
        )
    check_tiers("bench", found)
    return tuple(found)


def positions(tiers: tuple[MarginTier, ...]) -> list[lone.Isolated]:
    """Return linear positions of 50 to 5,000,000 of notional, long and short."""
    draw = random.Random(1)  # noqa: S311 - not cryptography
    found = []
    for _ in range(COUNT):
        entry = Decimal(draw.randint(5_900_000, 6_100_000)) / 100
        notional = Decimal(round(50 * 10 ** draw.uniform(0, 5), 2)).quantize(Decimal("0.01"))
        found.append(
            lone.Isolated(
                contract=Contract.LINEAR,
                size=round(notional / entry, 6) * draw.choice((1, -1)) or Decimal("0.001"),
                entry_price=entry,
                mark_price=Decimal(60_000),
                margin=round(notional / draw.randint(2, 50), 2),
                tiers=tiers,
            )
        )
    return found


def cross(tiers: tuple[MarginTier, ...]) -> Account:
    """Return an account of 50 symbols, each long or short, with coins behind a few of them."""
    draw = random.Random(2)  # noqa: S311 - not cryptography
    return Account(
        contract=Contract.LINEAR,
        margin=Decimal(50_000_000),
        holdings=tuple(
            Holding(
                symbol=str(number),
                mark_price=Decimal(draw.randint(1_000, 100_000)) / 100,
                legs=(
                    Leg(
                        size=Decimal(draw.randint(1, 50_000)) / 10 * draw.choice((1, -1)),
                        entry_price=Decimal(draw.randint(1_000, 100_000)) / 100,
                        tiers=tiers,
                    ),
                ),
                reflexive=Decimal(3 if number % 10 == 0 else 0),
            )
            for number in range(SYMBOLS)
        ),
    )


def run() -> dict[str, Any]:
    """Return prices and distances of many isolated positions and of one cross account."""
    tiers = table()
    held, shared = positions(tiers), cross(tiers)
    coins = [
        replace(one, contract=Contract.INVERSE, size=one.size * 60_000, margin=one.margin / 60_000)
        for one in held
    ]
    symbols = [one.symbol for one in shared.holdings]
    fall, rise = dict.fromkeys(symbols, Decimal(-1)), dict.fromkeys(symbols, Decimal(1))
    assert account.buffer(shared) > 0, "an account that is lost already is no measure"
    many = interleaved(
        {
            "10,000 isolated, linear": lambda: lone.look(held),
            "10,000 isolated, inverse": lambda: lone.look(coins),
            "10,000 isolated, whole line": lambda: [
                legs.liquidation_price(
                    Book(
                        contract=one.contract,
                        margin=one.margin,
                        legs=(Leg(size=one.size, entry_price=one.entry_price, tiers=one.tiers),),
                    )
                )
                for one in held
            ],
        },
        rounds=20,
    )
    few = interleaved(
        {
            "cross of 50, every price": lambda: account.spans(shared),
            "cross of 50, common fall": lambda: account.along(shared, fall),
            "cross of 50, common rise": lambda: account.along(shared, rise),
            "cross of 50, buffer": lambda: account.buffer(shared),
        },
        rounds=300,
    )
    return {
        "what": "exact prices and distances, tables of ten tiers [ms]",
        "aim": "10,000 isolated <= 60; cross of 50 <= 2",
        "rows": {name: row(taken) for name, taken in (many | few).items()},
    }


def row(taken: Timing) -> dict[str, float]:
    return {"minimum": taken.minimum, "median": taken.median, "p99": taken.p99}

"""Which contracts does the paper exchange list?

Our own small table, with round numbers near those of large venues. Contracts of one coin share its
market: a scenario may let several of them follow one price.
"""

from dataclasses import replace
from decimal import Decimal

from bot.paper.values import Bracket, Contract, Kind


def _brackets(*rows: tuple[int, int, str, int]) -> tuple[Bracket, ...]:
    """Rows of (floor, cap, rate, leverage); the deductions follow from continuity."""
    found: list[Bracket] = []
    cum, last = Decimal(0), Decimal(0)
    for floor, cap, rate, leverage in rows:
        now = Decimal(rate)
        cum += floor * (now - last)
        last = now
        found.append(
            Bracket(floor=Decimal(floor), cap=Decimal(cap), rate=now, cum=cum, leverage=leverage)
        )
    return tuple(found)


def _contract(
    base: str,
    *,
    tick: str,
    lot: str,
    maximum: str,
    notional: str,
    depth: str,
    brackets: tuple[Bracket, ...],
) -> Contract:
    return Contract(
        id=f"{base}USDT",
        kind=Kind.LINEAR,
        base=base,
        quote="USDT",
        asset="USDT",
        face=Decimal(1),
        tick=Decimal(tick),
        lot=Decimal(lot),
        maximum=Decimal(maximum),
        market_maximum=Decimal(maximum) / 10,
        notional=Decimal(notional),
        bound=Decimal("0.05"),
        maker=Decimal("0.0002"),
        taker=Decimal("0.0005"),
        liquidation_fee=Decimal("0.0125"),
        depth=Decimal(depth),
        half_spread=Decimal("0.0001"),
        brackets=brackets,
    )


def _in_usdc(like: Contract) -> Contract:
    """The same contract, settled in another dollar."""
    return replace(like, id=f"{like.base}USDC", quote="USDC", asset="USDC")


def _inverse(
    like: Contract, *, face: int, maximum: int, depth: int, brackets: tuple[Bracket, ...]
) -> Contract:
    """The contract that pays in the coin itself; the largest order is a number of contracts."""
    return replace(
        like,
        id=f"{like.base}USD_PERP",
        kind=Kind.INVERSE,
        quote="USD",
        asset=like.base,
        face=Decimal(face),
        lot=Decimal(face),
        maximum=Decimal(face * maximum),
        market_maximum=Decimal(face * maximum) / 10,
        notional=Decimal(0),  # one contract is the least
        maker=Decimal("0.0001"),
        depth=Decimal(depth),
        brackets=brackets,
    )


LINEAR = {
    contract.id: contract
    for contract in (
        _contract(
            "BTC",
            tick="0.10",
            lot="0.001",
            maximum="1000",
            notional="100",
            depth="200000000",
            brackets=_brackets(
                (0, 50_000, "0.004", 125),
                (50_000, 600_000, "0.005", 100),
                (600_000, 3_000_000, "0.0065", 75),
                (3_000_000, 12_000_000, "0.01", 50),
                (12_000_000, 70_000_000, "0.02", 25),
                (70_000_000, 100_000_000, "0.025", 20),
                (100_000_000, 230_000_000, "0.05", 10),
            ),
        ),
        _contract(
            "ETH",
            tick="0.01",
            lot="0.001",
            maximum="10000",
            notional="20",
            depth="100000000",
            brackets=_brackets(
                (0, 50_000, "0.004", 125),
                (50_000, 600_000, "0.005", 100),
                (600_000, 3_000_000, "0.0065", 75),
                (3_000_000, 12_000_000, "0.01", 50),
                (12_000_000, 50_000_000, "0.02", 25),
                (50_000_000, 65_000_000, "0.025", 20),
                (65_000_000, 150_000_000, "0.05", 10),
            ),
        ),
        _contract(
            "SOL",
            tick="0.0100",
            lot="1",
            maximum="100000",
            notional="5",
            depth="20000000",
            brackets=_brackets(
                (0, 10_000, "0.005", 100),
                (10_000, 60_000, "0.0065", 75),
                (60_000, 600_000, "0.01", 50),
                (600_000, 4_500_000, "0.02", 25),
                (4_500_000, 9_000_000, "0.05", 10),
            ),
        ),
        _contract(
            "DOGE",
            tick="0.000010",
            lot="1",
            maximum="50000000",
            notional="5",
            depth="10000000",
            brackets=_brackets(
                (0, 10_000, "0.006", 75),
                (10_000, 80_000, "0.0065", 50),
                (80_000, 750_000, "0.01", 40),
                (750_000, 5_000_000, "0.02", 25),
                (5_000_000, 15_000_000, "0.05", 10),
            ),
        ),
    )
}
"""Settled in USDT, by the venue's name."""
USDC = {
    contract.id: contract for contract in (_in_usdc(LINEAR["BTCUSDT"]), _in_usdc(LINEAR["ETHUSDT"]))
}
"""Settled in USDC, by the venue's name."""
INVERSE = {
    contract.id: contract
    for contract in (
        _inverse(
            LINEAR["BTCUSDT"],
            face=100,
            maximum=1_000_000,
            depth=2_000,
            brackets=_brackets(
                (0, 5, "0.004", 125),
                (5, 10, "0.005", 100),
                (10, 20, "0.01", 50),
                (20, 50, "0.025", 20),
                (50, 100, "0.05", 10),
            ),
        ),
        _inverse(
            LINEAR["ETHUSDT"],
            face=10,
            maximum=1_000_000,
            depth=20_000,
            brackets=_brackets(
                (0, 100, "0.005", 100),
                (100, 500, "0.0065", 75),
                (500, 1_000, "0.01", 50),
                (1_000, 2_000, "0.02", 25),
                (2_000, 5_000, "0.05", 10),
            ),
        ),
    )
}
"""Settled in the coin, by the venue's name."""
CONTRACTS = LINEAR | USDC | INVERSE
"""All of them, by the venue's name."""

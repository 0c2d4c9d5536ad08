"""How near to liquidation is an account that its venue judges by a rate?"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from bot.margin.curve import ZERO
from bot.margin.rules import Mode, NoRule, Proof
from bot.margin.solver import INFINITE


class Direction(StrEnum):
    """Which way a rate goes as an account gets worse."""

    RISES = "rises"
    """Maintenance over equity."""
    FALLS = "falls"
    """Equity over maintenance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRate:
    """The number a venue watches.

    Attributes:
        name: As the venue writes it.
        venue: ``bybit``.
        mode: Of the account.
        direction: Which way is worse.
        limit: Where liquidation begins. [ratio]
        stages: What happens before, from the mildest: a word and the rate it begins at. [ratio]
        proofs: How far it is to be believed.
    """

    name: str
    venue: str
    mode: Mode
    direction: Direction
    limit: Decimal
    proofs: tuple[Proof, ...]
    stages: tuple[tuple[str, Decimal], ...] = ()

    def usage(self, rate: Decimal) -> Decimal | None:
        """Return how much of the limit is used, rising to 1; ``None`` where all of it is. [ratio].

        Args:
            rate: As the venue shows it. A falling one that is 0 or less means no equity is left.
        """
        if self.direction is Direction.RISES:
            return rate / self.limit if rate >= 0 else None
        return self.limit / rate if rate > 0 else None

    def is_liquidatable(self, rate: Decimal) -> bool:
        """Return whether the limit is reached.

        Args:
            rate: As the venue shows it; a rising one below 0 is maintenance over lost equity.
        """
        used = self.usage(rate)
        return used is None or used >= 1

    def stage(self, rate: Decimal) -> str:
        """Return the word of the last stage that is reached; empty before the first.

        Args:
            rate: As the venue shows it.
        """
        used, found = self.usage(rate), ""
        for word, begins in self.stages:
            least = self.usage(begins)
            if used is None or (least is not None and used >= least):
                found = word
        return found

    def of(self, *, equity: Decimal, maintenance: Decimal) -> Decimal:
        """Return the rate, infinite where it would divide by nothing. [ratio].

        A rising one is infinite without equity, which is the worst; a falling one without
        maintenance, which is the best while there is equity.

        Args:
            equity: After haircut, signed. [quote]
            maintenance: With liquidation fees where the venue counts them, >= 0. [quote]
        """
        if self.direction is Direction.RISES:
            if equity > 0:
                return maintenance / equity
            return INFINITE if maintenance > 0 or equity < 0 else ZERO
        if maintenance > 0:
            return equity / maintenance
        return INFINITE if equity >= 0 else -INFINITE


RATES = (
    AccountRate(
        name="totalMaintMargin/totalMarginBalance", venue="binance", mode=Mode.CROSS,
        direction=Direction.RISES, limit=Decimal(1), proofs=(Proof.PUBLISHED,),
    ),
    AccountRate(
        name="totalMaintMargin/totalMarginBalance", venue="binance", mode=Mode.MULTI_ASSET,
        direction=Direction.RISES, limit=Decimal(1), proofs=(Proof.PUBLISHED,),
    ),
    AccountRate(
        # Text of the professional tier. From 1.05 down the venue liquidates, so that is the limit.
        name="uniMMR", venue="binance", mode=Mode.PORTFOLIO, direction=Direction.FALLS,
        limit=Decimal("1.05"), proofs=(Proof.PUBLISHED,),
        stages=(
            ("warned", Decimal("1.5")), ("reduce_only", Decimal("1.2")),
            ("liquidation", Decimal("1.05")),
        ),
    ),
    AccountRate(
        name="accountMMRate", venue="bybit", mode=Mode.CROSS, direction=Direction.RISES,
        limit=Decimal(1), proofs=(Proof.PUBLISHED,),
    ),
    AccountRate(
        name="accountMMRate", venue="bybit", mode=Mode.PORTFOLIO, direction=Direction.RISES,
        limit=Decimal(1), proofs=(Proof.PUBLISHED,),
    ),
    AccountRate(
        name="mgnRatio", venue="okx", mode=Mode.ISOLATED, direction=Direction.FALLS,
        limit=Decimal(1), proofs=(Proof.PUBLISHED, Proof.RECORDED),
    ),
    AccountRate(
        name="mgnRatio", venue="okx", mode=Mode.CROSS, direction=Direction.FALLS,
        limit=Decimal(1), proofs=(Proof.PUBLISHED,),
    ),
    AccountRate(
        name="mgnRatio", venue="okx", mode=Mode.MULTI_ASSET, direction=Direction.FALLS,
        limit=Decimal(1), proofs=(Proof.PUBLISHED,),
    ),
    AccountRate(
        name="mgnRatio", venue="okx", mode=Mode.PORTFOLIO, direction=Direction.FALLS,
        limit=Decimal(1), proofs=(Proof.UNVERIFIED,),
    ),
    AccountRate(
        name="marginRatio", venue="bitget", mode=Mode.ISOLATED, direction=Direction.RISES,
        limit=Decimal(1), proofs=(Proof.UNVERIFIED,),
    ),
    AccountRate(
        name="riskRatio", venue="kucoin", mode=Mode.CROSS, direction=Direction.RISES,
        limit=Decimal(1), proofs=(Proof.PUBLISHED,),
        stages=(("orders_cancelled", Decimal("0.95")), ("liquidation", Decimal(1))),
    ),
)  # fmt: skip


def rate_for(*, venue: str, mode: Mode, rates: Sequence[AccountRate] = RATES) -> AccountRate:
    """Return what a venue watches in a mode.

    Raises:
        NoRule: Naming what was asked for and what is known.
    """
    for one in rates:
        if one.venue == venue and one.mode is mode:
            return one
    known = ", ".join(f"{one.venue} {one.mode}" for one in rates)
    raise NoRule(f"no account rate for {mode} at {venue}; known are: {known}")

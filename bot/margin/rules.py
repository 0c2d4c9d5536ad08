"""Which margin rule does a venue apply to a position on a day?

The arguments of one solver, as data: nothing here computes a price.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from bot.domain.instrument import Contract


class Mode(StrEnum):
    """What stands behind a position."""

    ISOLATED = "isolated"
    CROSS = "cross"
    HEDGE = "hedge"
    """Cross, long and short of one symbol held at once: they share one price."""
    MULTI_ASSET = "multi_asset"
    """Cross, several currencies after haircut."""
    PORTFOLIO = "portfolio"
    """Cross, maintenance from scenarios: no price of its own."""
    SPOT = "spot"
    """Isolated, borrowed coins: no contract."""


class Proof(StrEnum):
    """How far a rule is to be believed."""

    PUBLISHED = "P"
    """By the venue: formula or complete list of variables."""
    EXAMPLE = "E"
    """Reproduces the venue's worked example."""
    RECORDED = "R"
    """Reproduces positions the venue returned."""
    DERIVED = "D"
    """Follows from published rules; no record."""
    UNVERIFIED = "U"


class Basis(StrEnum):
    """At which price maintenance is taken."""

    LIQUIDATION = "liquidation"
    """At the liquidation price, in the tier that holds there: it follows mark."""
    ENTRY = "entry"
    MARK = "mark"
    """Fixed at the mark of now."""


class Brackets(StrEnum):
    """What chooses the tier."""

    VALUE = "value"
    """Value in settle currency: it may change on the way to liquidation."""
    SIZE = "size"
    """Size alone: the tier stays."""
    RATIO = "ratio"
    """Nothing chooses: the account has a rate of its own (`bot.margin.rates`)."""


class Fee(StrEnum):
    """What the venue adds to maintenance for closing."""

    NONE = "none"
    TAKER = "taker"
    LIQUIDATION = "liquidation"
    FIXED = "fixed"
    """The same for everyone; the rule holds it."""


class Backing(StrEnum):
    """From which figure collateral without profit comes (`bot.margin.backing`)."""

    WALLET = "wallet"
    """Margin without profit, as the venue shows it."""
    SETTING = "setting"
    """Entry value over the leverage setting, plus what was added."""
    SETTING_AFTER_FEE = "setting_after_fee"
    """As above, what was added grossed by the taker fee."""
    RAW = "raw"
    """Signed cash: it has paid or received the entry value."""
    EQUITY = "equity"
    """Equity at mark, and mark in place of the entry price."""
    LIABILITY = "liability"
    """Coins held against coins owed."""


class Finish(StrEnum):
    """What the venue does to the price before it shows it."""

    NONE = "none"
    PLUS_TICK = "plus_tick"
    """One tick towards the mark."""
    NEAREST_TICK = "nearest_tick"
    UP_IF_LONG = "up_if_long"
    """A long is rounded up to a tick; shorts were not seen."""


class Release(StrEnum):
    """What lets isolated margin out (`bot.margin.release`)."""

    BINANCE = "binance"
    """Margin above maintenance, and equity above the initial margin of the leverage setting."""
    ASK = "ask"
    """No formula: the venue is asked; until it answers the fallback holds."""
    TENTH = "tenth"
    """As the fallback, and never below a tenth of the notional; not verified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one venue does in one mode with one kind of contract, for a time.

    Attributes:
        key: Its short name, ``BN-ISO``.
        venue: ``binance``.
        mode: What stands behind a position.
        contract: Linear or inverse.
        backing: Which figure is the collateral.
        brackets: What chooses the tier.
        basis: At which price maintenance is taken.
        has_amounts: Whether tiers have maintenance amounts; without them a table jumps.
        fee: What is added to maintenance.
        fee_rate: For `Fee.FIXED`, else ``None``. [ratio]
        finish: What the venue does to the price it shows.
        release: What lets margin out.
        proofs: How far it is to be believed.
        bound: Largest error against what the venue printed; ``None`` where nothing was printed
            that could be compared. [bp]
        since: First day, ``None`` without beginning.
        until: First day after it, ``None`` without end.
        source: Where it is written.
        note: What is not sure.
    """

    key: str
    venue: str
    mode: Mode
    contract: Contract
    source: str
    proofs: tuple[Proof, ...]
    backing: Backing = Backing.WALLET
    brackets: Brackets = Brackets.VALUE
    basis: Basis = Basis.LIQUIDATION
    has_amounts: bool = True
    fee: Fee = Fee.NONE
    fee_rate: Decimal | None = None
    finish: Finish = Finish.NONE
    release: Release = Release.ASK
    bound: Decimal | None = None
    since: date | None = None
    until: date | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if (self.fee is Fee.FIXED) != (self.fee_rate is not None):
            raise ValueError(f"fee rate of {self.key} must be given exactly where the fee is fixed")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError(f"days of {self.key} must ascend, were {self.since}, {self.until}")

    def holds_on(self, day: date) -> bool:
        """Return whether it is in force on a day."""
        return (self.since is None or self.since <= day) and (
            self.until is None or day < self.until
        )


class NoRule(LookupError):  # noqa: N818 - named by what is missing, as the caller reads it
    """No rule is known: nothing may be computed, let alone guessed."""


def choose(rules: Sequence[Rule], *, venue: str, mode: Mode, contract: Contract, day: date) -> Rule:
    """Return the rule in force.

    Raises:
        NoRule: Naming what was asked for and which rules of the venue there are.
        ValueError: If two are in force.
    """
    asked = f"{mode} {contract} at {venue} on {day}"
    of_venue = [rule for rule in rules if rule.venue == venue]
    found = [
        rule
        for rule in of_venue
        if rule.mode is mode and rule.contract is contract and rule.holds_on(day)
    ]
    if len(found) > 1:
        raise ValueError(f"one margin rule must hold for {asked}, were {[r.key for r in found]}")
    if not found:
        known = ", ".join(rule.key for rule in of_venue) or "none"
        raise NoRule(f"no margin rule for {asked}; of this venue there are: {known}")
    return found[0]

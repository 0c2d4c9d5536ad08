"""Who gets how much of a purse?"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.leverage import purse as proposals
from bot.leverage.claimant import Claimant
from bot.rebalance.rounding import down

NEGLIGIBLE = Decimal("0.000001")
"""A proposal is believed to this share of the purse. [ratio]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Margin per claimant.

    Attributes:
        amounts: In the order of the claimants. [settle]
        doubt: Why the estimate was not followed; empty where it was, or none was needed.
    """

    amounts: tuple[Decimal, ...]
    doubt: str = ""


Propose = Callable[
    [Sequence[Claimant], Sequence[Decimal], Sequence[Decimal], Decimal], tuple[Decimal, ...]
]
"""Claimants, what each gets before, what it gets at most, and the rest to be shared. [settle]"""


def shared(
    claimants: Sequence[Claimant],
    purse: Decimal,
    *,
    even: Propose = proposals.even,
    mixed: Propose = proposals.mixed,
) -> Shares:
    """Return what each gets: everybody to the trigger before anybody to the target.

    Where not all triggers can be reached, margin goes where closing is dearest. Where not all
    targets can be, all are lifted together by the measure of their triggers; if these measure
    nothing, the most endangered is served first.

    Args:
        claimants: Most endangered first.
        purse: >= 0. [settle]
        even: What proposes beyond the triggers.
        mixed: What proposes before them.
    """
    in_order = _in_order(claimants, purse)
    is_contested = sum(1 for c in claimants if c.to_target > 0) > 1
    if not is_contested or _sum(c.to_target for c in claimants) <= purse:
        return Shares(amounts=_moved(claimants, in_order))
    propose, base = mixed, [Decimal(0) for _ in claimants]
    tops = [min(c.need, c.to_trigger) for c in claimants]
    if _sum(tops) <= purse:
        propose, base = even, [c.to_trigger for c in claimants]
        tops = [c.to_target for c in claimants]
        if _sum(base) > purse or not all(c.is_measured for c in claimants):
            return Shares(amounts=_moved(claimants, in_order))
    try:
        wanted = propose(claimants, base, tops, purse - _sum(base))
        amounts = _fitted(claimants, wanted, base, tops, purse)
    except Exception as error:  # noqa: BLE001 - whatever an estimate does, a rescue goes on
        return Shares(amounts=_moved(claimants, in_order), doubt=str(error) or repr(error))
    return Shares(amounts=_moved(claimants, amounts))


def at_once(
    claimants: Sequence[Claimant],
    shares: Shares,
    purse: Decimal,
    *,
    even: Propose = proposals.even,
) -> Shares:
    """Return what of its share each gets from what is here, while the rest is on its way.

    Args:
        claimants: Most endangered first.
        shares: Of all that can come.
        purse: What is here, >= 0. [settle]
        even: What proposes: nothing is closed because something is late.
    """
    parts = [
        replace(c, to_trigger=min(c.to_trigger, share), to_target=share)
        for c, share in zip(claimants, shares.amounts, strict=True)
    ]
    return shared(parts, purse, even=even, mixed=even)


def _in_order(claimants: Sequence[Claimant], purse: Decimal) -> list[Decimal]:
    """Return what each gets when the most endangered is served first."""
    left = purse
    amounts = [Decimal(0) for _ in claimants]
    for goals in ([c.to_trigger for c in claimants], [c.to_target for c in claimants]):
        for index, claimant in enumerate(claimants):
            more = down(min(goals[index] - amounts[index], left), step=claimant.step)
            amounts[index] += more
            left -= more
    return amounts


def _fitted(
    claimants: Sequence[Claimant],
    wanted: Sequence[Decimal],
    base: Sequence[Decimal],
    tops: Sequence[Decimal],
    purse: Decimal,
) -> list[Decimal]:
    """Return a proposal on the steps of the venue and within the purse.

    Who is all but served is served in full, before the others are rounded down.

    Raises:
        ValueError: It is none.
    """
    slack = NEGLIGIBLE * purse + _sum(c.step for c in claimants)
    for claimant, amount, least, most in zip(claimants, wanted, base, tops, strict=True):
        if not amount.is_finite() or not least - slack <= amount <= most + slack:
            raise ValueError(
                f"{claimant.risk.position.key} was to get {amount}, between {least} and {most}"
            )
    aim = min(purse, _sum(tops))
    if abs(_sum(wanted) - aim) > slack:
        raise ValueError(f"{_sum(wanted)} was shared, {aim} must be")
    amounts, left = list(base), purse - _sum(base)
    order = sorted(range(len(claimants)), key=lambda i: wanted[i] < tops[i] - slack)
    for index in order:
        goal = tops[index] if wanted[index] >= tops[index] - slack else wanted[index]
        more = down(max(Decimal(0), min(goal - amounts[index], left)), step=claimants[index].step)
        amounts[index] += more
        left -= more
    return amounts


def _moved(claimants: Sequence[Claimant], amounts: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Return the amounts without dust: it would cost a request and change nothing."""
    return tuple(
        amount if amount >= claimant.least else Decimal(0)
        for claimant, amount in zip(claimants, amounts, strict=True)
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))

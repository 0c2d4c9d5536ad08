"""How much can a wallet hold at most, whatever an old answer says?

What was sent has left the wallet, also while the venue still shows it there or nobody knows
whether it arrived. A reading above the claim is not believed until it cannot be old any more.
What arrived is in the wallet, also while an old answer does not show it: it is counted once, as
what the reading lacks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.account import Account, Wallet
from bot.domain.action import Action, AddMargin, RemoveMargin, Transfer

BACKING = "futures"
"""The wallet that margin comes from and returns to."""
OLDEST = timedelta(seconds=15)
"""No answer older than this is acted on, so a claim need not outlive it."""
LONGEST_WAY = timedelta(seconds=300)
"""What was sent so long ago and is not proven to have arrived is not counted on any more.

Until then a claim tells what its destination holds without it: it counts as on its way alone.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a wallet holds at most.

    Attributes:
        wallet: Name.
        currency: The collateral.
        at_most: Without unrealized PnL. [currency]
        until: From then on the venue is believed. Aware UTC.
    """

    wallet: str
    currency: str
    at_most: Decimal
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """A transfer whose arrival is proven, and that an old answer may not show yet.

    Attributes:
        transfer: With the amount that arrived.
        until: From then on only what the wallet shows counts. Aware UTC.
    """

    transfer: Transfer
    until: datetime


def claimed(
    claims: tuple[Claim, ...],
    account: Account | None,
    *,
    effects: Iterable[Action],
    unsettled: Iterable[Action],
    at: datetime,
    landed: Iterable[Landed] = (),
) -> tuple[Claim, ...]:
    """Return the claims after actions that were decided from an account.

    Args:
        claims: Before.
        account: As observed; ``None`` adds no claim.
        effects: That took effect: both ends count, but a transfer's other end only on arrival.
        unsettled: Whose effect is not known: only what leaves counts.
        at: Of the decision. Aware UTC.
        landed: What an old account may lack.
    """
    running = {(c.wallet, c.currency): c for c in claims if c.until > at}
    landed = tuple(landed)
    if account is None:
        return tuple(running.values())
    effects, unsettled = tuple(effects), tuple(unsettled)
    awaits = {
        (action.destination, action.currency)
        for action in (*effects, *unsettled)
        if isinstance(action, Transfer)
    }
    changes = dict.fromkeys(awaits, Decimal(0))
    for action in effects:
        _add(changes, _leaves(action))
        if isinstance(action, RemoveMargin):
            _add(changes, {(BACKING, action.currency): action.amount})
    for action in unsettled:
        _add(changes, _leaves(action))
    for (name, currency), change in changes.items():
        wallet = account.wallet(name, currency)
        if wallet is None:
            continue
        before = running.get((name, currency))
        held = wallet.total + unseen(landed, claims, wallet, at=at)
        most = held if before is None else min(before.at_most, held)
        until = at + (LONGEST_WAY if (name, currency) in awaits else OLDEST)
        running[name, currency] = Claim(
            wallet=name,
            currency=currency,
            at_most=most + change,
            until=until if before is None else max(before.until, until),
        )
    return tuple(running[key] for key in sorted(running))


def returned(
    claims: tuple[Claim, ...], action: Action, *, sent: Decimal, applied: Decimal
) -> tuple[Claim, ...]:
    """Return the claims once less than was taken for gone turns out to have left.

    Args:
        claims: Before.
        action: As it was sent.
        sent: What the claims were lowered by. [currency]
        applied: What left. [currency]
    """
    return _raised(claims, dict.fromkeys(_leaves(action), sent - applied))


def arrived(claims: tuple[Claim, ...], action: Action, *, applied: Decimal) -> tuple[Claim, ...]:
    """Return the claims once a transfer has reached its destination."""
    if not isinstance(action, Transfer):
        return claims
    return _raised(claims, {(action.destination, action.currency): applied})


def ending(claims: tuple[Claim, ...], action: Transfer, *, at: datetime) -> tuple[Claim, ...]:
    """Return the claims with that of a transfer's destination ending once no answer is that old.

    One that has run out says nothing any more and stays as it is.

    Args:
        claims: Before.
        action: Nothing else is on its way there.
        at: When it was proven what became of it. Aware UTC.
    """
    place = (action.destination, action.currency)
    return tuple(
        replace(c, until=at + OLDEST) if (c.wallet, c.currency) == place and c.until > at else c
        for c in claims
    )


def unseen(
    landed: Iterable[Landed], claims: tuple[Claim, ...], wallet: Wallet, *, at: datetime
) -> Decimal:
    """Return how much has arrived in a wallet that its reading does not show. [currency], >= 0.

    Reading and unseen together are never more than the claim.
    """
    place = (wallet.name, wallet.currency)
    came = sum(
        (
            one.transfer.amount
            for one in landed
            if one.until > at and (one.transfer.destination, one.transfer.currency) == place
        ),
        Decimal(0),
    )
    for claim in claims:
        if (claim.wallet, claim.currency) == place and claim.until > at:
            return min(came, max(Decimal(0), claim.at_most - wallet.total))
    return Decimal(0)


def surplus(
    claims: tuple[Claim, ...], name: str, currency: str, *, total: Decimal, at: datetime
) -> Decimal:
    """Return how much of a wallet's reading is not believed. [currency], >= 0."""
    for claim in claims:
        if (claim.wallet, claim.currency) == (name, currency) and claim.until > at:
            return max(Decimal(0), total - claim.at_most)
    return Decimal(0)


def believed(
    claims: tuple[Claim, ...], holds: Mapping[tuple[str, str], Decimal], *, at: datetime
) -> tuple[Claim, ...]:
    """Return the claims with what the books say wallets hold for certain.

    Args:
        claims: Before.
        holds: By wallet and currency, where something is on its way. [currency]
        at: Of the look that agreed with the books. Aware UTC.
    """
    running = {(c.wallet, c.currency): c for c in claims}
    for (name, currency), amount in holds.items():
        before = running.get((name, currency))
        most, until = amount, at + OLDEST
        if before is not None and before.until > at:
            most, until = min(before.at_most, amount), max(before.until, until)
        running[name, currency] = Claim(wallet=name, currency=currency, at_most=most, until=until)
    return tuple(running[key] for key in sorted(running))


def kept(claims: tuple[Claim, ...], *, at: datetime) -> tuple[Claim, ...]:
    """Return the claims made to last while something of them is not settled."""
    return tuple(replace(claim, until=max(claim.until, at + OLDEST)) for claim in claims)


def _leaves(action: Action) -> Mapping[tuple[str, str], Decimal]:
    match action:
        case AddMargin(after_reduction=False, amount=amount, currency=currency):
            return {(BACKING, currency): -amount}
        case Transfer(source=source, amount=amount, currency=currency):
            return {(source, currency): -amount}
    # A reduction and what is put back after it come from one release: they leave each other out.
    return {}


def _add(changes: dict[tuple[str, str], Decimal], more: Mapping[tuple[str, str], Decimal]) -> None:
    for key, change in more.items():
        changes[key] = changes.get(key, Decimal(0)) + change


def _raised(
    claims: tuple[Claim, ...], more: Mapping[tuple[str, str], Decimal]
) -> tuple[Claim, ...]:
    return tuple(
        replace(c, at_most=c.at_most + more.get((c.wallet, c.currency), Decimal(0))) for c in claims
    )

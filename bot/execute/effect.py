"""What would a write take from its wallet, and where would it leave the position?"""

from collections.abc import Iterator
from decimal import Decimal

from bot.domain.account import Wallet
from bot.domain.action import AddMargin, PlaceStop, ReducePosition, RemoveMargin, Transfer
from bot.domain.instrument import Instrument, MarginRelease
from bot.domain.position import Position
from bot.execute.arithmetic import usable
from bot.execute.denial import Denial, DenialCode
from bot.execute.facts import Facts
from bot.margin.assess import distance
from bot.rebalance.claims import surplus
from bot.rebalance.project import position_of, project


def source(facts: Facts) -> Iterator[Denial]:
    """Deny what its wallet does not hold above its floor."""
    action = facts.action
    match action:
        case AddMargin(currency=currency, amount=amount):
            name = facts.policy.futures_wallet
        case Transfer(source=name, currency=currency, amount=amount):
            pass
        case _:
            return
    wallet = facts.account.wallet(name, currency)
    if wallet is None:
        yield DenialCode.LEDGER_SHORT, f"wallet {name} of {currency} is not known"
    else:
        yield from _covered(facts, wallet, amount)


def _covered(facts: Facts, wallet: Wallet, amount: Decimal) -> Iterator[Denial]:
    """Deny what a wallet does not hold for certain above what must stay in it."""
    action, name = facts.action, wallet.name
    # What a reduction released was never free before it: it may go back into the position.
    is_back = isinstance(action, AddMargin) and action.after_reduction
    keep = Decimal(0) if is_back else facts.policy.reserve(name)
    old = Decimal(0) if is_back else _not_believed(facts, wallet)
    reported, ledger = facts.whole(wallet.free), facts.whole(wallet.free - old)
    needed = facts.whole(amount)
    if needed > usable(reported=reported, ledger=ledger, floor=0):
        yield DenialCode.LEDGER_SHORT, f"{name} holds {wallet.free - old}, asked for {amount}"
    if needed > usable(reported=reported, ledger=ledger, floor=facts.whole(keep)):
        yield DenialCode.SOURCE_FLOOR, f"{name} must keep {keep}, has {wallet.free - old}"


def _not_believed(facts: Facts, wallet: Wallet) -> Decimal:
    """Return how much of a wallet's reading is denied by a claim or by the books. [currency]."""
    name, currency = wallet.name, wallet.currency
    old = surplus(facts.memory.claims, name, currency, total=wallet.total, at=facts.now)
    held = facts.holds.get((name, currency))
    return old if held is None else max(old, wallet.total - held)


def orders(facts: Facts) -> Iterator[Denial]:
    """Deny orders that do more than shrink what is held."""
    action = facts.action
    if not isinstance(action, ReducePosition | PlaceStop):
        return
    position, _ = known(facts)
    if facts.conditions.is_reduce_only is not True:
        yield DenialCode.NOT_REDUCE_ONLY, "the request must be reduce-only"
    if isinstance(action, PlaceStop):
        beyond = position.side.sign * (position.mark_price - action.stop_price)
        if beyond <= 0:
            yield (
                DenialCode.POST_STATE_WORSE,
                f"a stop at {action.stop_price} would fire at {position.mark_price}",
            )
    size = abs(position.size) if action.size is None else action.size
    if size > abs(position.size):
        code = (
            DenialCode.WOULD_FLIP
            if isinstance(action, ReducePosition)
            else DenialCode.WOULD_INCREASE
        )
        yield code, f"size must be <= {abs(position.size)}, was {size}"


def state_after(facts: Facts) -> Iterator[Denial]:
    """Deny what leaves the position no better, or gives back too much."""
    action = facts.action
    if not isinstance(action, AddMargin | RemoveMargin | ReducePosition):
        return
    position, rules = known(facts)
    if isinstance(action, AddMargin | RemoveMargin):
        yield from _margin_after(facts, action, position, rules)
    elif rules.margin_release is MarginRelease.STAYS:
        after = project(
            facts.account, facts.instruments, action, wallet=facts.policy.futures_wallet
        )
        rest = position_of(after, action.key)
        if rest is not None and not _is_farther(rest, position, rules):
            yield DenialCode.POST_STATE_WORSE, f"{action.key} would stand no farther"


def _margin_after(
    facts: Facts, action: AddMargin | RemoveMargin, position: Position, rules: Instrument
) -> Iterator[Denial]:
    change = action.amount if isinstance(action, AddMargin) else -action.amount
    after = distance(position, rules, change=change)
    if isinstance(action, AddMargin):
        before = distance(position, rules)
        if before is None or (after is not None and after <= before):
            yield DenialCode.POST_STATE_WORSE, f"distance of {action.key} must grow"
        return
    band = facts.bands.get(action.key)
    if band is None or (after is not None and after < band.distance.target):
        yield (
            DenialCode.OVERSHOOT,
            f"{action.key} would stand at {after}, below its target",
        )
    added = facts.memory.of(action.key).added
    if facts.policy.only_own_margin and action.amount > added:
        yield DenialCode.NOT_BOT_MARGIN, f"the bot added {added} to {action.key}"


def _is_farther(rest: Position, before: Position, rules: Instrument) -> bool:
    now, was = distance(rest, rules), distance(before, rules)
    return now is None or (was is not None and now > was)


def known(facts: Facts) -> tuple[Position, Instrument]:
    """Return position and rules of a margin move, both asked for by earlier checks."""
    position, rules = facts.position, facts.rules
    assert position is not None  # noqa: S101 - else it was denied before
    assert rules is not None  # noqa: S101 - else it was denied before
    return position, rules

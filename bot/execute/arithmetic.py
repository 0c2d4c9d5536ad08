"""Which whole number of collateral steps may move, and by which digits is it known again?

The arithmetic that decides about money, in integers and without any input or output. A
*collateral step* is the smallest amount of collateral the venue books, never the lot of a
contract. Where a function answers "how much", 0 means: nothing may be sent.
"""

from collections.abc import Iterable

EPOCHS = 8
"""Runs of the bot that the tags of one key tell apart."""
SMALLEST_SCALE = 1_000
SMALLEST_MARKED = 100 * SMALLEST_SCALE
"""No smaller amount has room for a tag. [collateral steps]"""
MOVES_PER_DAY = 40
"""Tags that a scale has at least; who gives more in a day takes those that are not used. [count]"""
MOST_OPEN = 16
"""Open amounts whose subset sums are still compared; 2**16 of them take 15 ms. [count]"""


def fingerprint_scale(
    *, amount: int, steps_per_unit: int, moves: int = MOVES_PER_DAY
) -> int | None:
    """Return the power of ten whose remainder carries the tag of a move. [collateral steps]

    The smallest that has a tag for each move, so it does not depend on the amount: the tag of a
    row of unknown origin can be read without knowing what was intended.

    Args:
        amount: Nominal. [collateral steps]
        steps_per_unit: Collateral steps in 1.00 of the collateral, rounded down. [count]
        moves: Of one key that are open or in the history of 24 h. [count]

    Returns:
        ``None`` when it would be more than 1.00 [settle] or more than 1 % of the amount: such a
        move cannot be told from others by its amount.
    """
    scale = SMALLEST_SCALE
    while live_tags(scale=scale) < moves:
        scale *= 10
    return scale if scale <= steps_per_unit and 100 * scale <= amount else None


def live_tags(*, scale: int) -> int:
    """Return how many successive moves of one epoch get different tags. [count]

    A lane of ``scale / 8`` remainders belongs to each epoch; its multiples of ten stay unused.
    """
    lane = scale // EPOCHS
    return lane - _tens_below(lane)


def tag_of(*, epoch: int, counter: int, scale: int) -> int:
    """Return the last digits of the amount of a move. [collateral steps], in (0, scale)

    The ``counter``-th remainder that is no multiple of ten in the lane of the epoch, the lane
    starting at ``(epoch mod 8) * scale / 8``. Multiples of ten are left to people, who type
    fewer digits. Two tags are equal only if the epochs are equal mod 8 and the counters are
    equal mod `live_tags`.

    Args:
        epoch: Of the run, >= 0.
        counter: Of the move within the run, >= 0.
        scale: As given by `fingerprint_scale`.
    """
    index = _first_index(epoch % EPOCHS, scale=scale) + counter % live_tags(scale=scale)
    # Each ten remainders hold nine that are used: 1-9, 11-19, ...
    return index + index // 9 + 1


def tag_in(amount: int, *, scale: int) -> tuple[int, int] | None:
    """Return the epoch mod 8 and the counter mod `live_tags` that an amount carries.

    ``None`` when its last digits are no tag. The inverse of `tag_of`; whether the amount was
    ever ours is for the journal to say, as nine of ten arbitrary amounts look tagged.
    """
    tag = amount % scale
    if amount < 1 or tag % 10 == 0:
        return None
    epoch = tag // (scale // EPOCHS)
    counter = tag - _tens_below(tag) - _first_index(epoch, scale=scale)
    return (epoch, counter) if counter < live_tags(scale=scale) else None


def tagged(nominal: int, *, scale: int, tag: int, up: bool) -> int:
    """Return the nearest amount on the safe side that ends in a tag. [collateral steps]

    Costs less than one ``scale``.

    Args:
        nominal: > 0. [collateral steps]
        scale: As given by `fingerprint_scale`.
        tag: As given by `tag_of`.
        up: Up for what adds margin, down for what removes it or leaves a wallet.

    Returns:
        0 when no positive amount up to ``nominal`` ends in the tag: a removal is never rounded
        up to make room for one.
    """
    if up:
        return nominal + (tag - nominal) % scale
    return max(0, nominal - (nominal - tag) % scale)


def sums_coincide(open_amounts: Iterable[int], candidate: int) -> bool:
    """Whether a change of a balance could be explained both with and without a candidate.

    That is: whether some of the open amounts plus the candidate sum to what some others sum to,
    the empty sum included. Amounts are signed: what leaves the balance is negative.

    Returns:
        ``True`` also beyond `MOST_OPEN` open amounts, where nobody looked.
    """
    amounts = tuple(open_amounts)
    if len(amounts) > MOST_OPEN:
        return True
    sums = {0}
    for amount in amounts:
        sums |= {sum_ + amount for sum_ in sums}
    return any(sum_ + candidate in sums for sum_ in sums)


def quantised(amount: int, *, step: int, maximum: int) -> int:
    """Return the largest multiple of a step within an amount and a maximum. [collateral steps]

    Args:
        amount: Wanted; 0 or less asks for nothing. [collateral steps]
        step: The coarser step this operation wants, > 0. [collateral steps]
        maximum: What the venue takes at once. [collateral steps]
    """
    within = min(amount, maximum)
    return max(0, within - within % step)


def within_budget(*, spent: int, unknown: int, new: int, limit: int) -> bool:
    """Whether a new amount keeps a budget even if all that is unknown took effect.

    A negative entry is a fault of whoever summed it and never makes room.

    Args:
        spent: Took effect inside the period. [collateral steps]
        unknown: Sent, effect not settled, and given up. [collateral steps]
        new: About to be sent, > 0. [collateral steps]
        limit: Of the period. [collateral steps]
    """
    return new > 0 and spent >= 0 and unknown >= 0 and spent + unknown + new <= limit


def usable(*, reported: int, ledger: int, floor: int) -> int:
    """Return what may leave a wallet so that its floor stays. [collateral steps]

    Args:
        reported: Free balance by the venue, without what orders lock. [collateral steps]
        ledger: Balance by our own books, all that is pending debited. [collateral steps]
        floor: To stay; one below 0 counts as 0. [collateral steps]
    """
    return max(0, min(reported, ledger) - max(0, floor))


def reducible(*, wanted: int, held: int, lot: int) -> int:
    """Return the size of an order that shrinks a position and cannot turn it. [size steps]

    At least what is wanted, in whole lots, but no lot more than fits into the position: a rest
    smaller than a lot stays.

    Args:
        wanted: To close; 0 or less asks for nothing. [size steps]
        held: Position, signed. [size steps]
        lot: Smallest size an order may have, > 0. [size steps]
    """
    whole = abs(held)
    fits = whole - whole % lot
    return max(0, min(wanted + -wanted % lot, fits))


def maintenance(*, notional: int, parts: int, per: int, credit: int) -> int:
    """Return the maintenance margin of one tier, rounded up. [collateral steps]

    ``notional * parts / per - credit``. With equity rounded down, notional rounded up and credit
    rounded down, equity that reaches it reaches the exact number too.

    Args:
        notional: Rounded up, >= 0. [collateral steps]
        parts: Numerator of the maintenance rate, >= 0. [count]
        per: Denominator of the maintenance rate, > 0. [count]
        credit: Maintenance amount of the tier, rounded down. [collateral steps]
    """
    return -(-notional * parts // per) - credit


def settle_point(*, signed: int, window: int, bound: int, lag: int) -> int:
    """Return the reading of our clock after which an effect that is not shown is none. [ms]

    The venue takes the request until ``signed + window`` on its clock, shows its effect ``lag``
    later, and our reading may be ``bound`` ahead of its clock. A look must begin later, not at
    this instant: a clock of whole milliseconds still shows it for one.

    Args:
        signed: Timestamp inside the request. [ms]
        window: During which the venue takes it. [ms]
        bound: Largest error of our reading of venue time, either way. [ms]
        lag: Longest time between an effect and its row in the history. [ms]
    """
    return signed + window + bound + lag


def _tens_below(number: int) -> int:
    """Return how many multiples of ten lie in [0, number). [count]"""
    return (number + 9) // 10


def _first_index(epoch: int, *, scale: int) -> int:
    """Return the index, among remainders that are used, of the first in a lane. [count]"""
    start = epoch * (scale // EPOCHS)
    return start - _tens_below(start)

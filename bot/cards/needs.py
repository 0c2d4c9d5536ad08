"""What must a venue be able to do, by the capability table, before a card asks whether it does?"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.cards.tongue import Tongue
from bot.exchanges.venues import VENUES, Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something without which a card has no question.

    Attributes:
        is_met: Whether a venue can.
        because: Why a card is skipped where it cannot, for people.
    """

    is_met: Callable[[Tongue], bool]
    because: str


def _can(kind: str) -> Callable[[Tongue], bool]:
    return lambda tongue: kind in VENUES[tongue.venue].kinds(is_demo=False)


REMOVES = Need(is_met=_can("remove_margin"), because="the venue gives no isolated margin back")
TRANSFERS = Need(is_met=_can("transfer"), because="the venue has no wallets to transfer between")
STOPS = Need(
    is_met=_can("place_stop"),
    because="the venue has no stops that watch mark and only reduce",
)
LISTED = Need(
    is_met=lambda tongue: not VENUES[tongue.venue].history.startswith("none"),
    because="the venue keeps no list of moves of margin",
)
"""The table says of such a venue ``none``, and how moves are found all the same."""
WINDOW = Need(
    is_met=lambda tongue: VENUES[tongue.venue].margin_key is Key.WINDOW,
    because="no window of the venue's keeps a late move of margin out",
)
NAMED_TRANSFERS = Need(
    is_met=lambda tongue: VENUES[tongue.venue].transfer_key is Key.OWN_ID,
    because="the venue takes no id of ours for transfers",
)
NAMED_ORDERS = Need(
    is_met=lambda tongue: VENUES[tongue.venue].order_key is Key.OWN_ID,
    because="the venue takes no id of ours for orders",
)
AUTOMATIC = Need(
    is_met=lambda tongue: tongue.adds_by_itself is not None,
    because="the venue shows no flag of automatic margin",
)
CAPPED = Need(
    is_met=lambda tongue: tongue.fills_what_there_is,
    because="the venue refuses to reduce by more than there is",
)

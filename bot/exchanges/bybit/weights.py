"""What does a request cost at Bybit, and which budget pays for it?

Requests count alike: by address in five seconds, and by account for each endpoint. What may be
asked for a few times a second there has a budget of its own; others allow more than the bot asks.
"""

from collections.abc import Mapping
from enum import StrEnum

from bot.exchanges.limits import Budgets, Cost, Limit


class Budget(StrEnum):
    """What is counted apart from each other."""

    ADDRESS = "address"
    FUNDS = "funds"
    """Balances of the funding account."""
    TRANSFER = "transfer"
    TRANSFERS = "transfers"
    """The list of them."""
    RATES = "rates"
    """Fee rates."""


BUDGETS = Budgets(
    limits={
        Budget.ADDRESS: Limit(weight=600, seconds=5.0),
        Budget.FUNDS: Limit(weight=300),
        Budget.TRANSFER: Limit(weight=60),
        Budget.TRANSFERS: Limit(weight=60),
        Budget.RATES: Limit(weight=300),
    },
    main=Budget.ADDRESS,
    banned_for=600.0,
)
"""Five a second are 300 a minute."""
APART: Mapping[str, Budget] = {
    "/v5/asset/transfer/query-account-coins-balance": Budget.FUNDS,
    "/v5/asset/transfer/inter-transfer": Budget.TRANSFER,
    "/v5/asset/transfer/query-inter-transfer-list": Budget.TRANSFERS,
    "/v5/account/fee-rate": Budget.RATES,
}


def cost(_: str, path: str, __: str, ___: str) -> Cost:
    """Return the cost of a request as it stands on the wire."""
    return Cost(APART.get(path, Budget.ADDRESS), 1)

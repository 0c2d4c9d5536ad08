"""May the formulae rely on the maintenance table that a venue tells?"""

from bot.domain.instrument import Contract, MarginTier
from bot.errors import Incomplete
from bot.margin.tiers import check_tiers


def checked(
    symbol: str, tiers: tuple[MarginTier, ...], *, contract: Contract = Contract.LINEAR
) -> tuple[MarginTier, ...]:
    """Return a table that is continuous and convex, as it came.

    Args:
        symbol: For people.
        tiers: In quote for linear, in coin for inverse contracts.
        contract: Its kind.

    Raises:
        Incomplete: It is neither, or empty; the text names the step.
    """
    try:
        check_tiers(symbol, tiers, contract=contract)
    except ValueError as error:
        raise Incomplete(str(error)) from error
    return tiers

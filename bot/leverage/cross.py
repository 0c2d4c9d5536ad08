"""How much buffer does a cross account have, and how does it move with prices?"""

from dataclasses import dataclass

import numpy as np

from bot.leverage import inputs
from bot.leverage.arrays import Booleans, Floats, Integers

SKIP = 1.5
"""So many times the largest quantile a buffer must be, to be safe without a simulation."""
HALF_LIFE = 360.0
"""Of the correlation. [steps]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Cross accounts over d symbols with n linear positions; one account may hold both sides.

    Attributes:
        price: Shape (d,), mark, > 0. [quote/base]
        cash: Shape (a,), settlement currencies at today's rates, signed. [quote]
        coins: Shape (a, d), collateral in the coins themselves after haircut, >= 0. [base]
        account: Shape (n,), rising: which account holds the position.
        symbol: Shape (n,), column of its price.
        size: Shape (n,), signed. [base]
        entry: Shape (n,), > 0. [quote/base]
        rate: Shape (n, k), maintenance rates, rising along a row; a shorter table repeats its last
            tier. [ratio]
        amount: Shape (n, k), maintenance amounts. [quote]
    """

    price: Floats
    cash: Floats
    coins: Floats
    account: Integers
    symbol: Integers
    size: Floats
    entry: Floats
    rate: Floats
    amount: Floats

    def __post_init__(self) -> None:
        a, d, n = self.cash.shape[0], self.price.shape[0], self.size.shape[0]
        if self.coins.shape != (a, d):
            raise ValueError(f"coins must have shape ({a}, {d})")
        if not self.account.shape == self.symbol.shape == self.size.shape == self.entry.shape:
            raise ValueError("account, symbol, size and entry must have one and the same dimension")
        for name, values, count in (("account", self.account, a), ("symbol", self.symbol, d)):
            if ((values < 0) | (values >= count)).any():
                raise ValueError(f"{name} must be in [0, {count})")
        if (np.diff(self.account) < 0).any():
            raise ValueError("account must not fall")
        inputs.tables(rate=self.rate, amount=self.amount, rows=n)
        inputs.positive(price=self.price, entry=self.entry)
        inputs.finite(cash=self.cash, size=self.size)
        inputs.not_negative(coins=self.coins)


def exposure(accounts: Accounts) -> Floats:
    """Return the value of positions and coins per symbol at mark, signed. Shape (a, d). [quote]."""
    value: Floats = accounts.coins * accounts.price
    np.add.at(
        value,
        (accounts.account, accounts.symbol),
        accounts.size * accounts.price[accounts.symbol],
    )
    return value


def maintenance(accounts: Accounts, growth: Floats) -> Floats:
    """Return the maintenance margin at prices that have grown. Shape (..., a). [quote].

    Args:
        accounts: The accounts.
        growth: Shape (..., d), price over mark. [ratio]
    """
    notional = np.abs(accounts.size) * accounts.price[accounts.symbol]
    at = notional * growth[..., accounts.symbol]
    held = (accounts.rate * at[..., None] - accounts.amount).max(axis=-1)
    return _by_account(accounts, held)


def buffer(accounts: Accounts, growth: Floats) -> Floats:
    """Return equity less maintenance margin at prices that have grown. Shape (..., a). [quote].

    Args:
        accounts: The accounts.
        growth: Shape (..., d), price over mark; ones for now. [ratio]
    """
    at = accounts.price * growth
    profit = accounts.size * (at[..., accounts.symbol] - accounts.entry)
    equity = accounts.cash + at @ accounts.coins.T + _by_account(accounts, profit)
    result: Floats = equity - maintenance(accounts, growth)
    return result


def weights(accounts: Accounts) -> Floats:
    """Return by how much buffers rise per log move of each symbol, now. Shape (a, d). [quote]."""
    notional = np.abs(accounts.size) * accounts.price[accounts.symbol]
    lines = accounts.rate * notional[:, None] - accounts.amount
    tier = lines.argmax(axis=1)[:, None]
    rate = np.take_along_axis(accounts.rate, tier, axis=1)[:, 0]
    found = exposure(accounts)
    np.add.at(found, (accounts.account, accounts.symbol), -rate * notional)
    return found


def deviation(weight: Floats, covariance: Floats) -> Floats:
    """Return the delta-normal standard deviation of buffers, ``sqrt(w S w)``. Shape (a,). [quote].

    Args:
        weight: Shape (a, d), see `weights`. [quote]
        covariance: Shape (d, d), of log returns over the horizon. [log^2]
    """
    variance = np.einsum("ad,de,ae->a", weight, covariance, weight)
    found: Floats = np.sqrt(np.maximum(variance, 0.0))
    return found


def covariance(sigma: Floats, correlation: Floats) -> Floats:
    """Return the covariance of log returns. Shape (d, d). [log^2].

    Args:
        sigma: Shape (d,), over the horizon. [log]
        correlation: Shape (d, d). [ratio]
    """
    return np.outer(sigma, sigma) * correlation


def correlation(residuals: Floats, *, half_life: float = HALF_LIFE) -> Floats:
    """Return the exponentially weighted correlation of standardised returns. Shape (d, d).

    Args:
        residuals: Shape (r, d), time ascending, finite.
        half_life: > 0. [steps]

    Raises:
        ValueError: If a symbol never moves.
    """
    age = np.arange(residuals.shape[0] - 1, -1, -1, dtype=np.float64)
    weight = np.exp2(-age / half_life)
    second: Floats = (residuals * weight[:, None]).T @ residuals
    scale = np.sqrt(np.diag(second))
    if not (scale > 0).all():
        raise ValueError("every symbol of the residuals must move")
    found: Floats = second / np.outer(scale, scale)
    np.fill_diagonal(found, 1.0)
    np.clip(found, -1.0, 1.0, out=found)
    return found


def screen(accounts: Accounts, covariance: Floats) -> Floats:
    """Return the buffer of each account in delta-normal standard deviations. Shape (a,).

    Against a simulation it errs by a factor of about two either way: a reason to simulate or not,
    never a promise. An account that nothing moves stands at plus or minus infinity.

    Args:
        accounts: The accounts.
        covariance: Shape (d, d), over the horizon. [log^2]
    """
    now = buffer(accounts, np.ones_like(accounts.price))
    sd = deviation(weights(accounts), covariance)
    still = np.where(now > 0, np.inf, -np.inf)
    found: Floats = np.where(sd > 0, now / np.where(sd > 0, sd, 1.0), still)
    return found


def may_skip(
    accounts: Accounts,
    covariance: Floats,
    *,
    quantile: float,
    reach: Floats,
    options: Booleans,
) -> Booleans:
    """Return which accounts need no simulation. Shape (a,).

    Those that stand at 1.5 times the largest quantile of their symbols or farther, hold no
    options, and no position of which would change its tier within reach.

    Args:
        accounts: The accounts.
        covariance: Shape (d, d), over the horizon. [log^2]
        quantile: Largest required distance of the symbols, > 0. [standard deviations]
        reach: Shape (d,), how far prices may go either way, >= 0. [log]
        options: Shape (a,): the account holds options.
    """
    notional = np.abs(accounts.size) * accounts.price[accounts.symbol]

    def tier(move: Floats) -> Integers:
        at = notional * np.exp(move[accounts.symbol])
        rate = accounts.rate * at[:, None] - accounts.amount
        found: Integers = rate.argmax(axis=1)
        return found

    crossed = np.zeros(accounts.cash.shape[0], dtype=np.bool_)
    np.logical_or.at(crossed, accounts.account, tier(reach) != tier(-reach))
    found: Booleans = (screen(accounts, covariance) >= SKIP * quantile) & ~crossed & ~options
    return found


def part(accounts: Accounts, chosen: Integers, symbols: Integers) -> Accounts:
    """Return some of the accounts, as if they held some of the symbols and nothing else.

    Args:
        accounts: All of them.
        chosen: Shape (b,), rising: which accounts.
        symbols: Shape (m,), rising: which symbols.
    """
    row = np.full(accounts.cash.shape[0], -1)
    column = np.full(accounts.price.shape[0], -1)
    row[chosen], column[symbols] = np.arange(chosen.size), np.arange(symbols.size)
    kept = (row[accounts.account] >= 0) & (column[accounts.symbol] >= 0)
    return Accounts(
        price=accounts.price[symbols],
        cash=accounts.cash[chosen],
        coins=accounts.coins[np.ix_(chosen, symbols)],
        account=row[accounts.account[kept]],
        symbol=column[accounts.symbol[kept]],
        size=accounts.size[kept],
        entry=accounts.entry[kept],
        rate=accounts.rate[kept],
        amount=accounts.amount[kept],
    )


def touched(accounts: Accounts) -> Booleans:
    """Return whether each account holds anything of each symbol, long, short or coins. (a, d)."""
    found = accounts.coins > 0
    np.logical_or.at(found, (accounts.account, accounts.symbol), accounts.size != 0)
    return found


def adverse(accounts: Accounts, reach: Floats) -> Floats:
    """Return what the worse end of a range takes from buffers, per symbol, >= 0. Shape (a, d).

    A buffer is a sum over symbols of concave functions of their prices, so the least of each over
    a range is at one of its ends, and the sum is what all prices together can do. [quote]

    Args:
        accounts: The accounts.
        reach: Shape (d,), how far each price may go either way, >= 0. [log]
    """
    count = accounts.price.shape[0]
    moves = np.ones((2, count, count))
    moves[0][np.diag_indices(count)] = np.exp(reach)
    moves[1][np.diag_indices(count)] = np.exp(-reach)
    now = buffer(accounts, np.ones(count))
    fall: Floats = (now - buffer(accounts, moves).min(axis=0)).T
    # Rounding must not become a need of symbols that are not held, or do not move.
    return np.where(touched(accounts) & (reach > 0), np.maximum(fall, 0.0), 0.0)


def _by_account(accounts: Accounts, values: Floats) -> Floats:
    count = accounts.cash.shape[0]
    belongs = np.zeros((values.shape[-1], count))
    belongs[np.arange(values.shape[-1]), accounts.account] = 1.0
    found: Floats = values @ belongs
    return found

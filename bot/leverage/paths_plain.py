"""How do paths run in numpy, where nothing is compiled?"""

import numpy as np

from bot.leverage import cross
from bot.leverage.draws import first_rows
from bot.leverage.paths import Asked, Simulation

_TOGETHER = 512


def run(asked: Asked, out: Simulation) -> None:
    """Run all paths of a group at once, one step after the other.

    Args:
        asked: What is drawn and held.
        out: As begun; written.
    """
    residuals, accounts = asked.residuals, asked.accounts
    steps, block, decay = asked.steps, asked.block, asked.decay
    paths, symbols = out.lowest.shape
    rows = first_rows(asked.seed, rows=residuals.shape[0], paths=paths, steps=steps, block=block)
    if accounts is not None:
        exposure = cross.exposure(accounts).T
        start = cross.maintenance(accounts, np.ones(symbols))
    for begin in range(0, paths, _TOGETHER):
        group = slice(begin, min(begin + _TOGETHER, paths))
        worst = out.worst[group]
        x, low, high = np.zeros((3, worst.shape[0], symbols))
        h = np.broadcast_to(asked.variance, x.shape).copy()
        for step in range(steps):
            moved = residuals[rows[group, step // block] + step % block] * np.sqrt(h)
            h = decay * h + (1.0 - decay) * (moved * moved)
            x += moved
            np.minimum(low, x, out=low)
            np.maximum(high, x, out=high)
            if accounts is not None:
                growth = np.exp(x)
                fall = (1.0 - growth) @ exposure + cross.maintenance(accounts, growth) - start
                np.maximum(worst, fall, out=worst)
        out.lowest[group], out.highest[group] = low, high

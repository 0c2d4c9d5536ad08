"""Where a position shall stand: one short file per strategy.

A strategy is a class with a frozen settings dataclass named ``Settings`` and a method
``choose(risk, market) -> LeverageBand``. Your own file works the same way: put its path in
``[strategy] path``.
"""

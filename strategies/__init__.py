"""Where a position shall stand: one short file per strategy.

A strategy is a class whose one argument ``settings`` is a frozen dataclass, with a method
``choose(risk, market) -> LeverageBand``. Your own file works the same way: put its path in
``[strategy] path``; ``docs/examples`` has one to copy.
"""

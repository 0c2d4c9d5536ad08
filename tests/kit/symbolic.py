"""Which results can a function of integers have, for all integers at once?

The function itself runs, on numbers that are terms of z3. Each branch it asks about is taken both
ways where both are possible; what comes back is one result per path with the condition of it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import z3

PATHS = 64
"""A function of the kernel has a handful; more would be a loop over something unbounded."""


@dataclass(frozen=True, slots=True)
class Path:
    """One way through a function.

    Attributes:
        condition: When it is taken, the assumptions included.
        result: What the function returned on it.
    """

    condition: Any
    result: Any


def paths(run: Callable[..., Any], /, *assumed: Any, **arguments: Any) -> list[Path]:
    """Run a function once for each way that the assumptions leave open.

    Args:
        run: A pure function; arguments that are z3 terms are handed to it as numbers.
        assumed: z3 conditions on the arguments.
        arguments: By name.
    """
    found: list[Path] = []
    open_: list[list[bool]] = [[]]
    while open_:
        if len(found) == PATHS:
            raise AssertionError(f"{run.__name__} has more than {PATHS} paths")
        walk = _Walk(assumed, open_.pop())
        result = run(
            **{
                name: Number(value, walk) if z3.is_expr(value) else value
                for name, value in arguments.items()
            }
        )
        open_ += walk.turns
        found.append(Path(z3.And(*walk.conditions), _term(result)))
    return found


def always(
    run: Callable[..., Any], law: Callable[[Any], Any], /, *assumed: Any, **args: Any
) -> bool:
    """Whether a law holds of the result of a function on every path."""
    return all(
        is_valid(z3.Implies(path.condition, law(path.result)))
        for path in paths(run, *assumed, **args)
    )


def is_valid(claim: Any) -> bool:
    """Whether a claim holds for all integers.

    Raises:
        AssertionError: z3 could not tell in time; that is no proof.
    """
    solver = z3.Solver()
    solver.set("timeout", 20_000)
    solver.add(z3.Not(claim))
    answer = solver.check()
    if answer == z3.unknown:
        raise AssertionError(f"z3 could not decide: {solver.reason_unknown()}")
    return bool(answer == z3.unsat)


class _Walk:
    """One run: follows the turns it was given, then takes the first possible one of each fork."""

    def __init__(self, assumed: tuple[Any, ...], script: list[bool]) -> None:
        self.conditions = list(assumed)
        self.turns: list[list[bool]] = []
        self._script, self._taken = script, list[bool]()

    def is_taken(self, condition: Any) -> bool:
        depth = len(self._taken)
        if depth < len(self._script):
            turn = self._script[depth]
        else:
            turn = self._is_possible(condition)
            if turn and self._is_possible(z3.Not(condition)):
                self.turns.append([*self._taken, False])
        self._taken.append(turn)
        self.conditions.append(condition if turn else z3.Not(condition))
        return turn

    def _is_possible(self, condition: Any) -> bool:
        return not is_valid(z3.Not(z3.And(*self.conditions, condition)))


class Number:
    """An integer that stands for all its values."""

    def __init__(self, term: Any, walk: _Walk) -> None:
        self.term, self._walk = term, walk

    def __add__(self, other: Any) -> Number:
        return self._make(self.term + _term(other))

    def __radd__(self, other: int) -> Number:
        return self._make(other + self.term)

    def __sub__(self, other: Any) -> Number:
        return self._make(self.term - _term(other))

    def __rsub__(self, other: int) -> Number:
        return self._make(other - self.term)

    def __mul__(self, other: Any) -> Number:
        return self._make(self.term * _term(other))

    __rmul__ = __mul__

    def __neg__(self) -> Number:
        return self._make(-self.term)

    def __abs__(self) -> Number:
        return -self if self < 0 else self

    def __floordiv__(self, other: Any) -> Number:
        return self._make(self.term / self._divisor(other))

    def __mod__(self, other: Any) -> Number:
        return self._make(self.term % self._divisor(other))

    def __lt__(self, other: Any) -> Truth:
        return self._compare(operator.lt, other)

    def __le__(self, other: Any) -> Truth:
        return self._compare(operator.le, other)

    def __gt__(self, other: Any) -> Truth:
        return self._compare(operator.gt, other)

    def __ge__(self, other: Any) -> Truth:
        return self._compare(operator.ge, other)

    def __eq__(self, other: object) -> Truth:  # type: ignore[override]  # a term, not yet a bool
        return self._compare(operator.eq, other)

    __hash__ = None  # type: ignore[assignment]  # a set of unknown numbers has no meaning

    def _make(self, term: Any) -> Number:
        return Number(term, self._walk)

    def _compare(self, how: Callable[[Any, Any], Any], other: Any) -> Truth:
        return Truth(how(self.term, _term(other)), self._walk)

    def _divisor(self, other: Any) -> Any:
        # z3 and Python round alike only here.
        term = _term(other)
        assert is_valid(z3.Implies(z3.And(*self._walk.conditions), term > 0)), f"{term} may be < 1"
        return term


class Truth:
    """A comparison; asking for its value makes a fork."""

    def __init__(self, term: Any, walk: _Walk) -> None:
        self.term, self._walk = term, walk

    def __bool__(self) -> bool:
        return self._walk.is_taken(self.term)


def _term(value: Any) -> Any:
    if isinstance(value, Number | Truth):
        return value.term
    if isinstance(value, tuple):
        return tuple(_term(one) for one in value)
    return value

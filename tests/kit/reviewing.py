"""What one review says of an action, with facts that speak for it unless changed."""

from dataclasses import dataclass, replace
from decimal import Decimal as D
from typing import Any

from bot.domain.account import Account
from bot.domain.action import (
    Action,
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.decision import Refusal
from bot.domain.instrument import Instrument
from bot.domain.position import Position
from bot.margin.assess import assess
from bot.margin.bands import band_at_distances
from bot.rebalance.memory import KeyMemory, Memory
from bot.rebalance.policy import Policy
from bot.rebalance.review import review
from tests.kit.builders import (
    LEVELS,
    NOON,
    a_policy,
    a_position,
    a_stop,
    an_instrument,
    an_observation,
)

KEY = a_position().key
ADD = AddMargin(key=KEY, amount=D(100), currency="USDT")
REMOVE = RemoveMargin(key=KEY, amount=D(100), currency="USDT")
REDUCE = ReducePosition(key=KEY, size=D("0.5"), limit_price=D(59000))
MOVE = Transfer(source="spot", destination="futures", amount=D(50), currency="USDT")
STOP = PlaceStop(key=KEY, size=D(1), stop_price=D(56500), is_needed=True)
CANCEL = CancelStop(key=KEY, stop_id="1", client_id="plabcd0001000001")
OWN = Memory(keys=(KeyMemory(key=KEY, added=D(500)),))
RICH = "12000"
HELD, RULES, EMPTY, POLICY = a_position(margin="5000"), an_instrument(), Memory(), a_policy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What one review is asked, with safe defaults."""

    position: Position = HELD
    rules: Instrument = RULES
    memory: Memory = EMPTY
    policy: Policy = POLICY
    futures: str = "1000"
    spot: str = "1000"
    age_ms: int = 100
    account: Account | None = None
    has_band: bool = True
    agreed: D | None = D(1)
    """The venue's liquidation price as a multiple of ours; ``None`` when it gives none."""


def reviewed(action: Action, case: Case | None = None, **changes: Any) -> Refusal | None:
    """Review one action in a case, or in the usual one with changes."""
    case = replace(case or Case(), **changes)
    risk = assess(case.position, case.rules)
    ours = risk.liquidation_price
    theirs = None if ours is None or case.agreed is None else ours * case.agreed
    position = replace(case.position, venue_liquidation_price=theirs)
    seen = an_observation(position, futures=case.futures, spot=case.spot)
    return review(
        action,
        case.account or seen.account,
        {case.rules.symbol: case.rules},
        {position.key: band_at_distances(risk, LEVELS)} if case.has_band else {},
        case.memory,
        case.policy,
        now=NOON,
        age_ms=case.age_ms,
    )


def code(action: Action, case: Case | None = None, **changes: Any) -> str | None:
    """Return the code of the refusal, which has a text, if there is one."""
    refusal = reviewed(action, case, **changes)
    assert refusal is None or refusal.text
    return None if refusal is None else refusal.code


def rich(**changes: Any) -> dict[str, Any]:
    """A position with margin to give back, all of it added by the bot."""
    values: dict[str, Any] = {"position": a_position(margin=RICH), "memory": OWN}
    return values | changes


def with_stop(**changes: Any) -> dict[str, Any]:
    """A position with two stops of the bot."""
    held = a_position(margin="5000")
    account = an_observation(held, stops=(a_stop("57000"), a_stop("56800", stop_id="2"))).account
    return {"position": held, "account": account} | changes

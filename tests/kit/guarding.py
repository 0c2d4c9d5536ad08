"""What the guard is asked about one action, with facts that speak for it unless changed."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

from bot.domain.action import (
    Action,
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.decision import Urgency
from bot.domain.switch import Switches
from bot.execute.facts import Conditions, Facts
from bot.margin.assess import assess
from bot.margin.bands import band_at_distances
from bot.rebalance.memory import KeyMemory, Memory, Move
from tests.kit.builders import LEVELS, NOON, a_policy, a_position, an_instrument, an_observation

KEY = a_position().key
ADD = AddMargin(key=KEY, amount=D("100.00123"), currency="USDT")
REMOVE = RemoveMargin(key=KEY, amount=D("99.99123"), currency="USDT")
REDUCE = ReducePosition(key=KEY, size=D("0.5"), limit_price=D(59000))
MOVE = Transfer(source="spot", destination="futures", amount=D("50.00125"), currency="USDT")
STOP = PlaceStop(key=KEY, size=D(1), stop_price=D(55000), is_needed=True)
CANCEL = CancelStop(key=KEY, stop_id="1", client_id="pl1")
OTHER = replace(ADD, amount=D("80.00456"))
RICH = "20000"
OWN: dict[str, Any] = {"memory": Memory(keys=(KeyMemory(key=KEY, added=D(500)),))}


def some_facts(action: Action = ADD, *, margin: str = "5000", **changes: Any) -> Facts:
    """Facts of an account whose numbers fit and whose venue is reachable."""
    position = a_position(margin=margin)
    rules = an_instrument()
    ours = assess(position, rules).liquidation_price
    position = replace(position, venue_liquidation_price=ours)
    seen = an_observation(position, futures="1000", spot="1000")
    band = band_at_distances(assess(position, rules), LEVELS)
    values: dict[str, Any] = {
        "action": action,
        "account": seen.account,
        "instruments": {rules.symbol: rules},
        "bands": {KEY: band},
        "memory": Memory(),
        "policy": a_policy(),
        "switches": Switches(),
        "urgency": Urgency.ROUTINE,
        "now": NOON,
        "age": 0.1,
        "step": D("0.00001"),
        "conditions": Conditions(),
    }
    values |= changes
    return Facts(**({"held": values["account"].held()} | values))


def critical(action: Action = ADD, **changes: Any) -> Facts:
    """Facts of a position below its emergency distance."""
    return some_facts(action, margin="3000", urgency=Urgency.EMERGENCY, **changes)


def under(action: Action = ADD, **conditions: Any) -> Facts:
    """Facts under other conditions of the process and the venue."""
    return some_facts(action, conditions=Conditions(**conditions))


def after(*moves: tuple[float, Action], **memory: Any) -> Memory:
    """A memory of moves, each made so long ago. [s]"""
    return Memory(
        moves=tuple(Move(at=NOON - timedelta(seconds=ago), action=a) for ago, a in moves), **memory
    )


def held(**numbers: Any) -> dict[str, Any]:
    """An account whose one position reads like this."""
    account = some_facts().account
    position = replace(account.positions[0], **numbers)
    return {"account": replace(account, positions=(position,))}


def funded(free: D) -> dict[str, Any]:
    """An account whose one wallet has so much free."""
    account = some_facts().account
    return {"account": replace(account, wallets=(replace(account.wallets[0], free=free),))}

"""What is a plan, and what does a step of it change?"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot.domain.account import Account
from bot.domain.action import AddMargin, ReducePosition, RemoveMargin
from bot.domain.decision import PlannedAction, Refusal
from bot.domain.instrument import Instrument
from bot.rebalance.policy import Policy
from bot.rebalance.project import position_of, project, snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Actions in the order in which they must be sent, and what could not be planned."""

    actions: tuple[PlannedAction, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def planned(
    action: AddMargin | RemoveMargin | ReducePosition,
    why: str,
    cost: Decimal,
    account: Account,
    instruments: Mapping[str, Instrument],
    policy: Policy,
) -> tuple[PlannedAction, Account]:
    """Return a step with the position before and after it, and the account after it.

    Args:
        action: Of a position that is held.
        why: Short code.
        cost: Fees and slippage. [settle]
        account: Before it.
        instruments: Rules by symbol.
        policy: Names the wallet.
    """
    after = project(account, instruments, action, wallet=policy.futures_wallet)
    held, rest = position_of(account, action.key), position_of(after, action.key)
    instrument = instruments[action.key.symbol]
    step = PlannedAction(
        action=action,
        why=why,
        cost=cost,
        before=snapshot(held, instrument) if held is not None else None,
        after=snapshot(rest, instrument) if rest is not None else None,
    )
    return step, after

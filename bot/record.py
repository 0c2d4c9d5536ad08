"""How is a decision told to people and machines?

One JSON object, shared by journal, log, MQTT and command line; `bot.schemas` describes it.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bot.domain.account import Wallet
from bot.domain.action import (
    Action,
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.band import Levels
from bot.domain.decision import Decision, PlannedAction, PositionVerdict, Snapshot
from bot.domain.intent import Execution, Intent
from bot.domain.past import written
from bot.domain.stop import RestingStop
from bot.margin.isolated import distance

VERSION = 1
DIGITS = Decimal("0.00000001")
"""Derived numbers are shown to eight places; amounts that are sent are exact."""


def record_of(
    decision: Decision,
    *,
    decision_id: str,
    sequence: int,
    intents: Sequence[Intent],
    config_hash: str,
    strategy: str,
) -> dict[str, Any]:
    """Return the record of a decision before anything of it was sent.

    Args:
        decision: As decided.
        decision_id: Unique in the journal.
        sequence: Of the poll, ascending.
        intents: One per approved action, in the same order.
        config_hash: Of the configuration in force.
        strategy: Path of the strategy in force.
    """
    return {
        "v": VERSION,
        "id": decision_id,
        "at": decision.at.isoformat(timespec="milliseconds"),
        "seq": sequence,
        "account": decision.account,
        "mode": decision.mode.value,
        "urgency": decision.urgency.value,
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "positions": [_position(verdict) for verdict in decision.positions],
        "wallets": [_wallet(wallet) for wallet in decision.wallets],
        "stops": [_stop(stop) for stop in decision.stops],
        "actions": [
            _action(planned, intent)
            for planned, intent in zip(decision.approved, intents, strict=True)
        ],
        "refusals": [{"code": r.code, "text": r.text} for r in decision.refusals],
        "inputs_age_ms": decision.inputs_age_ms,
        "config_hash": config_hash,
        "strategy": strategy,
    }


def with_outcomes(
    record: dict[str, Any], outcomes: Mapping[str, Execution | str]
) -> dict[str, Any]:
    """Return the record with what became of its actions.

    Args:
        record: From `record_of`.
        outcomes: By intent id: what the send brought, or why it was dropped.
    """
    actions = []
    for action in record["actions"]:
        outcome = outcomes.get(action["id"])
        if isinstance(outcome, Execution):
            actions.append(
                action | {"outcome": outcome.outcome.value, "latency_ms": outcome.latency_ms}
            )
        elif outcome is not None:
            actions.append(action | {"outcome": "dropped"})
        else:
            actions.append(action)
    return record | {"actions": actions}


def _position(verdict: PositionVerdict) -> dict[str, Any]:
    risk, band = verdict.risk, verdict.band
    position = risk.position
    stop = None if verdict.stop is None else verdict.stop.stop_price
    carry = None if band is None else written(band.carry)
    joint = _shown(risk.joint_distance)
    return {
        "symbol": position.symbol,
        "side": position.side.value,
        "size": plain(position.size),
        "mark": plain(position.mark_price),
        "equity": _shown(risk.equity if risk.is_known else None),
        "maintenance_margin": _shown(risk.maintenance_margin),
        "liquidation_price": _shown(risk.liquidation_price if risk.is_known else None),
        "venue_liquidation_price": _plain(position.venue_liquidation_price),
        "distance": _shown(risk.distance),
        "effective_leverage": _shown(risk.leverage),
        "hit_probability": _plain(band.hit_probability) if band is not None else None,
        "volatility": _plain(band.volatility) if band is not None else None,
        "band_why": band.why if band is not None else "",
        "flags": list(band.flags) if band is not None else [],
        "unsurvived": list(band.unsurvived) if band is not None else [],
        "band": _band(band.distance) if band is not None else None,
        "leverage_band": _band(band.leverage) if band is not None else None,
        "blackout_move": _shown(verdict.blackout.move),
        "blackout_minutes": verdict.blackout.minutes,
        "stop": _plain(stop),
        "stop_distance": _shown(
            distance(size=position.size, mark_price=position.mark_price, liquidation=stop)
        ),
        "urgency": verdict.urgency.value,
        "reason": verdict.reason,
        # Records of before strategies carried anything, or cross positions were judged by their
        # account, must follow again.
        **({} if carry is None else {"carry": carry}),
        **({} if joint is None else {"joint_distance": joint}),
    }


def _band(levels: Levels) -> dict[str, Any]:
    return {
        "trigger": _shown(levels.trigger),
        "target": _shown(levels.target),
        "give_back": _shown(levels.give_back),
        "emergency": _shown(levels.emergency),
    }


def _wallet(wallet: Wallet) -> dict[str, Any]:
    return {
        "name": wallet.name,
        "currency": wallet.currency,
        "total": plain(wallet.total),
        "free": plain(wallet.free),
    }


def _stop(stop: RestingStop) -> dict[str, Any]:
    return {
        "symbol": stop.key.symbol,
        "side": stop.key.side.value,
        "stop_id": stop.stop_id,
        "client_id": stop.client_id,
        "size": _plain(stop.size),
        "stop_price": plain(stop.stop_price),
        "on_mark": stop.on_mark,
        "is_ours": stop.is_ours,
    }


def _action(planned: PlannedAction, intent: Intent) -> dict[str, Any]:
    return {
        "id": intent.id,
        **described(intent.action),
        "why": planned.why,
        "cost": _shown(planned.cost),
        "before": _snapshot(planned.before),
        "after": _snapshot(planned.after),
        "outcome": None,
        "latency_ms": None,
    }


def described(action: Action) -> dict[str, Any]:
    """Return what an action does, in the words of the record."""
    match action:
        case Transfer(source=source, destination=destination):
            return {
                "kind": action.kind,
                "source": source,
                "destination": destination,
                "amount": plain(action.amount),
                "currency": action.currency,
            }
        case ReducePosition(key=key):
            return {
                "kind": action.kind,
                "symbol": key.symbol,
                "side": key.side.value,
                "size": plain(action.size),
                "limit_price": plain(action.limit_price),
            }
        case PlaceStop(key=key):
            return {
                "kind": action.kind,
                "symbol": key.symbol,
                "side": key.side.value,
                "size": _plain(action.size),
                "stop_price": plain(action.stop_price),
            }
        case CancelStop(key=key):
            return {
                "kind": action.kind,
                "symbol": key.symbol,
                "side": key.side.value,
                "stop_id": action.stop_id,
            }
        case AddMargin() | RemoveMargin():
            return {
                "kind": action.kind,
                "symbol": action.key.symbol,
                "side": action.key.side.value,
                "amount": plain(action.amount),
                "currency": action.currency,
            }


def _snapshot(snapshot: Snapshot | None) -> dict[str, Any] | None:
    if snapshot is None:
        return None
    return {
        "size": plain(snapshot.size),
        "margin": _shown(snapshot.margin),
        "liquidation_price": _shown(snapshot.liquidation_price),
        "distance": _shown(snapshot.distance),
        "leverage": _shown(snapshot.leverage),
    }


def plain(value: Decimal) -> str:
    """Return a decimal as plain digits, never in scientific notation."""
    return format(value, "f")


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _shown(value: Decimal | None) -> str | None:
    if value is None:
        return None
    text = format(value.quantize(DIGITS), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text

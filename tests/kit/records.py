"""Decision records and intents with safe defaults."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.domain.action import Action, AddMargin
from bot.domain.intent import Intent, SignedRequest
from bot.domain.position import PositionKey, Side

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=1)
BTC = "BTC/USDT:USDT"


def a_position_record(**changes: Any) -> dict[str, Any]:
    """Return one long position inside its band."""
    return {
        "symbol": BTC,
        "side": "long",
        "size": "0.500",
        "mark": "60000.0",
        "equity": "6000",
        "maintenance_margin": "120",
        "liquidation_price": "48192.77",
        "venue_liquidation_price": None,
        "distance": "0.1968",
        "effective_leverage": "5",
        "hit_probability": None,
        "band": {"trigger": "0.10", "target": "0.15", "give_back": "0.3", "emergency": "0.05"},
        "volatility": "0.008",
        "leverage_band": {"trigger": "9", "target": "6", "give_back": "3", "emergency": "17"},
        "blackout_move": "0.1968",
        "blackout_minutes": 2,
        "stop": "49500.0",
        "stop_distance": "0.175",
        "urgency": "hold",
        "reason": "inside_band",
    } | changes


def an_action_record(**changes: Any) -> dict[str, Any]:
    """Return one margin addition that was not tried yet."""
    return {
        "id": "plabcd0001000000",
        "kind": "add_margin",
        "symbol": BTC,
        "amount": "250.00",
        "currency": "USDT",
        "why": "below_trigger",
        "cost": "0",
        "before": None,
        "after": None,
        "outcome": None,
        "latency_ms": None,
    } | changes


def a_record(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return the hold decision of poll ``number``, one minute after the one before it."""
    return {
        "v": 1,
        "id": f"d{number}",
        "at": (NOON + timedelta(minutes=number)).isoformat(),
        "seq": number,
        "account": "main",
        "mode": "normal",
        "urgency": "hold",
        "verdict": "hold",
        "reason": "inside_band",
        "positions": [a_position_record()],
        "wallets": [{"name": "futures", "currency": "USDT", "total": "900.50", "free": "900.5"}],
        "stops": [],
        "actions": [],
        "refusals": [],
        "inputs_age_ms": 120,
        "config_hash": "0f" * 32,
        "strategy": "strategies.hazard:Hazard",
    } | changes


def an_intent(
    intent_id: str = "plabcd0001000000", decision_id: str = "d1", *, action: Action | None = None
) -> Intent:
    """Return an intent just written."""
    return Intent(
        id=intent_id,
        decision_id=decision_id,
        account="main",
        action=action
        or AddMargin(key=PositionKey(BTC, Side.LONG), amount=Decimal("250.00"), currency="USDT"),
        written_at=NOON,
    )


def a_request(signed_at: datetime) -> SignedRequest:
    """Return a request signed at an instant."""
    return SignedRequest(signed_at=signed_at, window_ms=5000, digest="ab" * 32)

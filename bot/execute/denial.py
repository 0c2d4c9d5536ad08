"""For which reasons may a write not leave?"""

from enum import StrEnum


class DenialCode(StrEnum):
    """Why the guard, the gate or the comparison with the signed request stopped a write."""

    KILLED = "killed"
    PAUSED = "paused"
    MODE_FORBIDS = "mode_forbids"
    LEASE_LOST = "lease_lost"
    EPOCH_STALE = "epoch_stale"
    PLAN_EXPIRED = "plan_expired"
    JOURNAL_UNWRITABLE = "journal_unwritable"
    RESERVE_EXHAUSTED = "reserve_exhausted"
    CLOCK_UNCERTAIN = "clock_uncertain"
    VENUE_BANNED = "venue_banned"
    VENUE_UNAVAILABLE = "venue_unavailable"
    WEIGHT_EXHAUSTED = "weight_exhausted"
    OP_UNSUPPORTED = "op_unsupported"
    ENDPOINT_NOT_ALLOWED = "endpoint_not_allowed"
    DESTINATION_NOT_OWNED = "destination_not_owned"
    NOT_FINITE = "not_finite"
    NOT_POSITIVE = "not_positive"
    STEP_MISMATCH = "step_mismatch"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    POSITION_UNKNOWN = "position_unknown"
    POSITION_MODE_CHANGED = "position_mode_changed"
    SIDE_MISMATCH = "side_mismatch"
    INPUT_MISSING = "input_missing"
    INPUT_STALE = "input_stale"
    INPUT_TORN = "input_torn"
    PRICE_UNCONFIRMED = "price_unconfirmed"
    TIERS_CHANGED = "tiers_changed"
    LIQUIDATION_PRICE_DISPUTED = "liquidation_price_disputed"
    IN_FLIGHT = "in_flight"
    OVER_ADD_REFUSED = "over_add_refused"
    DUPLICATE = "duplicate"
    FINGERPRINT_CLASH = "fingerprint_clash"
    COOLDOWN = "cooldown"
    REVERSAL = "reversal"
    SYMBOL_CLOSING = "symbol_closing"
    RATE_WINDOW = "rate_window"
    BUDGET_ACTION = "budget_action"
    BUDGET_POSITION = "budget_position"
    BUDGET_ACCOUNT = "budget_account"
    BUDGET_VENUE = "budget_venue"
    BUDGET_GLOBAL = "budget_global"
    LEDGER_SHORT = "ledger_short"
    SOURCE_FLOOR = "source_floor"
    NOT_REDUCE_ONLY = "not_reduce_only"
    WOULD_INCREASE = "would_increase"
    WOULD_FLIP = "would_flip"
    POST_STATE_WORSE = "post_state_worse"
    OVERSHOOT = "overshoot"
    NOT_BOT_MARGIN = "not_bot_margin"
    REQUEST_MISMATCH = "request_mismatch"
    REQUEST_EXPIRED = "request_expired"


SKIPPED_IN_EMERGENCY = frozenset({DenialCode.COOLDOWN, DenialCode.REVERSAL})
SKIPPED_WHERE_PROTECTIVE = frozenset(
    {
        DenialCode.TIERS_CHANGED,
        DenialCode.LIQUIDATION_PRICE_DISPUTED,
    }
)
SKIPPED_FOR_ADDS = frozenset({DenialCode.PRICE_UNCONFIRMED})
"""What an emergency does not wait for; never a budget, never a floor."""

Denial = tuple[DenialCode, str]
"""A code and, for people, the limit and the value."""

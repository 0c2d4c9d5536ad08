"""Which operation is a write, and what can happen while one is under way?"""

from enum import StrEnum
from urllib.parse import parse_qs


class Operation(StrEnum):
    """Everything that a bot may one day write."""

    ADD = "add_margin"
    REMOVE = "remove_margin"
    TRANSFER = "transfer"
    SUB_TRANSFER = "sub_account_transfer"
    HAND_OFF = "courier_hand_off"
    REDUCE = "reduce_position"
    CANCEL = "cancel_stop"
    STOP = "place_stop"
    AUTO_MARGIN = "auto_margin_toggle"


class Local(StrEnum):
    """Faults of the machine."""

    SIGKILL = "sigkill_at_each_step"
    SIGTERM = "sigterm_mid_send"
    SIGSTOP = "sigstop_60_s"
    DISK_FULL = "disk_full"
    LOCKED = "database_locked"
    CORRUPT = "corrupt_or_truncated"
    READ_ONLY = "read_only"
    CLOCK = "clock_step_1_h"
    BROKER = "broker_down"
    SECOND = "second_instance"
    RELOAD = "bad_reload"
    MEMORY = "memory_kill"
    STDOUT = "stdout_blocked"
    SECRET = "secret_missing"  # noqa: S105 - the name of a fault
    KEY = "key_revoked"


class Market(StrEnum):
    """What a market and its venue do."""

    GAP = "gap_20_percent"
    SPLIT = "mark_split"
    ZERO = "zero_price"
    TIERS = "tier_change"
    DELIST = "trading_halted"
    ADL = "auto_deleveraging"
    LIQUIDATION = "liquidation"
    FUNDING = "funding_debit"
    DEPEG = "depeg"
    HUMAN = "human_move"


def operation_of(method: str, path: str, content: str) -> Operation | None:
    """Return what a request would do; ``None`` for a read."""
    match method, path:
        case "POST", "/fapi/v1/positionMargin":
            kind = parse_qs(content).get("type", [""])[0]
            return Operation.ADD if kind == "1" else Operation.REMOVE
        case "POST", "/fapi/v1/order":
            return Operation.REDUCE
        case "POST", "/fapi/v1/algoOrder":
            return Operation.STOP
        case "DELETE", "/fapi/v1/algoOrder" | "/fapi/v1/order":
            return Operation.CANCEL
        case "POST", "/sapi/v1/asset/transfer":
            return Operation.TRANSFER
    return None

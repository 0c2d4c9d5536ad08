"""Lines of a venue's ledger, intents that may explain them, and books just opened."""

from datetime import datetime, timedelta
from decimal import Decimal as D

from bot.domain.intent import Intent, IntentState
from bot.domain.ledger import LedgerRow, RowKind
from bot.execute import books
from bot.execute.arithmetic import tag_of
from bot.execute.transit import Place
from tests.kit.builders import BTC, NOON, a_position, an_observation
from tests.kit.ledger_world import STEP, WRITER, transfer

SCALE = 1_000
FUTURES, SPOT, MARGIN = Place("futures", "USDT"), Place("spot", "USDT"), Place(BTC, "USDT")
OPENED = books.open_books(
    an_observation(a_position(margin="300"), futures="1000", spot="500"), (), writer=WRITER
)


def after(seconds: float) -> datetime:
    """Return an instant so long after the books were opened. [s]"""
    return NOON + timedelta(seconds=seconds)


def an_intent(name: str = "plabcd0003000001", **changes: object) -> Intent:
    """Return a transfer that was sent at noon and not answered."""
    values: dict[str, object] = {
        "id": name,
        "decision_id": "d",
        "account": "main",
        "action": transfer("100.00001"),
        "written_at": NOON,
        "sent_at": NOON,
        "state": IntentState.SENT,
    }
    return Intent(**(values | changes))  # type: ignore[arg-type]  # any field by name


def a_row(amount: str, *, seconds: float = 0, name: str = "", **changes: object) -> LedgerRow:
    """Return a line of margin that moved, so long after noon. [s]"""
    values: dict[str, object] = {
        "id": name or f"margin:{amount}:{seconds}",
        "at": after(seconds),
        "kind": RowKind.MARGIN_ADDED if D(amount) > 0 else RowKind.MARGIN_REMOVED,
        "amount": D(amount),
        "asset": "USDT",
        "symbol": BTC,
        "actor": "USER_ADJUST",
    }
    return LedgerRow(**(values | changes))  # type: ignore[arg-type]  # any field by name


def tagged(*, epoch: int, counter: int) -> str:
    """Return an amount of about 100 that carries a tag."""
    return str((D(100) / STEP + tag_of(epoch=epoch, counter=counter, scale=SCALE)) * STEP)


def a_fee(seconds: float, *, asset: str = "USDT") -> LedgerRow:
    """Return the line of a fee of one, so long after the books were opened. [s]"""
    return a_row("-1", seconds=seconds, kind=RowKind.FEE, symbol="", asset=asset)


def a_move(amount: str, seconds: float = 1) -> LedgerRow:
    """Return a line of a transfer from spot to futures."""
    return a_row(amount, seconds=seconds, kind=RowKind.TRANSFER_IN, symbol="", other="spot")

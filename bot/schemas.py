"""In which bytes do decisions and the inputs of decisions leave the program?"""

import sys
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from bot.domain.decision import Urgency, Verdict
from bot.domain.intent import IntentState
from bot.domain.mode import Mode
from bot.domain.position import Side

SCHEMA_FILE = Path("docs/schemas/decision.json")

T = TypeVar("T")


def _amount(description: str, default: Any = ...) -> Any:
    # Text, not a number: a JSON reader that makes floats would lose digits.
    return Field(default, pattern=r"^-?[0-9]+(\.[0-9]+)?(E[+-]?[0-9]+)?$", description=description)


def _from_text() -> Any:
    # Records are plain JSON objects: an enumeration arrives as its text.
    return Field(strict=False)


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class BandRecord(_Part):
    """The band of one position, as liquidation distances [ratio] or effective leverages [x]."""

    trigger: str = _amount("Act below it. [ratio]")
    target: str = _amount("Where an action aims. [ratio]")
    give_back: str = _amount("Margin may return beyond it. [ratio]")
    emergency: str = _amount("Act without waiting below it. [ratio]")


class PositionRecord(_Part):
    """One position as judged in one poll; ``null`` means there is no such number."""

    symbol: str
    side: Side = _from_text()
    size: str = _amount("Signed, long > 0. [base or quote]")
    mark: str = _amount("[quote/base]")
    equity: str | None = _amount(
        "Margin and unrealized PnL; of a cross position what its account holds beyond what its "
        "other positions need; null where that is not known. [settle]"
    )
    maintenance_margin: str = _amount("[settle]")
    liquidation_price: str | None = _amount("Ours. [quote/base]")
    venue_liquidation_price: str | None = _amount("The venue's. [quote/base]")
    distance: str | None = _amount(
        "Adverse move to liquidation over mark; where equity is null, to the venue's price. [ratio]"
    )
    effective_leverage: str | None = _amount("Notional over equity. [x]")
    hit_probability: str | None = _amount("Within the strategy's horizon. [ratio]")
    band: BandRecord | None
    volatility: str | None = _amount("Per square-root hour.")
    band_why: str = Field(default="", description="What the band rests on.")
    flags: list[str] = Field(
        default=[], description="What was not as it should be in what the band was measured from."
    )
    unsurvived: list[str] = Field(
        default=[], description="Disasters that would liquidate the position as it stands."
    )
    leverage_band: BandRecord | None
    blackout_move: str | None = _amount("Adverse move survived while nobody acts. [ratio]", None)
    blackout_minutes: int | None = Field(
        default=None,
        ge=0,
        description="Survived at the worst recorded pace while nobody acts, no stop counted. [min]",
    )
    stop: str | None = _amount("Where our own resident stop fires. [quote/base]", None)
    stop_distance: str | None = _amount("Adverse move to it over mark. [ratio]", None)
    urgency: Urgency = _from_text()
    reason: str
    carry: str | None = Field(
        default=None,
        description="What the strategy carries to its next decision, as JSON; absent for nothing.",
    )
    joint_distance: str | None = _amount(
        "Of a cross position: share by which all prices of its account may move against it "
        "together; absent for others. [ratio]",
        None,
    )


class WalletRecord(_Part):
    """Collateral of one currency in one place."""

    name: str
    currency: str
    total: str = _amount("[currency]")
    free: str = _amount("[currency]")


class StopRecord(_Part):
    """One order at the venue that waits to close a position."""

    symbol: str
    side: Side = Field(strict=False, description="Of the position.")
    stop_id: str = Field(description="The venue's.")
    client_id: str = Field(description="Empty for none.")
    size: str | None = _amount("What it closes; null for whatever is open then. [base or quote]")
    stop_price: str = _amount("[quote/base]")
    on_mark: bool = Field(description="Whether it watches mark; else the last trade.")
    is_ours: bool = Field(description="Others are never touched.")


class SnapshotRecord(_Part):
    """One position before or after an action."""

    size: str = _amount("Signed. [base or quote]")
    margin: str = _amount("[settle]")
    liquidation_price: str | None = _amount("[quote/base]")
    distance: str | None = _amount("[ratio]")
    leverage: str | None = _amount("[x]")


_MEASURES: dict[str, tuple[tuple[str, ...], ...]] = {
    "add_margin": (("amount",),),
    "remove_margin": (("amount",),),
    "transfer": (("amount",),),
    "reduce_position": (("size",),),
    "place_stop": (("size",), ()),
    "cancel_stop": ((),),
}


class ActionRecord(_Part):
    """One approved action; ``outcome`` is ``null`` until it was tried."""

    id: str = Field(pattern=r"^[a-z0-9]{1,20}$", description="The intent.")
    kind: Literal[
        "add_margin", "remove_margin", "reduce_position", "transfer", "place_stop", "cancel_stop"
    ]
    symbol: str | None = Field(default=None, description="Absent for transfers.")
    side: Side | None = Field(default=None, strict=False, description="Absent for transfers.")
    source: str | None = Field(default=None, description="Wallet, of transfers only.")
    destination: str | None = Field(default=None, description="Wallet, of transfers only.")
    limit_price: str | None = Field(
        default=None,
        pattern=r"^[0-9]+(\.[0-9]+)?$",
        description="Worst price, of reduce_position only. [quote/base]",
    )
    stop_price: str | None = Field(
        default=None,
        pattern=r"^[0-9]+(\.[0-9]+)?$",
        description="Where it fires, of place_stop only. [quote/base]",
    )
    stop_id: str | None = Field(default=None, description="The venue's, of cancel_stop only.")
    amount: str | None = Field(
        default=None,
        pattern=r"^[0-9]+(\.[0-9]+)?(E[+-]?[0-9]+)?$",
        description="Collateral moved; of margin moves and transfers. [currency]",
    )
    size: str | None = Field(
        default=None,
        pattern=r"^[0-9]+(\.[0-9]+)?(E[+-]?[0-9]+)?$",
        description="Closed, of reduce_position; to be closed, of place_stop, where null is "
        "whatever is open then. [base or quote]",
    )
    currency: str | None = Field(default=None, description="Of the amount.")
    why: str
    cost: str = _amount("Expected fees and slippage. [settle]")
    before: SnapshotRecord | None
    after: SnapshotRecord | None
    outcome: IntentState | None = Field(default=None, strict=False)
    latency_ms: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _measured_in_its_own_unit(self) -> Self:
        wanted = _MEASURES[self.kind]
        given = tuple(name for name in ("amount", "size") if getattr(self, name) is not None)
        if given not in wanted:
            raise ValueError(f"{self.kind} must have one of {wanted!r}, had {given!r}")
        return self


class RefusalRecord(_Part):
    """What was planned and not allowed, or why nothing could be planned."""

    code: str = Field(pattern=r"^[a-z0-9_]+$")
    text: str


class DecisionRecord(_Part):
    """Everything one poll concluded; log, journal, MQTT and command line share it."""

    v: Literal[1] = 1
    id: str = Field(min_length=1)
    at: str = Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)$",
        description="Venue time of the observation, UTC.",
        json_schema_extra={"format": "date-time"},
    )
    seq: int = Field(ge=0, description="Number of the poll.")
    account: str
    mode: Mode = _from_text()
    urgency: Urgency = _from_text()
    verdict: Verdict = _from_text()
    reason: str
    positions: list[PositionRecord] = []
    wallets: list[WalletRecord] = []
    stops: list[StopRecord] = []
    actions: list[ActionRecord] = []
    refusals: list[RefusalRecord] = []
    inputs_age_ms: int = Field(ge=0)
    config_hash: str
    strategy: str


def decision_schema() -> dict[str, Any]:
    """Return the JSON Schema of a decision record."""
    schema = DecisionRecord.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def decision_schema_text() -> str:
    """Return the schema as it stands in its file."""
    return orjson.dumps(decision_schema(), option=orjson.OPT_INDENT_2).decode() + "\n"


_adapters: dict[Any, TypeAdapter[Any]] = {}


def _adapter(cls: Any) -> TypeAdapter[Any]:
    # Building one takes milliseconds, more than using it.
    if cls not in _adapters:
        # Limits may be infinite. pydantic takes settings for a union, not for a bare dataclass.
        _adapters[cls] = TypeAdapter(cls | None, config=ConfigDict(allow_inf_nan=True))
    return _adapters[cls]


def encode(value: Any) -> bytes:
    """Return a domain value as JSON.

    Decimals are text with every digit they had, also trailing zeros and infinity; instants are
    UTC.

    Args:
        value: An instance of a dataclass of the domain.
    """
    return _adapter(type(value)).dump_json(value)


def decode(cls: type[T], data: bytes) -> T:
    """Return the domain value that was encoded.

    Args:
        cls: Its class; unions inside it are told apart by their ``kind``.
        data: What `encode` gave.

    Raises:
        ValueError: ``data`` is not such a value; the text names the field.
    """
    value: T | None = _adapter(cls).validate_json(data)
    if value is None:
        raise ValueError(f"data must be a {cls.__name__}, was null")
    return value


def main() -> None:
    """Write the schema file, for the working directory that holds ``docs``."""
    SCHEMA_FILE.parent.mkdir(parents=True, exist_ok=True)
    SCHEMA_FILE.write_text(decision_schema_text())
    sys.stdout.write(f"{SCHEMA_FILE}\n")


if __name__ == "__main__":
    main()

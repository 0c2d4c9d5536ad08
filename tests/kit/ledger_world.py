"""A venue reduced to its money: it knows the truth, the books only see looks and lines."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal as D
from typing import Literal

from bot.domain.account import Wallet
from bot.domain.action import Action, AddMargin, RemoveMargin, Transfer
from bot.domain.intent import Intent, IntentState
from bot.domain.ledger import LedgerRow, RowKind
from bot.domain.observation import Observation
from bot.domain.timing import WINDOW, settle_point
from bot.execute import books, looking
from bot.execute.books import Books
from bot.execute.foreign import Finding, Writer
from bot.execute.looking import Report
from bot.execute.transit import is_over
from bot.rebalance.memory import amount_of
from tests.kit.builders import BTC, NOON, a_position, an_observation

KEY = a_position().key
STEP = D("0.00001")
WRITER = Writer(epoch=3, step=STEP)
Where = Literal["spot", "futures", "margin"]
Fate = Literal["lost", "lands", "late", "clipped", "refused", "dropped"]


@dataclass(kw_only=True)
class LedgerWorld:
    """One isolated position, two wallets, requests that get lost, come late or are clipped."""

    travel: float = 0.0
    lag: float = 0.0
    now: datetime = NOON
    money: dict[Where, D] = field(
        default_factory=lambda: {"spot": D(500), "futures": D(1000), "margin": D(300)}
    )
    size: D = D(1)
    rows: list[tuple[datetime, LedgerRow]] = field(default_factory=list)
    intents: dict[str, Intent] = field(default_factory=dict)
    effects: dict[str, tuple[D, datetime]] = field(default_factory=dict)
    """By intent: what took effect, and from when the venue's history shows it."""
    lowest: dict[Where, D] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    _due: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        self.books: Books = books.open_books(self.observation(), (), writer=WRITER)

    # time

    def wait(self, seconds: float) -> None:
        until = self.now + timedelta(seconds=seconds)
        while self._due and min(self._due)[0] <= until:
            first = min(self._due, key=lambda due: due[:2])
            self._due.remove(first)
            self.now = max(self.now, first[0])
            first[2]()
        self.now = until

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._count += 1
        self._due.append((self.now + timedelta(seconds=seconds), self._count, act))

    # what the bot does

    def usable(self, name: str) -> D:
        account = self.observation().account
        return self.books.usable(account, name, "USDT", floor=D(0))

    def send(self, action: Action, fate: Fate, *, confirmed: bool = False) -> None:
        """Write an intent down, tell the books, and let the network do what it will."""
        self._count += 1
        name = f"plabcd0003{self._count:06d}"
        intent = Intent(
            id=name, decision_id="d", account="main", action=action, written_at=self.now
        )
        self._tell(intent)
        if fate == "dropped":
            self._tell(replace(intent, state=IntentState.DROPPED))
            return
        intent = replace(intent, sent_at=self.now, state=IntentState.SENT)
        self._tell(intent)
        if fate == "refused":
            self._tell(replace(intent, state=IntentState.REJECTED))
            return
        if fate != "lost":
            part = D("0.25") if fate == "clipped" else D(1)
            amount = (amount_of(action) * part).quantize(STEP)
            self._after(4.9 if fate == "late" else 0.0, lambda: self._land(name, action, amount))
            self.wait(0)
        is_done = confirmed and fate == "lands"
        state = IntentState.DONE if is_done else IntentState.UNKNOWN
        self._tell(replace(intent, state=state))

    def settle(self) -> None:
        """Tell the books what the venue's history proves by now."""
        for intent in list(self.intents.values()):
            if is_over(intent):
                continue
            assert intent.sent_at is not None
            applied, shown_at = self.effects.get(intent.id, (None, self.now))
            if applied is not None and shown_at <= self.now:
                self._tell(replace(intent, state=IntentState.APPLIED, applied=applied))
            elif applied is None and self.now > intent.sent_at + settle_point(WINDOW):
                self._tell(replace(intent, state=IntentState.ABSENT))

    def give_up(self) -> None:
        for intent in list(self.intents.values()):
            if intent.state is IntentState.UNKNOWN:
                self._tell(replace(intent, state=IntentState.GAVE_UP))

    def poll(self) -> Report:
        """Look; where the books want the lines, read them and look again at the same."""
        seen = self.observation()
        self.books, report = looking.look(self.books, seen)
        self.findings += report.findings
        if report.wants_rows:
            lines = [row for shown_at, row in self.rows if shown_at <= self.now]
            since = self.books.since
            asked = [row for row in lines if row.at >= since]
            self.books, found = books.read(self.books, asked, asked_at=self.now)
            self.findings += found
            self.books, report = looking.look(self.books, seen)
            self.findings += report.findings
        self.reports.append(report)
        return report

    def restart(self, seconds: float = 1) -> None:
        """Lose everything but the intents, as a crash does; nobody looks for a while."""
        self.wait(seconds)
        open_ = [intent for intent in self.intents.values() if not is_over(intent)]
        self.books = books.open_books(self.observation(), open_, writer=WRITER)

    def observation(self) -> Observation:
        held = [a_position(margin=str(self.money["margin"]), size=str(self.size))]
        return an_observation(
            *(held if self.size else []),
            futures=str(self.money["futures"]),
            spot=str(self.money["spot"]),
            at=self.now,
        )

    def _tell(self, intent: Intent) -> None:
        self.intents[intent.id] = intent
        self.books, found = books.told(self.books, [intent], at=self.now)
        self.findings += found

    # what happens at the venue

    def _land(self, name: str, action: Action, amount: D) -> None:
        source, destination = ends_of(action)
        self._change(source, -amount)
        travels = isinstance(action, Transfer) and self.travel > 0
        seconds = self.travel if travels else 0.0
        left_at = self.now

        def arrive() -> None:
            self._change(destination, amount)
            self.effects[name] = (amount, self.now + timedelta(seconds=self.lag))
            self._book(row_of(action, amount, left_at, name), since=self.now)

        self.effects[name] = (amount, datetime.max.replace(tzinfo=NOON.tzinfo))
        if travels:
            self._after(seconds, arrive)
        else:
            arrive()

    def pay(self, kind: RowKind, amount: D, *, where: Where) -> None:
        """Let the venue book a payment, on the wallet or inside the margin."""
        self._count += 1
        self._change(where, amount)
        symbol = BTC if kind is RowKind.FUNDING else ""
        row = LedgerRow(id=f"income:{self._count}", at=self.now, kind=kind, amount=amount,
                        asset="USDT", symbol=symbol)  # fmt: skip
        self._book(row, since=self.now)

    def foreign(self, action: Action) -> None:
        """Let a person move collateral at the venue."""
        self._count += 1
        source, destination = ends_of(action)
        self._change(source, -amount_of(action))
        self._change(destination, amount_of(action))
        self._book(row_of(action, amount_of(action), self.now, f"x{self._count}"), since=self.now)

    def deposit(self, amount: D) -> None:
        """Let something reach the spot wallet that none of our lists shows."""
        self._count += 1
        self._change("spot", amount)

    def fill(self, share: D) -> None:
        """Let part of the position be closed; the venue releases margin without a line."""
        released = (self.money["margin"] * share).quantize(D("1e-8"))
        self.size -= self.size * share
        self._change("margin", -released)
        self._change("futures", released)
        self.pay(RowKind.FEE, D("-0.37"), where="futures")

    def _book(self, row: LedgerRow, *, since: datetime) -> None:
        self.rows.append((since + timedelta(seconds=self.lag), row))

    def _change(self, where: Where, amount: D) -> None:
        self.money[where] += amount
        self.lowest[where] = min(self.lowest.get(where, self.money[where]), self.money[where])


def ends_of(action: Action) -> tuple[Where, Where]:
    match action:
        case AddMargin():
            return "futures", "margin"
        case RemoveMargin():
            return "margin", "futures"
        case Transfer(source="spot"):
            return "spot", "futures"
        case _:
            return "futures", "spot"


def row_of(action: Action, amount: D, at: datetime, name: str) -> LedgerRow:
    match action:
        case AddMargin() | RemoveMargin():
            is_in = isinstance(action, AddMargin)
            return LedgerRow(
                id=f"margin:{name}",
                at=at,
                kind=RowKind.MARGIN_ADDED if is_in else RowKind.MARGIN_REMOVED,
                amount=amount if is_in else -amount,
                asset="USDT",
                symbol=BTC,
                actor="USER_ADJUST",
            )
        case _:
            is_in = ends_of(action)[0] == "spot"
            return LedgerRow(
                id=f"transfer:{name}",
                at=at,
                kind=RowKind.TRANSFER_IN if is_in else RowKind.TRANSFER_OUT,
                amount=amount if is_in else -amount,
                asset="USDT",
                other="spot",
            )


def add(amount: D | str) -> AddMargin:
    return AddMargin(key=KEY, amount=D(amount), currency="USDT")


def remove(amount: D | str) -> RemoveMargin:
    return RemoveMargin(key=KEY, amount=D(amount), currency="USDT")


def transfer(amount: D | str, *, out: bool = False) -> Transfer:
    ends = ("futures", "spot") if out else ("spot", "futures")
    return Transfer(source=ends[0], destination=ends[1], amount=D(amount), currency="USDT")


def a_wallet(name: str, free: str) -> Wallet:
    return Wallet(name=name, currency="USDT", total=D(free), free=D(free))

"""What can happen to one request on its way, and what does happen in this run?"""

import dataclasses
import json
import math
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.paper.binance.codes import WireError
from bot.paper.desk import Reply
from bot.simulate.operations import Operation

WINDOW = 5.0
"""Validity of a request at the venue. [s]"""
READS_PER_POLL = 8
LONGEST_DELAY = 30.0
"""Of a request or a reply. [s]"""
THROTTLED = 3
"""A client is told to wait so long after a 429. [s]"""
BANNED = 120
"""As above after a 418, and a firewall that says nothing blocks as long. [s]"""
PAGE = "<html><head><title>502</title></head><body>bad gateway</body></html>"


class Wire(StrEnum):
    """Faults of one request and its reply."""

    REFUSED = "refused"
    DNS = "dns"
    TLS = "tls"
    LOST_REQUEST = "lost_request"
    LOST_REPLY = "lost_reply"
    LATE_INSIDE = "late_inside"
    LATE_OUTSIDE = "late_outside"
    DUPLICATED = "duplicated"
    SLOW = "slow"
    HTTP_5XX_BEFORE = "5xx_before"
    HTTP_5XX_AFTER = "5xx_after"
    HTML_200 = "200_html"
    TRUNCATED = "truncated"
    WRONG_SCHEMA = "wrong_schema"
    BAD_NUMBER = "bad_number"
    STRING_NUMBER = "string_number"
    HTTP_429 = "429"
    HTTP_418 = "418"
    HTTP_403 = "403"
    TIME_REFUSED = "-1021"
    TIMEOUT_1007 = "-1007"
    MAINTENANCE = "maintenance"
    INSUFFICIENT = "insufficient"
    REJECTED = "rejected"
    PARSER_RAISES = "parser_raises_after_effect"


class Unsent(StrEnum):
    """Faults of the wire that this venue or channel cannot have."""

    PARTIAL = "partial_effect"
    STREAM = "stream_gap"


class Read(StrEnum):
    """Faults of what the venue shows, while something is in flight."""

    STALE = "stale_read"
    TORN = "torn_read"
    HISTORY_LAG = "history_lag"
    EMPTY_POSITIONS = "empty_positions"


NO_BYTE_LEFT = frozenset({Wire.REFUSED, Wire.DNS, Wire.TLS})
BEFORE = frozenset({
    Wire.LOST_REQUEST, Wire.HTTP_5XX_BEFORE, Wire.HTTP_429, Wire.HTTP_418, Wire.HTTP_403,
    Wire.TIME_REFUSED, Wire.MAINTENANCE, Wire.INSUFFICIENT, Wire.REJECTED,
})  # fmt: skip
"""The request has no effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What happens to one request.

    Attributes:
        fault: Which fault it is; ``None`` for an ordinary one.
        connect: Until a connection is in hand. [s]
        outward: From the first byte to the venue. [s]
        back: From the venue to the client. [s]
        again: A second delivery so long after the first; ``None`` for none. [s]
        patience: When the client gives up, from the first byte. [s]
    """

    fault: Wire | None
    connect: float
    outward: float
    back: float
    again: float | None
    patience: float


class Weather:
    """Draws the fate of each request; a fault class is off in half of all runs."""

    def __init__(
        self,
        chance: random.Random,
        *,
        rates: Mapping[StrEnum, float],
        patience: float,
        target: Operation | None = None,
    ) -> None:
        """Make the weather of a run.

        Args:
            chance: Decides.
            rates: Of each fault class. [ratio]
            patience: Of the client. [s]
            target: The only operation that faults hit; ``None`` for all requests.
        """
        self._chance, self.rates, self._patience = chance, dict(rates), patience
        self.target = target

    def fate(self, operation: Operation | None) -> Fate:
        """Return what happens to the next request; reads have no operation."""
        draw = self._chance
        is_aimed = self.target is None or self.target is operation
        fault = self._fault(is_write=operation is not None) if is_aimed else None
        outward, back = draw.uniform(0.01, 0.08), draw.uniform(0.01, 0.08)
        connect = draw.uniform(0.0, 0.05)
        again = None
        match fault:
            case Wire.SLOW:
                back = draw.uniform(0.1, LONGEST_DELAY)
            case Wire.LATE_INSIDE:
                # Half of them arrive in the last second of the window.
                earliest = WINDOW - 1 if draw.random() < 0.5 else self._patience  # noqa: PLR2004 - half
                outward = draw.uniform(earliest, WINDOW - 0.05)
            case Wire.LATE_OUTSIDE:
                outward = draw.uniform(WINDOW, LONGEST_DELAY)
            case Wire.DUPLICATED:
                again = draw.uniform(0.0, WINDOW - 0.2)
        return Fate(
            fault=fault,
            connect=connect,
            outward=outward,
            back=back,
            again=again,
            patience=self._patience,
        )

    def shows(self, fault: Read) -> bool:
        """Whether a fault of reading happens now."""
        rate = self.rates.get(fault, 0.0)
        return rate > 0 and self._chance.random() < rate

    def calm(self) -> None:
        """Let every fault stop."""
        self.rates.clear()

    def _fault(self, *, is_write: bool) -> Wire | None:
        for fault in Wire:
            rate = self.rates.get(fault, 0.0)
            if not is_write:
                # A poll needs many reads; at the full rate hardly one would ever be complete.
                rate = 0.0 if fault in WRITES_ONLY else rate / READS_PER_POLL
            if rate and self._chance.random() < rate:
                return fault
        return None


BANS = frozenset({Wire.HTTP_418, Wire.HTTP_403})
"""Replies after which nothing may be asked for a long time."""
WRITES_ONLY = frozenset({
    Wire.DUPLICATED, Wire.LATE_INSIDE, Wire.LATE_OUTSIDE, Wire.INSUFFICIENT, Wire.REJECTED,
})  # fmt: skip


def swarm(chance: random.Random, kinds: type[StrEnum], *, most: float) -> dict[StrEnum, float]:
    """Return rates for a run: each class off in half of the runs, else log-uniform. [ratio].

    Bans are off in most: while one lasts, nothing else can happen.
    """
    rates: dict[StrEnum, float] = {}
    for kind in kinds:
        is_on = chance.random() < (0.12 if kind in BANS else 0.5)
        rate = math.exp(chance.uniform(math.log(0.001), math.log(max(most, 0.001))))
        if is_on and most > 0:
            rates[kind] = rate
    return rates


def instead(fault: Wire, error: Callable[[WireError], Reply]) -> Reply | None:
    """Return the reply to a request that has no effect; ``None`` if that fault gives none."""
    match fault:
        case Wire.HTTP_5XX_BEFORE:
            return Reply(status=503, text="Service Unavailable", kind="text/plain")
        case Wire.HTTP_429:
            return _wait(error(WireError(-1003, "Too many requests.", status=429)), THROTTLED)
        case Wire.HTTP_418:
            return _wait(error(WireError(-1003, "Way too many requests.", status=418)), BANNED)
        case Wire.HTTP_403:
            return Reply(status=403, text=PAGE, kind="text/html")
        case Wire.TIME_REFUSED:
            return error(WireError(-1021, "Timestamp outside of the recvWindow."))
        case Wire.MAINTENANCE:
            return error(WireError(-1016, "This service is no longer available.", status=503))
        case Wire.INSUFFICIENT:
            return error(WireError(-2019, "Margin is insufficient."))
        case Wire.REJECTED:
            return error(WireError(-4061, "Order's position side does not match."))
    return None


def _wait(reply: Reply, seconds: int) -> Reply:
    return dataclasses.replace(reply, headers={**reply.headers, "Retry-After": str(seconds)})


def distorted(
    fault: Wire, reply: Reply, error: Callable[[WireError], Reply], chance: random.Random
) -> Reply:
    """Return what arrives of a reply whose request took effect."""
    match fault:
        case Wire.HTTP_5XX_AFTER:
            return Reply(status=502, text=PAGE, kind="text/html")
        case Wire.TIMEOUT_1007:
            return error(WireError(-1007, "Timeout waiting for backend.", status=408))
        case Wire.HTML_200:
            return Reply(status=200, text=PAGE, kind="text/html")
        case Wire.TRUNCATED:
            return dataclasses.replace(reply, text=reply.text[: len(reply.text) // 2])
        case Wire.WRONG_SCHEMA:
            # Another container than the right one; an empty right one no client can tell.
            others = ("{}", '{"ok": true}', "[]")
            is_list = reply.text.startswith("[")
            return dataclasses.replace(reply, text=chance.choice(others[: 2 if is_list else 3]))
        case Wire.BAD_NUMBER:
            return dataclasses.replace(reply, text=_with_bad_number(reply.text, chance))
        case Wire.STRING_NUMBER:
            return dataclasses.replace(reply, text=_retyped(reply.text, chance))
        case Wire.PARSER_RAISES:
            # ccxt looks for a code in here, and its own look raises.
            return dataclasses.replace(reply, text='{"code": "x", "msg": 5}')
    return reply


_NUMBER = re.compile(r'(?<=: )("?)(-?\d+\.\d+)("?)')


def _with_bad_number(text: str, chance: random.Random) -> str:
    found = list(_NUMBER.finditer(text))
    if not found:
        return text
    hit = chance.choice(found)
    # A plausible lie, such as 0 for a balance, no client can tell.
    worst = ('"NaN"', "null", '"1e400"', '"Infinity"', '""')
    return text[: hit.start()] + chance.choice(worst) + text[hit.end() :]


def _retyped(text: str, chance: random.Random) -> str:
    """Return the text with one number as a string, or one string as a number."""
    found = list(_NUMBER.finditer(text))
    if not found:
        return text
    hit = chance.choice(found)
    digits = hit.group(2)
    other = digits if hit.group(1) else json.dumps(digits)
    return text[: hit.start()] + other + text[hit.end() :]

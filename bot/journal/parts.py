"""Where do price histories lie, so that each poll need not write all of its own again?

A history is the same from poll to poll but for its ends. In the inputs of a decision each long one
is replaced by one digest: of the list of its days. Days and lists lie once in a table of their
own. Joined again, the inputs are the same bytes as before.
"""

import hashlib
import re
import sqlite3
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.journal.faults import damaged

TABLE = "CREATE TABLE parts (digest BLOB PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID"
DAY = 86_400
LEAST_DAYS = 3
"""Shorter histories stay where they are."""
_KEPT = 256
"""Histories that are recognised without being taken apart again."""
_COLUMN = rb"\[([^\[\]]*)\]"
_WHOLE = re.compile(
    rb'"bars":\{"opened_at":"([^"]*)","seconds":([1-9][0-9]*),"high":%b,"low":%b,"close":%b\}'
    % (_COLUMN, _COLUMN, _COLUMN)
)
_APART = re.compile(
    rb'"bars":\{"opened_at":"([^"]*)","seconds":([1-9][0-9]*),"parts":"([0-9a-f]{64})"\}'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """Inputs without their histories.

    Attributes:
        inputs: With a digest in their place.
        parts: Days and lists of days by digest that may not be in the table yet.
        histories: What stands for each history whose days these are, by its own digest.
    """

    inputs: bytes
    parts: Mapping[bytes, bytes]
    histories: Mapping[bytes, bytes]


@dataclass(slots=True, kw_only=True)
class Splitter:
    """Takes inputs apart; knows which histories have all their days in the table."""

    _known: OrderedDict[bytes, bytes] = field(default_factory=OrderedDict)

    def split(self, inputs: bytes) -> Apart:
        """Return inputs with each long history replaced by a digest."""
        parts: dict[bytes, bytes] = {}
        histories: dict[bytes, bytes] = {}

        def short(match: re.Match[bytes]) -> bytes:
            name = hashlib.sha256(match[0]).digest()
            if name in self._known:
                self._known.move_to_end(name)
                return self._known[name]
            histories[name] = _short(match, parts)
            return histories[name]

        return Apart(inputs=_WHOLE.sub(short, inputs), parts=parts, histories=histories)

    def learn(self, apart: Apart) -> None:
        """Remember histories whose days are durable now."""
        self._known.update(apart.histories)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)


def write(connection: sqlite3.Connection, parts: Mapping[bytes, bytes]) -> None:
    """Write days that are not there yet.

    Raises:
        sqlite3.Error: It cannot be written.
    """
    connection.executemany(
        "INSERT OR IGNORE INTO parts (digest, body) VALUES (?, ?)",
        [(digest, zlib.compress(body)) for digest, body in parts.items()],
    )


def joined(connection: sqlite3.Connection, inputs: bytes) -> bytes:
    """Return inputs with their histories.

    Raises:
        sqlite3.DatabaseError: A day is missing or is not what was written.
    """

    def whole(match: re.Match[bytes]) -> bytes:
        names = _body(connection, bytes.fromhex(match[3].decode()))
        days = [_body(connection, name).split(b";") for name in _digests(names)]
        columns = [b",".join(day[place] for day in days) for place in range(3)]
        return b'"bars":{"opened_at":"%b","seconds":%b,"high":[%b],"low":[%b],"close":[%b]}' % (
            match[1],
            match[2],
            *columns,
        )

    return _APART.sub(whole, inputs)


def _short(match: re.Match[bytes], parts: dict[bytes, bytes]) -> bytes:
    columns = [match[place].split(b",") for place in (3, 4, 5)]
    count, seconds = len(columns[0]), int(match[2])
    if any(len(column) != count for column in columns) or count * seconds < LEAST_DAYS * DAY:
        return match[0]
    names = b""
    for first, last in _days(datetime.fromisoformat(match[1].decode()), seconds, count):
        names += _added(parts, b";".join(b",".join(column[first:last]) for column in columns))
    name = _added(parts, names).hex().encode()
    return b'"bars":{"opened_at":"%b","seconds":%b,"parts":"%b"}' % (match[1], match[2], name)


def _added(parts: dict[bytes, bytes], body: bytes) -> bytes:
    digest = hashlib.sha256(body).digest()
    parts[digest] = body
    return digest


def _days(opened_at: datetime, seconds: int, count: int) -> Iterator[tuple[int, int]]:
    """Yield the first place and the place behind the last of the bars of each UTC day."""
    begin, first = int(opened_at.timestamp()), 0
    while first < count:
        next_day = (begin + first * seconds) // DAY * DAY + DAY
        last = min(count, -((begin - next_day) // seconds))
        yield first, last
        first = last


def _digests(names: bytes) -> Iterator[bytes]:
    return (names[place : place + 32] for place in range(0, len(names), 32))


def _body(connection: sqlite3.Connection, digest: bytes) -> bytes:
    row = connection.execute("SELECT body FROM parts WHERE digest = ?", (digest,)).fetchone()
    try:
        body = zlib.decompress(row[0])
    except (TypeError, zlib.error) as error:
        raise damaged(f"a day of prices is lost: {digest.hex()}") from error
    if hashlib.sha256(body).digest() != digest:
        raise damaged(f"a day of prices is not what was written: {digest.hex()}")
    return body

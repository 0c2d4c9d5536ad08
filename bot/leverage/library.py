"""Which fitted models belong to a symbol?

A library is fitted once over several coins and read at a start. Tails and the pooled regression are
those of all coins together; a coin that was among them has a regression of its own as well. A coin
that was not has the shared ones: large coins resemble each other more than any one resembles the
forecast for a coin nobody knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.domain.position import Side
from bot.leverage import har, tail
from bot.leverage.history import HOUR, History
from bot.leverage.model import HORIZONS, Models
from bot.leverage.tail import Origin

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Models by coin. The empty value knows nothing and is allowed.

    Attributes:
        coins: Of each coin it was fitted on, by base currency.
        others: Of every other coin.
        source: Whose prices they are, for people.
        until: When the newest of them closed; ``None`` in an empty library. Aware UTC.
        digest: Of the file it was read from; empty where there was none.
    """

    coins: Mapping[str, Models] = field(default_factory=dict)
    others: Models = field(default_factory=Models)
    source: str = ""
    until: datetime | None = None
    digest: str = ""

    def of(self, symbol: str) -> Models:
        """Return the models of a unified symbol such as ``BTC/USDT:USDT``."""
        return self.coins.get(symbol.partition("/")[0], self.others)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON; what coins share with the others is not repeated."""
        return {
            "version": VERSION,
            "source": self.source,
            "until": None if self.until is None else self.until.isoformat(),
            "others": self.others.as_dict(),
            "coins": {
                coin: [model.as_dict() for model in models.own.values()]
                for coin, models in self.coins.items()
            },
        }

    @classmethod
    def from_dict(cls, raw: Any, *, digest: str = "") -> "Library":
        """Return the library of `as_dict`.

        Args:
            raw: Plain values, from anywhere.
            digest: Of the bytes they were read from.

        Raises:
            ValueError: It is no library, is of another version, or a number is not what it must be.
        """
        try:
            if raw["version"] != VERSION:
                raise ValueError(f"models must be of version {VERSION}, were {raw['version']}")
            others = Models.from_dict(raw["others"])
            coins = {
                str(coin): Models(
                    own={model.hours: model for model in map(har.HarModel.from_dict, own)},
                    pooled=others.pooled,
                    tails=others.tails,
                )
                for coin, own in raw["coins"].items()
            }
            until = None if raw["until"] is None else datetime.fromisoformat(raw["until"])
            return cls(
                coins=coins, others=others, source=str(raw["source"]), until=until, digest=digest
            )
        except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
            raise ValueError(f"models cannot be read: {error!r}") from error


def fit(
    histories: Mapping[str, History], *, source: str, horizons: Sequence[int] = HORIZONS
) -> Library:
    """Return the library of several coins.

    Args:
        histories: Hourly bars by base currency, of one kind of price: mark, or last, never mixed.
        source: Whose prices they are, for people.
        horizons: [h]

    Raises:
        ValueError: Nothing recorded is long enough for a tail: 8,760 h before the first window,
            4,380 h of windows.
    """
    own: dict[str, dict[int, har.HarModel]] = {coin: {} for coin in histories}
    pooled: dict[int, har.HarModel] = {}
    tails: dict[tuple[Side, int], tail.Tail] = {}
    for hours in horizons:
        samples = []
        for coin, record in histories.items():
            samples.append(tail.windows(record, har.walk(record, hours).sigma, hours))
            if len(record) >= har.BURN_IN:
                own[coin][hours] = har.fit(record, hours)
        sample = tail.pooled(samples)
        if not tail.is_enough(sample):
            raise ValueError(f"bars are too few for the tail of {hours} h: record more of them")
        pooled[hours] = har.fit_pooled(tuple(histories.values()), hours)
        for side in Side:
            tails[side, hours] = tail.fit(sample, side, origin=Origin.POOLED)
    newest = max(record.start + len(record) for record in histories.values())
    others = Models(pooled=pooled, tails=tails)
    return Library(
        coins={
            coin: Models(own=found, pooled=pooled, tails=tails)
            for coin, found in own.items()
            if found
        },
        others=others,
        source=source,
        until=datetime.fromtimestamp(newest * HOUR, UTC),
    )

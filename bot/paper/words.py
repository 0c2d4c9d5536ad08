"""How is what a client wrote read as the kind of value that is wanted?"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.paper.digits import number

LONGEST_NUMBER = 32
"""Signs of any number that is understood."""
LONGEST_TEXT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Words(ABC):
    """Parameters of one request, read in the same way whatever the venue says of bad ones.

    Attributes:
        parameters: By name, as the client wrote them: text, or what JSON has besides.
        now_ms: Market time of its arrival. [ms]
    """

    parameters: Mapping[str, Any]
    now_ms: int

    def text(self, key: str, default: str | None = None) -> str:
        """Return a word, or a number as it was written.

        Raises:
            WireError: It is missing and has no default, or no text.
        """
        value = self.parameters.get(key)
        if value is None or value == "":
            if default is None:
                raise self._missing(key)
            return default
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self._wrong(key)
        return str(value)[:LONGEST_TEXT]

    def optional(self, key: str) -> str | None:
        """Return a word, ``None`` where it is absent."""
        return self.text(key, "") or None

    def choice(self, key: str, known: tuple[str, ...], default: str | None = None) -> str:
        """Return a word that must be one of a few.

        Raises:
            WireError: It is not.
        """
        value = self.text(key, default)
        if value not in known:
            raise self._wrong(key)
        return value

    def decimal(self, key: str, default: str | None = None) -> Decimal:
        """Return a number.

        Raises:
            WireError: It is missing, no number, or not in plain digits.
        """
        value = self.text(key, default)
        found = number(value)
        if found is None or len(value) > LONGEST_NUMBER:
            raise self._wrong(key)
        return found

    def whole(self, key: str, default: str | None = None) -> int:
        """Return a whole number.

        Raises:
            WireError: It is missing or no whole number.
        """
        found = self.decimal(key, default)
        if found != found.to_integral_value():
            raise self._wrong(key)
        return int(found)

    def is_true(self, key: str) -> bool:
        """Return a yes or no, as JSON or as a word; absent is no.

        Raises:
            WireError: It is neither.
        """
        value = self.parameters.get(key)
        if isinstance(value, bool):
            return value
        return self.choice(key, ("true", "false"), "false") == "true"

    @abstractmethod
    def _wrong(self, key: str) -> Exception:
        """Return the venue's words for a parameter that is there and makes no sense."""

    def _missing(self, key: str) -> Exception:
        """Return the venue's words for a parameter that must be there and is not."""
        return self._wrong(key)


def from_json(body: bytes, digits: type[str] = str) -> Any:
    """Return what a body says, numbers as they were written; ``None`` where it is no JSON."""
    try:
        return json.loads(body or b"{}", parse_float=digits, parse_int=digits)
    except (ValueError, RecursionError):
        return None

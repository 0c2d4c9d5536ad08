"""How long is ``90s``, ``20m`` or ``2h``, and when is ``2021-05-19T11:00Z``?"""

from datetime import UTC, datetime, timedelta

from bot.errors import ConfigError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = timedelta(days=3650).total_seconds()


def seconds_of(text: str, option: str) -> float:
    """Return the seconds of a text such as ``90s``, ``20m``, ``2h`` or ``1d``. [s].

    Raises:
        ConfigError: It is not such a text.
    """
    try:
        seconds = float(text[:-1]) * _UNITS[text[-1:]]
    except (ValueError, KeyError):
        seconds = float("nan")
    if not 0 < seconds < _LONGEST:
        raise ConfigError(f"{option} must be a time such as 90s, 20m, 2h or 1d, was {text!r}")
    return seconds


def instant_of(text: str, option: str) -> datetime:
    """Return the instant of a text such as ``2021-05-19T11:00Z``. Aware UTC.

    Raises:
        ConfigError: It is not such a text; without a zone nobody knows which hour is meant.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ConfigError(f"{option} must be an instant such as 2021-05-19T11:00Z, was {text!r}")
    return found.astimezone(UTC)

"""Errors, named by what the loop does about them.

* BotError
  x ExchangeError
    + Unavailable   - no answer, or too busy: skip this poll, back off, try again
    + Incomplete    - an answer without a number the formulae need: skip this poll, say which
    + Denied        - keys, permissions or account state forbid it: stop acting; a person must act
  x ConfigError     - the configuration contradicts itself: refuse to start
  x JournalError    - what must be durable is not: nothing may be sent
    + JournalLost   - the disk failed: the emergency reserve takes what protects
      . ReserveLost - nor does the reserve take anything: look on, write nothing
    + InUse         - another bot has the account or the journal: end, and leave both to it
  x StrategyError   - a strategy cannot be loaded: refuse to start
"""


class BotError(Exception):
    """Base of all errors the bot raises on purpose; its text is a message for a person."""


class ExchangeError(BotError):
    """The venue gave no usable answer."""


class Unavailable(ExchangeError):  # noqa: N818 - named by the state, as the loop reads it
    """No answer or too busy: skip this poll, back off, try again."""


class Incomplete(ExchangeError):  # noqa: N818 - as above
    """An answer without a number the formulae need: skip this poll, name the field."""


class Denied(ExchangeError):  # noqa: N818 - named by the state, as the loop reads it
    """Keys, permissions or account state forbid it: stop acting; a person must act."""


class ConfigError(BotError):
    """The configuration contradicts itself: refuse to start."""


class JournalError(BotError):
    """What must be durable is not: nothing may be sent."""


class JournalLost(JournalError):  # noqa: N818 - named by the state, as the loop reads it
    """The disk of the journal failed: it is not known what it has, the reserve takes over."""


class InUse(JournalError):  # noqa: N818 - as above
    """Another bot has the account or the journal: end, and leave both to it."""


class ReserveLost(JournalLost):
    """The emergency reserve takes nothing either: nothing may be written at the venue."""


class StrategyError(BotError):
    """A strategy cannot be loaded: refuse to start."""

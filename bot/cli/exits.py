"""What does the exit code of a verb mean?"""

from bot.errors import BotError, ConfigError, ExchangeError, InUse, JournalError, StrategyError

EXIT_FAULT = 1
EXIT_CONFIG = 2
EXIT_VENUE = 3
EXIT_JOURNAL = 4
EXIT_DIFFERENT = 5
EXIT_IN_USE = 6


def exit_code(error: BotError) -> int:
    """Return the exit code of an error."""
    match error:
        case ConfigError() | StrategyError():
            return EXIT_CONFIG
        case ExchangeError():
            return EXIT_VENUE
        case InUse():
            return EXIT_IN_USE
        case JournalError():
            return EXIT_JOURNAL
    return EXIT_FAULT

"""What did the person configure, and is it consistent?

The only package that knows TOML, environment variables and secret files.
"""

from bot.settings.loading import load, secret_of
from bot.settings.sections import (
    LARGEST,
    SMALLEST,
    AccountSection,
    MqttSection,
    Settings,
    StrategySection,
)
from bot.settings.telling import Loaded, explain

__all__ = [
    "LARGEST",
    "SMALLEST",
    "AccountSection",
    "Loaded",
    "MqttSection",
    "Settings",
    "StrategySection",
    "explain",
    "load",
    "secret_of",
]

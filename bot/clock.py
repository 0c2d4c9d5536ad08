"""What time is it, outside the paper exchange?"""

import asyncio
import time
from datetime import UTC, datetime


class WallClock:
    """The machine's clock; a `Clock`."""

    def now(self) -> datetime:
        """Return the present instant. Aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return a reading that only grows. [s]."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait. [s]."""
        await asyncio.sleep(seconds)

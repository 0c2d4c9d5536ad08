"""Where does chance come from that is the same again for the same seed?"""

import hashlib


class SeededRng:
    """Numbers that look drawn and follow from a seed; a `bot.ports.Rng`."""

    def __init__(self, seed: str) -> None:
        self._seed, self._drawn = seed, 0

    def uniform(self, low: float, high: float) -> float:
        """Return a number from ``low`` to below ``high``."""
        self._drawn += 1
        digest = hashlib.sha256(f"{self._seed}\n{self._drawn}".encode()).digest()
        # 53 bits are what a double holds: more would round up to 1.
        return low + (high - low) * (int.from_bytes(digest[:8], "big") >> 11) / 2**53

"""Was this run the same as that one?"""

import hashlib


class Trace:
    """A hash over everything that happened, in order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.length = 0
        """Events so far."""
        self.lines: list[str] | None = None
        """The events themselves, where somebody wants to read them."""

    def add(self, *what: str) -> None:
        """Add one event."""
        line = "\x1f".join(what)
        self._hash.update(line.encode())
        self._hash.update(b"\x1e")
        self.length += 1
        if self.lines is not None:
            self.lines.append(" ".join(what))

    @property
    def digest(self) -> str:
        """SHA-256 over the events so far, in hex."""
        return self._hash.hexdigest()
